"""Calls of a provider: `core.http` with its failures in our words, and where the provider's API is."""

import math
import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass

from django.conf import settings

from channels.errors import SendError
from channels.types import FailureReason
from core import http
from core.errors import CallFailed, CallProblem

# Printable ASCII: PostgreSQL refuses NUL, and what was accepted must not fail when it is stored.
_MESSAGE_ID = re.compile(r"[\x21-\x7e]+\Z")


@dataclass(frozen=True)
class ApiUrl:
    """The base of a provider's API: `default`, unless the operator names another one (PROVIDER_API_URLS)."""

    name: str
    default: str

    def __str__(self) -> str:
        return str(settings.PROVIDER_API_URLS.get(self.name) or self.default)


class HttpBackend:
    """A backend that calls its provider over HTTP, by default with the client of this process."""

    def __init__(self, client: http.HttpClient | None = None) -> None:
        self._client = client

    @property
    def client(self) -> http.HttpClient:
        return self._client or http.shared()


def post(
    client: http.HttpClient, url: str, *, content: bytes, headers: Mapping[str, str], until: float = math.inf
) -> http.Answer:
    """As `core.http.HttpClient.post`. Raises AnswerLost and SendError."""
    with _in_our_words():
        return client.post(url, content=content, headers=headers, until=until)


def get(client: http.HttpClient, url: str, *, headers: Mapping[str, str]) -> http.Answer:
    """As `core.http.HttpClient.get`. Raises AnswerLost and SendError."""
    with _in_our_words():
        return client.get(url, headers=headers)


@contextmanager
def _in_our_words() -> Iterator[None]:
    try:
        yield
    except CallFailed as error:
        is_away = error.problem is CallProblem.UNREACHABLE
        reason = FailureReason.UNAVAILABLE if is_away else FailureReason.MISCONFIGURED
        raise SendError(reason, provider_code=error.code, detail=error.detail) from error


def refusal(answer: http.Answer, reason: FailureReason | None = None, code: object = None) -> SendError:
    """A refused message. Without a code of the provider's that we know, the HTTP status says what it means."""
    provider_code = f"http-{answer.status}" if code is None else str(code)[:20]
    return SendError(reason or status_reason(answer.status), provider_code=provider_code)


def message_id(value: object, *, longest: int) -> str:
    """A provider's id of a message, "" when it is none that can be stored."""
    usable = isinstance(value, str) and len(value) <= longest and _MESSAGE_ID.match(value)
    return str(value) if usable else ""


def status_reason(status: int) -> FailureReason:
    """What a refusal means when the provider gives no code that we know."""
    if status == 429:
        return FailureReason.RATE_LIMITED
    if status >= 500:
        return FailureReason.UNAVAILABLE
    # A redirect is not followed (it could lead anywhere): the base URL is wrong.
    if status in (401, 403) or 300 <= status < 400:
        return FailureReason.MISCONFIGURED
    return FailureReason.UNKNOWN
