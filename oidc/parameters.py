"""Checks on the parameters of every endpoint, before anything else reads them: size, repetition, characters."""

import re
from collections.abc import Iterable

from django.core.exceptions import BadRequest, SuspiciousOperation
from django.http import HttpRequest, QueryDict, UnreadablePostError
from django.http.multipartparser import MultiPartParserError

from oidc import client_secrets

# Of the body or the query. The longest allowed `state` and `nonce` fit, percent-encoded in any script.
MOST_BYTES = 16 * 1024
_MAX_PARAMETERS = 40
# RFC 8707 2 allows this one to be repeated. It is ignored here.
REPEATABLE = frozenset({"resource"})
# Control characters, which no parameter needs and PostgreSQL stores only in part, and lone surrogates.
_NOT_TEXT = re.compile(r"[\x00-\x1f\x7f-\x9f\ud800-\udfff]")
# The parameters of an authorization request. No others are stored.
KNOWN = frozenset(
    {
        *("client_id", "response_type", "redirect_uri", "scope", "state", "nonce", "code_challenge"),
        *("code_challenge_method", "prompt", "max_age", "login_hint", "id_token_hint", "ui_locales"),
        *("response_mode", "dpop_jkt"),
    }
)  # fmt: skip


def is_text(value: str) -> bool:
    """Whether a value is free of control characters and lone surrogates."""
    return value.isprintable() or _NOT_TEXT.search(value) is None


def size(request: HttpRequest) -> int:
    """The size of the parameters in bytes, without reading the body."""
    length = str(request.META.get("CONTENT_LENGTH") or "0")
    body = int(length) if length.isascii() and length.isdigit() else 0
    return max(body, len(request.META.get("QUERY_STRING", "")))


def is_too_large(request: HttpRequest) -> bool:
    return size(request) > MOST_BYTES


def problem(request: HttpRequest) -> str:
    """What is wrong with the parameters, "" if nothing. Check `is_too_large` first: this reads the body."""
    try:
        queried, posted = request.GET, request.POST
    except (BadRequest, MultiPartParserError, SuspiciousOperation, UnreadablePostError):
        return "The parameters cannot be read."
    for values in (queried, posted):
        if text := query_problem(values):
            return text
    basic = client_secrets.read_basic(request.headers.get("Authorization", ""))
    if basic and not all(map(is_text, basic)):
        return "The Authorization header holds control characters."
    return ""


def query_problem(values: QueryDict) -> str:
    """As `problem`, for parameters that have been read."""
    if len(values) > _MAX_PARAMETERS:
        return "There are too many parameters."
    return pairs_problem((name, value) for name, items in values.lists() for value in items)


def pairs_problem(pairs: Iterable[tuple[str, str]]) -> str:
    """As `problem`, for names and values. A repeated parameter is an error (RFC 6749 3.1, 3.2)."""
    seen = set()
    for name, value in pairs:
        if not (is_text(name) and is_text(value)):
            return "A parameter holds control characters."
        if name in seen and name not in REPEATABLE:
            return "A parameter is repeated."
        seen.add(name)
    return ""


def select_known(pairs: Iterable[tuple[str, str]]) -> dict[str, str]:
    """The parameters of an authorization request that we support."""
    return {name: value for name, value in pairs if name in KNOWN}
