"""A loopback server that misbehaves on the socket as real ones do, and the answers it gives."""

import json
import re
import socket
import ssl
import struct
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress

from core import http

# Short enough for tests that wait for them, long enough for a busy machine to answer in time.
QUICK = http.Limits(connect=0.3, call=0.4)


class Wire:
    """One connection, after a whole request has come in."""

    def __init__(self, connection: socket.socket, over: threading.Event) -> None:
        self._connection = connection
        self._over = over

    def send(self, data: bytes) -> None:
        with suppress(OSError):
            self._connection.sendall(data)

    def close(self) -> None:
        with suppress(OSError):
            self._connection.shutdown(socket.SHUT_RDWR)
        self._connection.close()

    def reset(self) -> None:
        self._connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self._connection.close()

    def drip(self, data: bytes) -> None:
        """One byte at a time, more often than any limit on a single read."""
        for position in range(len(data)):
            self.send(data[position : position + 1])
            if self._over.wait(0.05):
                return

    def hang(self) -> None:
        self._over.wait(10)


type Act = Callable[[Wire], None]


class Server:
    """Reads whole requests, keeps them, and lets `act` do the rest."""

    def __init__(self, act: Act, tls: ssl.SSLContext | None = None, host: str = "127.0.0.1") -> None:
        self.requests: list[bytes] = []
        self.connections = 0
        self._act = act
        self._tls = tls
        self._over = threading.Event()
        self._host = f"[{host}]" if ":" in host else host
        family = socket.AF_INET6 if ":" in host else socket.AF_INET
        self._listener = socket.create_server((host, 0), family=family)
        self._threads = [threading.Thread(target=self._accept, daemon=True)]
        self._threads[0].start()

    @property
    def url(self) -> str:
        return f"http{'s' if self._tls else ''}://{self._host}:{self._listener.getsockname()[1]}"

    def close(self) -> None:
        self._over.set()
        with suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        for thread in self._threads:
            thread.join(timeout=5)

    def _accept(self) -> None:
        while not self._over.is_set():
            try:
                connection, _ = self._listener.accept()
            except OSError:
                return
            self.connections += 1
            thread = threading.Thread(target=self._serve, args=(connection,), daemon=True)
            self._threads.append(thread)
            thread.start()

    def _serve(self, connection: socket.socket) -> None:
        connection.settimeout(2)
        if self._tls:
            try:
                connection = self._tls.wrap_socket(connection, server_side=True)
            except OSError:  # the caller does not trust us
                connection.close()
                return
        connection.settimeout(0.05)
        with connection:
            while (request := self._read(connection)) is not None:
                self.requests.append(request)
                self._act(Wire(connection, self._over))

    def _read(self, connection: socket.socket) -> bytes | None:
        data = b""
        while not self._over.is_set():
            head, separator, body = data.partition(b"\r\n\r\n")
            length = re.search(rb"(?i)content-length: (\d+)", head)
            if separator and len(body) >= (int(length[1]) if length else 0):
                return data
            try:
                received = connection.recv(65536)
            except TimeoutError:
                continue
            except OSError:
                return None
            if not received:
                return None
            data += received
        return None


@contextmanager
def serving(act: Act, tls: ssl.SSLContext | None = None, host: str = "127.0.0.1") -> Iterator[Server]:
    server = Server(act, tls, host)
    try:
        yield server
    finally:
        server.close()


def answer(status: int, body: object = b"", *, headers: str = "") -> bytes:
    raw = body if isinstance(body, bytes) else json.dumps(body).encode()
    head = f"HTTP/1.1 {status} Status\r\nContent-Length: {len(raw)}\r\n{headers}\r\n"
    return head.encode() + raw


def answering(status: int, body: object = b"", *, headers: str = "") -> Act:
    return lambda wire: wire.send(answer(status, body, headers=headers))


def half_answer(wire: Wire) -> None:
    """Status and half a JSON body, then the end of the connection."""
    wire.send(b'HTTP/1.1 200 OK\r\nContent-Length: 500\r\n\r\n{"messages": [{"id": "wam')
    wire.close()


def closed_port() -> int:
    """A port of this machine on which nobody listens."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port: int = listener.getsockname()[1]
    return port
