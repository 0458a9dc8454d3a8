"""One request to another server: pooled, bounded in time and size, never redirected, never repeated.

What can come of it:

    Answer       the server answered; its body is at most 64 KiB (of `lists`: 8 MiB), cut off beyond
    AnswerLost   the request may have been acted upon, the answer did not come: never repeat it
    CallFailed   nothing reached the other side (core.errors)

httpx limits each phase of a call, and each read of a phase; a server that drips bytes would hold a worker for ever.
So the sockets themselves look at one deadline for the whole call. Only looking up a host name is left to the system,
and a connection is made to the very addresses that were looked up and found permitted.
"""

import json
import math
import os
import socket
import time
from collections.abc import Iterable, Mapping
from contextlib import suppress
from contextvars import ContextVar
from dataclasses import dataclass, field
from functools import cache
from http.cookiejar import CookieJar, DefaultCookiePolicy
from ssl import SSLCertVerificationError, SSLContext
from typing import Any

import httpcore
import httpx

from core import outgoing
from core.errors import CallFailed, CallProblem

_MAX_CONNECTIONS = 100
_KEEP_ALIVE_SECONDS = 15  # well below any server's own: a connection that it closes under us costs an answer
_HEADERS = {
    "Accept": "application/json",
    "Accept-Encoding": "identity",  # nothing to inflate
    "User-Agent": "authsvc",
}
_deadline: ContextVar[float] = ContextVar("deadline", default=math.inf)


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
        call, connect = self._limits.call, self._limits.connect
        self._client = httpx.Client(
            transport=_Transport(),
            timeout=httpx.Timeout(call, connect=connect, pool=connect),
            follow_redirects=False,
            trust_env=False,
            headers=_HEADERS,
            cookies=CookieJar(DefaultCookiePolicy(allowed_domains=[])),  # senders must not share any state
        )

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
        outgoing.check_url(url)
        token = _deadline.set(min(time.monotonic() + self._limits.call, until))
        try:
            return self._request(method, url, content, headers)
        except (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout) as error:
            raise CallFailed(CallProblem.UNREACHABLE, detail=_why(error)) from error
        except (httpx.InvalidURL, httpx.UnsupportedProtocol, httpx.LocalProtocolError, UnicodeError) as error:
            # A line break in a token, a URL without a host: never written.
            raise CallFailed(CallProblem.UNUSABLE, detail=type(error).__name__) from error
        except httpx.TransportError as error:
            raise AnswerLost(type(error).__name__) from error
        finally:
            _deadline.reset(token)

    def close(self) -> None:
        self._client.close()

    def _request(self, method: str, url: str, content: bytes, headers: Mapping[str, str]) -> Answer:
        with self._client.stream(method, url, content=content, headers=dict(headers)) as response:
            body = bytearray()
            # The status is known and says most; a body that breaks off is as good as one that is not JSON.
            with suppress(httpx.TransportError):
                for chunk in response.iter_raw():
                    body += chunk
                    if len(body) > self._limits.answer_bytes:
                        break
            return Answer(
                status=response.status_code,
                body=bytes(body[: self._limits.answer_bytes]),
                date=response.headers.get("Date", ""),
            )


def _why(error: Exception) -> str:
    """The kind of a failure to connect; of a certificate that is not valid, what is wrong with it."""
    cause: BaseException | None = error
    while cause is not None:
        if isinstance(cause, SSLCertVerificationError):
            return f"certificate: {cause.verify_message}"
        cause = cause.__cause__ or cause.__context__
    return type(error).__name__


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


def _left(timeout: float | None, error: type[Exception]) -> float:
    """What a phase may still take. Raises `error` when the whole call's time is used up."""
    left = min(math.inf if timeout is None else timeout, _deadline.get() - time.monotonic())
    if left <= 0:
        raise error("the call's time is used up")
    return left if left < math.inf else 60.0


class _Transport(httpx.HTTPTransport):
    """httpx's own, over sockets that know the deadline."""

    def __init__(self) -> None:
        context = httpx.create_ssl_context()
        super().__init__(verify=context)
        self._pool = httpcore.ConnectionPool(
            ssl_context=context,
            max_connections=_MAX_CONNECTIONS,
            max_keepalive_connections=_MAX_CONNECTIONS,
            keepalive_expiry=_KEEP_ALIVE_SECONDS,
            network_backend=_Network(),
        )


class _Network(httpcore.SyncBackend):
    def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[httpcore.SOCKET_OPTION] | None = None,
    ) -> httpcore.NetworkStream:
        """Try the host's addresses, all of them together within `timeout`; the system would give it to each."""
        until = time.monotonic() + _left(timeout, httpcore.ConnectTimeout)
        addresses = outgoing.permitted(host, port, _addresses(host, port))
        for number, address in enumerate(addresses, 1):
            left = max(until - time.monotonic(), 0.001)
            is_last = number == len(addresses)
            try:
                stream = super().connect_tcp(
                    address, port, left if is_last else left / 2, local_address, socket_options
                )
            except (httpcore.ConnectError, httpcore.ConnectTimeout):
                if is_last or time.monotonic() >= until:
                    raise
            else:
                return _Stream(stream)
        raise httpcore.ConnectError("the host has no address")


def _addresses(host: str, port: int) -> list[str]:
    try:
        entries = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except OSError as error:
        raise httpcore.ConnectError("the host name cannot be looked up") from error
    return list(dict.fromkeys(str(item[4][0]) for item in entries))


class _Stream(httpcore.NetworkStream):
    """A connection whose every wait ends at the deadline of the call that waits."""

    def __init__(self, stream: httpcore.NetworkStream) -> None:
        self._stream = stream

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        return self._stream.read(max_bytes, _left(timeout, httpcore.ReadTimeout))

    def write(self, buffer: bytes, timeout: float | None = None) -> None:
        self._stream.write(buffer, _left(timeout, httpcore.WriteTimeout))

    def close(self) -> None:
        self._stream.close()

    def start_tls(
        self, ssl_context: SSLContext, server_hostname: str | None = None, timeout: float | None = None
    ) -> httpcore.NetworkStream:
        left = _left(timeout, httpcore.ConnectTimeout)
        return _Stream(self._stream.start_tls(ssl_context, server_hostname, left))

    def get_extra_info(self, info: str) -> Any:  # noqa: ANN401 # httpcore's signature
        return self._stream.get_extra_info(info)
