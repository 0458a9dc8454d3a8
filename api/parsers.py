"""The body of a request: a small JSON object whose strings are valid text."""

import json
from dataclasses import dataclass, field
from typing import Any, NoReturn

from django.http import HttpRequest, UnreadablePostError
from rest_framework.utils.mediatypes import media_type_matches

from api.errors import Problem
from oidc.parameters import is_text

MOST_BYTES = 16 * 1024
MEDIA_TYPE = "application/json"
_LONGEST_TYPE = 256


@dataclass(frozen=True, kw_only=True)
class Sent:
    """A body, which can be parsed as often as it is needed. `raw`: one byte more than may be sent, at most."""

    media_type: str
    raw: bytes | None = field(repr=False)  # None: no body was announced

    def parse(self) -> dict[str, Any]:
        """The object, an empty one without a body. Raises Problem."""
        if self.raw is None:
            return {}
        if self.media_type != MEDIA_TYPE and not _is_json(self.media_type):
            raise Problem("unsupported_media_type")
        if len(self.raw) > MOST_BYTES:
            raise Problem("too_large")
        try:
            text = self.raw.decode()
            data = _JSON.decode(text)
        except (ValueError, RecursionError) as error:
            raise Problem("invalid_request", "The body is not JSON.") from error
        if not isinstance(data, dict):
            raise Problem("invalid_request", "The body must be a JSON object.")
        # Only an escape can spell what is not printed.
        if "\\" in text or not text.isprintable():
            _check_text(data)
        return data


def read(request: HttpRequest) -> Sent:
    """Raises Problem when the caller stops sending."""
    media_type = request.META.get("CONTENT_TYPE", "")
    if not _announced(request):
        return Sent(media_type=media_type, raw=None)
    try:
        return Sent(media_type=media_type, raw=request.read(MOST_BYTES + 1))
    except UnreadablePostError as error:
        raise Problem("invalid_request", "The body could not be read.") from error


def _announced(request: HttpRequest) -> bool:
    try:
        return int(request.META.get("CONTENT_LENGTH") or 0) != 0
    except ValueError:
        return False


def _is_json(media_type: str) -> bool:
    return len(media_type) <= _LONGEST_TYPE and media_type_matches(MEDIA_TYPE, media_type)


# A hint that never fails a request: one with invalid characters counts as absent (api.serializers.requests).
_HINTS = frozenset({"locale"})
# Typed or pasted by people, so line breaks and tabs are allowed.
_TYPED = frozenset({"phone", "code"})
_LINES = str.maketrans("", "", "\t\n\v\f\r")


def _check_text(body: dict[str, Any]) -> None:
    """Refuse control characters and lone surrogates, which JSON can spell. Raises Problem."""
    for name, value in body.items():
        if not is_text(name):
            raise Problem("invalid_request", "The body contains invalid characters.")
        if name in _HINTS:
            continue
        if not _is_text(value.translate(_LINES) if name in _TYPED and isinstance(value, str) else value):
            reason = "contains invalid characters"
            raise Problem("invalid_request", f"{name} {reason}.", invalid_params={name: reason})


def _is_text(value: object) -> bool:
    """Also of everything nested in the value."""
    pending = [value]
    while pending:
        item = pending.pop()
        if isinstance(item, str):
            if not is_text(item):
                return False
        elif isinstance(item, dict):
            pending += [*item, *item.values()]
        elif isinstance(item, list):
            pending += item
    return True


def _refuse(word: str) -> NoReturn:
    """Python accepts NaN and Infinity, which JSON does not have."""
    raise ValueError(word)


_JSON = json.JSONDecoder(parse_constant=_refuse)
