"""The body of a request: a small JSON object whose strings are valid text."""

import json
from collections.abc import Mapping
from typing import Any, NoReturn

from django.http import UnreadablePostError
from rest_framework.parsers import BaseParser

from api.errors import Problem
from oidc.parameters import is_text

MOST_BYTES = 16 * 1024


class SmallJSONParser(BaseParser):
    """Raises Problem for any other body."""

    media_type = "application/json"

    def parse(
        self,
        stream: Any,  # noqa: ANN401 # DRF's signature
        media_type: str | None = None,  # noqa: ARG002 # DRF's signature
        parser_context: Mapping[str, Any] | None = None,  # noqa: ARG002 # DRF's signature
    ) -> dict[str, Any]:
        try:
            body = stream.read(MOST_BYTES + 1)
            if len(body) > MOST_BYTES:
                raise Problem("too_large")
            data = json.loads(body.decode(), parse_constant=_refuse)
        except (ValueError, RecursionError) as error:
            raise Problem("invalid_request", "The body is not JSON.") from error
        except UnreadablePostError as error:
            raise Problem("invalid_request", "The body could not be read.") from error
        if not isinstance(data, dict):
            raise Problem("invalid_request", "The body must be a JSON object.")
        _check_text(data)
        return data


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
