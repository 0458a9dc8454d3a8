"""One request to another server: pooled, bounded in time and size, never redirected, never repeated.

What can come of it:

    Answer       the server answered; its body is at most 64 KiB (of `lists`: 8 MiB), cut off beyond
    AnswerLost   the request may have been acted upon, the answer did not come: never repeat it
    CallFailed   nothing reached the other side (core.errors)

Requests are written here, answers read by core.answers, on connections of core.connections.
"""

import json
import math
import os
import re
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache, lru_cache
from http.client import HTTPException
from ssl import SSLCertVerificationError
from typing import Any
from urllib.parse import urlsplit

from core import answers, outgoing
from core.connections import Connection, Origin, Pool
from core.errors import CallFailed, CallProblem

_HEADERS = {
    "Accept": "application/json",
    "Accept-Encoding": "identity",  # nothing to inflate
    "User-Agent": "authsvc",
}
_OURS = frozenset({"host", "connection", "content-length", "transfer-encoding"})  # what frames a request
_NAME = re.compile(r"[-!#$%&'*+.^_`|~0-9A-Za-z]+")
_VALUE = re.compile(r"(?:[!-~](?:[\t -~]*[!-~])?)?")
_PORTS = {"http": 80, "https": 443}


@dataclass(frozen=True, kw_only=True)
class Limits:
    """Of one call, in seconds and bytes."""

    connect: float = 2.0
    call: float = 5.0
    answer_bytes: int = 64 * 1024


@dataclass(frozen=True, kw_only=True)
class Answer:
    """What a server answered. The body may echo numbers and codes: never print it."""

    status: int
    body: bytes = field(repr=False)
    date: str = ""  # the server's clock, as its header says

    @property
    def is_taken(self) -> bool:
        return 200 <= self.status < 300

    def json_object(self) -> dict[str, Any] | None:
        """The body when it is a JSON object, else None."""
        try:
            value = json.loads(self.body)
        except (ValueError, RecursionError):
            return None
        return value if isinstance(value, dict) else None


class AnswerLost(Exception):
    """The request went out, and no answer to trust came back."""


class HttpClient:
    """Thread-safe. One for the process is enough: see `shared`."""

    def __init__(self, limits: Limits | None = None) -> None:
        self._limits = limits or Limits()
        self._pool = Pool(connect_seconds=self._limits.connect)

    def post(
        self, url: str, *, content: bytes, headers: Mapping[str, str], until: float = math.inf
    ) -> Answer:
        """Post once, and have done by `until` (of time.monotonic) where that is earlier than the limit of a call.

        Raises AnswerLost and CallFailed; see the module's text.
        """
        return self._bounded("POST", url, content, headers, until)

    @property
    def call_seconds(self) -> float:
        """What a call may take as a whole."""
        return self._limits.call

    def get(self, url: str, *, headers: Mapping[str, str]) -> Answer:
        """Ask once, for what no login waits for. Raises as `post` does."""
        return self._bounded("GET", url, b"", headers)

    def _bounded(
        self, method: str, url: str, content: bytes, headers: Mapping[str, str], until: float = math.inf
    ) -> Answer:
        until = min(time.monotonic() + self._limits.call, until)
        outgoing.check_url(url)
        origin, host, path = _parts(url)
        return self.exchange(origin, _request(method, path, host, headers, content), until)

    def close(self) -> None:
        self._pool.close()

    def exchange(self, origin: Origin, request: bytes, until: float) -> Answer:
        """Write `request`, bytes that are final, once, and read what comes. Traces stand here, and respx in tests."""
        connection = self._connection(origin, until)
        is_reusable = False
        try:
            is_written = connection.send(request)
            got = answers.read(connection, self._limits.answer_bytes)
            is_reusable = is_written and got.is_over
        except (OSError, HTTPException) as error:
            raise AnswerLost(type(error).__name__) from error
        finally:
            self._pool.give_back(connection, is_reusable=is_reusable)
        return Answer(status=got.status, body=got.body, date=got.date)

    def _connection(self, origin: Origin, until: float) -> Connection:
        try:
            return self._pool.take(origin, until)
        except OSError as error:
            raise CallFailed(CallProblem.UNREACHABLE, detail=_why(error)) from error
        except ValueError as error:  # a label of the host that is too long
            raise CallFailed(CallProblem.UNUSABLE, detail=type(error).__name__) from error


def _why(error: OSError) -> str:
    """The kind of a failure to connect; of a certificate that is not valid, what is wrong with it."""
    if isinstance(error, SSLCertVerificationError):
        return f"certificate: {error.verify_message}"
    return type(error).__name__


# What is asked ------------------------------------------------------------------------------------


@lru_cache(maxsize=1024)
def _parts(url: str) -> tuple[Origin, str, str]:
    """Of a URL that core.outgoing has judged: whom to connect to, what `Host` says, and what is asked for."""
    parts = urlsplit(url)
    host, port = parts.hostname or "", _PORTS[parts.scheme]
    named = f"[{host}]" if ":" in host else host
    if parts.port and parts.port != port:
        port = parts.port
        named = f"{named}:{port}"
    target = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    return Origin(parts.scheme, host, port), named, target


def _request(method: str, target: str, host: str, headers: Mapping[str, str], content: bytes) -> bytes:
    """The bytes of a request. Raises CallFailed for a header that would be read as something else."""
    lines = [f"{method} {target} HTTP/1.1", f"Host: {host}", "Connection: keep-alive"]
    if content or method == "POST":
        lines.append(f"Content-Length: {len(content)}")
    given = {name.lower() for name in headers}
    lines += [f"{name}: {value}" for name, value in _HEADERS.items() if name.lower() not in given]
    for name, value in headers.items():
        if not _NAME.fullmatch(name) or not _VALUE.fullmatch(value) or name.lower() in _OURS:
            raise CallFailed(CallProblem.UNUSABLE, detail="a header that cannot be sent")
        lines.append(f"{name}: {value}")
    return "\r\n".join([*lines, "", ""]).encode("ascii") + content


@cache
def shared() -> HttpClient:
    """The client of this process."""
    return HttpClient()


@cache
def lists() -> HttpClient:
    """The client of this process for long lists, which are read in the background."""
    return HttpClient(Limits(call=10.0, answer_bytes=8 * 1024 * 1024))


for _client in (shared, lists):
    os.register_at_fork(after_in_child=_client.cache_clear)  # two processes on one TLS connection garble both
