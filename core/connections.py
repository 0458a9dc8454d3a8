"""Connections to other servers: one client's pool of them, and the deadline that ends every wait on one.

A server that drips bytes makes each read quick and the whole call endless, so the limit is a moment, not a length.
A connection is made to the very addresses that were looked up and found permitted (core.outgoing). Only looking up
a host name is left to the system.
"""

import io
import math
import os
import select
import socket
import ssl
import threading
import time
from contextlib import suppress
from functools import cache
from typing import TYPE_CHECKING, NamedTuple

import certifi

from core import outgoing

if TYPE_CHECKING:
    from _typeshed import WriteableBuffer

_MOST = 100  # calls at once, and connections kept
_KEPT_SECONDS = 15  # well below any server's own: a connection that it closes under us costs an answer


class Origin(NamedTuple):
    """Whom a connection is with."""

    scheme: str
    host: str
    port: int


class AllInUse(TimeoutError):
    """As many calls as are allowed are under way, and none ended in time."""


def seconds_left(until: float) -> float:
    """Raises TimeoutError once the moment `until` of time.monotonic has come."""
    left = until - time.monotonic()
    if left <= 0:
        raise TimeoutError("the call's time is used up")
    return left


class Connection:
    """One connection, for one call at a time; `http.client.HTTPResponse` reads from it as from a socket.

    Reads raise OSError when it fails, and TimeoutError when the moment `until` of the call has come.
    """

    def __init__(self, origin: Origin, sock: socket.socket) -> None:
        self.origin = origin
        self.idle_since = math.inf
        self._socket = sock
        self._waits = _Waits(sock)
        self._reader = _Reader(self._waits)

    def begin(self, until: float) -> None:
        """The next call takes over."""
        self._waits.until = until

    def send(self, data: bytes) -> bool:
        """Write as much of `data` as the server takes: it may answer, and hang up, before it has read all.

        Returns whether that was all. Raises nothing: what is wrong shows when the answer is read.
        """
        rest = memoryview(data)
        with suppress(OSError):
            while rest:
                self._socket.settimeout(seconds_left(self._waits.until))
                rest = rest[self._socket.send(rest) :]
        return not rest

    def makefile(self, _mode: str) -> io.BufferedReader:
        """What HTTPResponse reads from. The same one for every answer, or bytes that it holds would go unnoticed."""
        return self._reader

    def is_silent(self) -> bool:
        """Between two calls: whether neither the server's end of the connection has come nor bytes of no answer."""
        self._waits.until = -math.inf
        if self._reader.peek(1) or (isinstance(self._socket, ssl.SSLSocket) and self._socket.pending()):
            return False
        waiting = select.poll()
        waiting.register(self._socket, select.POLLIN)
        return not waiting.poll(0)

    def close(self) -> None:
        with suppress(OSError):
            self._socket.close()


class _Waits(io.RawIOBase):
    """Reads of a socket, each of which waits until `until`. At minus infinity nothing is to be waited for."""

    def __init__(self, sock: socket.socket) -> None:
        self.until = -math.inf
        self._socket = sock

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: "WriteableBuffer") -> int | None:
        if self.until == -math.inf:
            return None
        self._socket.settimeout(seconds_left(self.until))
        return self._socket.recv_into(buffer)

    def close(self) -> None:
        """See _Reader.close; and an answer that is thrown away still asks whether this is open."""


class _Reader(io.BufferedReader):
    def close(self) -> None:
        """An answer closes what it was read from when it is over; the connection goes on."""


class Pool:
    """Connections that wait for their next call. Thread-safe; not to be used by two processes."""

    def __init__(self, *, connect_seconds: float) -> None:
        self._connect_seconds = connect_seconds
        self._idle: list[Connection] = []  # the longest idle first
        self._lock = threading.Lock()
        self._turns = threading.BoundedSemaphore(_MOST)

    def take(self, origin: Origin, until: float) -> Connection:
        """A connection that is this call's until `give_back`: a kept one that is still good, or a new one.

        Raises OSError (AllInUse and TimeoutError among them) and core.outgoing.Refused; ValueError for a host
        that cannot be written. Nothing was sent then.
        """
        if not self._turns.acquire(timeout=min(self._connect_seconds, seconds_left(until))):
            raise AllInUse
        try:
            connection = self._kept(origin) or _connect(origin, self._connect_seconds, until)
        except BaseException:
            self._turns.release()
            raise
        connection.begin(until)
        return connection

    def give_back(self, connection: Connection, *, is_reusable: bool) -> None:
        try:
            if is_reusable and connection.is_silent():
                self._keep(connection)
            else:
                connection.close()
        finally:
            self._turns.release()

    def close(self) -> None:
        """Close what is idle."""
        with self._lock:
            idle, self._idle = self._idle, []
        _close(idle)

    def _kept(self, origin: Origin) -> Connection | None:
        while connection := self._youngest(origin):
            if connection.is_silent():
                return connection
            connection.close()
        return None

    def _youngest(self, origin: Origin) -> Connection | None:
        with self._lock:
            old = self._old(time.monotonic() - _KEPT_SECONDS)
            at = next((n for n in reversed(range(len(self._idle))) if self._idle[n].origin == origin), None)
            connection = None if at is None else self._idle.pop(at)
        _close(old)
        return connection

    def _keep(self, connection: Connection) -> None:
        connection.idle_since = time.monotonic()
        with self._lock:
            self._idle.append(connection)
            dropped = [self._idle.pop(0)] if len(self._idle) > _MOST else []
        _close(dropped)

    def _old(self, since: float) -> list[Connection]:
        number = next((n for n, item in enumerate(self._idle) if item.idle_since > since), len(self._idle))
        old, self._idle[:number] = self._idle[:number], []
        return old


def _close(connections: list[Connection]) -> None:
    for connection in connections:
        connection.close()


# Making one ---------------------------------------------------------------------------------------


def _connect(origin: Origin, limit: float, until: float) -> Connection:
    """The host is reached within `limit`, and once more as long is left for the handshake."""
    sock = _reach(origin.host, origin.port, min(time.monotonic() + limit, until))
    try:
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        if origin.scheme == "https":
            sock.settimeout(min(limit, seconds_left(until)))
            sock = _tls().wrap_socket(sock, server_hostname=origin.host)
    except BaseException:
        sock.close()
        raise
    return Connection(origin, sock)


def _reach(host: str, port: int, until: float) -> socket.socket:
    """Try the host's addresses, all of them together until `until`; the system would give the time to each."""
    addresses = outgoing.permitted(host, port, _addresses(host, port))
    for number, address in enumerate(addresses, 1):
        is_last = number == len(addresses)
        left = seconds_left(until)
        try:
            return socket.create_connection((address, port), left if is_last else left / 2)
        except OSError:
            if is_last or time.monotonic() >= until:
                raise
    raise OSError("the host has no address")


def _addresses(host: str, port: int) -> list[str]:
    entries = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return list(dict.fromkeys(str(item[4][0]) for item in entries))


def _tls() -> ssl.SSLContext:
    """What a server's certificate is checked with: Mozilla's authorities, or those that the environment names."""
    return _trusting(os.environ.get("SSL_CERT_FILE") or "", os.environ.get("SSL_CERT_DIR") or "")


@cache
def _trusting(file: str, folder: str) -> ssl.SSLContext:
    """Reading the authorities takes 40 ms of CPU, so each process does it once, with its first call over TLS."""
    if file or not folder:
        context = ssl.create_default_context(cafile=file or certifi.where())
    else:
        context = ssl.create_default_context(capath=folder)
    context.set_alpn_protocols(["http/1.1"])
    return context
