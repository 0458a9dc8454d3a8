"""Servers that speak Redis's protocol and misbehave when a test wants it: late, broken off, demoted, gone."""

import socket
import ssl
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress

from django.conf import LazySettings
from hiredis import Reader

from core.redis import redis_client
from core.redis_client import Client

type Answer = Callable[[list[bytes]], bytes]

_HELLO = b"%1\r\n$5\r\nproto\r\n:3\r\n"
_OK = b"+OK\r\n"
_GREETINGS = {b"HELLO": _HELLO, b"PING": b"+PONG\r\n", b"CLIENT": _OK, b"AUTH": _OK, b"SELECT": _OK}


class Closed(Exception):
    """Raised by an answer: the connection ends instead, after `said`."""

    def __init__(self, said: bytes = b"") -> None:
        super().__init__()
        self.said = said


def echo(command: list[bytes]) -> bytes:
    return bulk(command[-1])


def bulk(text: bytes) -> bytes:
    return b"$%d\r\n%b\r\n" % (len(text), text)


class FakeRedis:
    """Greets as Redis does and lets `answer` do the rest. `commands`: with the number of their connection."""

    def __init__(self, address: str = "", tls: ssl.SSLContext | None = None) -> None:
        self.answer: Answer = echo
        self.greetings: list[list[bytes]] = []
        self.commands: list[tuple[int, list[bytes]]] = []
        self._address, self._tls = address, tls
        self._lock = threading.Lock()
        self._open: list[socket.socket] = []
        self._count = 0
        self.port = 0
        self.listen()

    def listen(self) -> None:
        if self._address:
            self._listener = socket.socket(socket.AF_UNIX)
            self._listener.bind(self._address)
            self._listener.listen()
        else:
            self._listener = socket.create_server(("127.0.0.1", self.port))
            self.port = self._listener.getsockname()[1]
        threading.Thread(target=self._accept, args=(self._listener,), daemon=True).start()

    def stop(self) -> None:
        with suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        self.hang_up()

    def hang_up(self) -> None:
        """Close every connection, as a timeout for idle ones does."""
        with self._lock:
            ended, self._open = self._open, []
        for connection in ended:
            with suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)

    def restart(self) -> None:
        self.stop()
        self.listen()

    def _accept(self, listener: socket.socket) -> None:
        while True:
            try:
                connection, _ = listener.accept()
                if self._tls:
                    connection = self._tls.wrap_socket(connection, server_side=True)
            except OSError:
                return
            with self._lock:
                self._open.append(connection)
                self._count += 1
                number = self._count
            threading.Thread(target=self._serve, args=(connection, number), daemon=True).start()

    def _serve(self, connection: socket.socket, number: int) -> None:
        reader = Reader(notEnoughData=Closed)
        with connection, suppress(OSError):
            while data := connection.recv(65536):
                reader.feed(data)
                while (command := reader.gets()) is not Closed:
                    try:
                        reply = self._reply(command, number)
                    except Closed as closed:
                        connection.sendall(closed.said)
                        connection.shutdown(socket.SHUT_RDWR)
                        return
                    connection.sendall(reply)

    def _reply(self, command: list[bytes], number: int) -> bytes:
        if command[0] in _GREETINGS:
            self.greetings.append(command)
            return _GREETINGS[command[0]]
        self.commands.append((number, command))
        return self.answer(command)


@contextmanager
def fake_redis(address: str = "", tls: ssl.SSLContext | None = None) -> Iterator[FakeRedis]:
    server = FakeRedis(address, tls)
    try:
        yield server
    finally:
        server.stop()


def sentinel_of(master: Callable[[], FakeRedis]) -> Answer:
    """What a sentinel answers while `master()` is the master of `main`."""

    def answer(command: list[bytes]) -> bytes:
        assert command == [b"SENTINEL", b"MASTERS"]
        state = ["name", "main", "ip", "127.0.0.1", "port", str(master().port), "flags", "master"]
        state += ["num-other-sentinels", "0"]
        texts = b"".join(bulk(text.encode()) for text in state)
        return b"*1\r\n%%%d\r\n%b" % (len(state) // 2, texts)

    return answer


def connected(settings: LazySettings, url: str) -> Client:
    """As the service makes it."""
    settings.REDIS_URL = url
    client = redis_client()
    assert client is not None
    return client


def sent(server: FakeRedis) -> list[bytes]:
    return [b" ".join(command) for _, command in server.commands]


def late(text: bytes, seconds: float) -> Callable[[list[bytes]], bytes]:
    def answer(command: list[bytes]) -> bytes:
        if command[-1] == text:
            time.sleep(seconds)
        return echo(command)

    return answer


def breaking(*, said: bytes = b"", on: bytes = b"break") -> Callable[[list[bytes]], bytes]:
    def answer(command: list[bytes]) -> bytes:
        if command[-1] == on:
            raise Closed(said)
        return echo(command)

    return answer
