"""Requests as granian announces them, played by hand: the tests decide when a body arrives."""

import threading
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any


@dataclass
class Headers:
    pairs: list[tuple[str, str]]

    def items(self) -> list[tuple[str, str]]:
        return self.pairs

    def get_all(self, name: str) -> list[str]:
        return [value for key, value in self.pairs if key == name]

    def get(self, name: str, default: str | None = None) -> str | None:
        return next(iter(self.get_all(name)), default)

    def __contains__(self, name: str) -> bool:
        return bool(self.get_all(name))


@dataclass
class Scope:
    path: str = "/login/"
    method: str = "GET"
    pairs: list[tuple[str, str]] = field(default_factory=lambda: [("host", "login.example")])
    query_string: str = ""
    authority: str | None = None
    http_version: str = "1.1"
    server: str = "127.0.0.1:8000"
    client: str = "192.0.2.7:51234"
    scheme: str = "http"

    @property
    def headers(self) -> Headers:
        return Headers(self.pairs)


class Arriving:
    """A body or a chunk of it that has yet to come."""

    def __init__(self) -> None:
        self.callbacks: list[Callable[[Arriving], None]] = []
        self.content: bytes | Exception | None = None
        self.is_cancelled = False

    def add_done_callback(self, callback: Callable[["Arriving"], None]) -> None:
        self.callbacks.append(callback)

    def arrive(self, content: bytes | Exception) -> None:
        self.content = content
        for callback in self.callbacks:
            callback(self)

    def cancel(self) -> bool:
        self.is_cancelled = True
        self.arrive(RuntimeError("cancelled"))
        return True

    def result(self) -> bytes:
        if isinstance(self.content, bytes):
            return self.content
        raise self.content or RuntimeError("not here yet")


class Exchange:
    """Keeps the one answer; `arriving` are the reads that were asked for."""

    def __init__(self) -> None:
        self.arriving: list[Arriving] = []
        self.status: int | None = None
        self.fields: list[tuple[str, str]] = []
        self.body = b""
        self.answers = 0
        self.answered = threading.Event()

    def __call__(self) -> Arriving:
        self.arriving.append(Arriving())
        return self.arriving[-1]

    def __aiter__(self) -> "Exchange":
        return self

    def __anext__(self) -> Arriving:
        return self()

    def response_bytes(self, status: int, headers: list[tuple[str, str]], body: bytes) -> None:
        self.answers += 1
        if self.answers == 1:
            self.status, self.fields, self.body = status, headers, body
        self.answered.set()

    def response_stream(self, status: int, headers: list[tuple[str, str]]) -> "Exchange":
        self.response_bytes(status, headers, b"")
        return self

    def send_bytes(self, chunk: bytes) -> None:
        self.body += chunk


class Request:
    def __init__(self, scope: Scope) -> None:
        self.scope = scope
        self.proto = Exchange()

    @property
    def answer(self) -> tuple[int | None, bytes]:
        """Waits for it."""
        assert self.proto.answered.wait(5), "not answered"
        return self.proto.status, self.proto.body


def post(path: str, *, length: int | None = None, **headers: str) -> Request:
    """A POST whose body is still to come; chunked when `length` is not given."""
    framing = ("transfer-encoding", "chunked") if length is None else ("content-length", str(length))
    pairs = [
        ("host", "login.example"),
        framing,
        *((key.replace("_", "-"), value) for key, value in headers.items()),
    ]
    return Request(Scope(path=path, method="POST", pairs=pairs))


class Chunks:
    """What an application returns."""

    def __init__(self, chunks: Iterable[bytes], *, streaming: bool = False) -> None:
        self.chunks = list(chunks)
        self.streaming = streaming
        self.is_closed = False

    def __iter__(self) -> Any:
        return iter(self.chunks)

    def close(self) -> None:
        self.is_closed = True
