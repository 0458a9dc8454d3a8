"""Answers as servers write them, well, badly and with intent: what is read of them, and what becomes of the
connection. D11, S4."""

import itertools
import socket
import threading
import time
from collections.abc import Callable
from contextlib import suppress

import h11
import pytest
from hypothesis import given
from hypothesis import strategies as st

from core import http as subject
from core.connections import Connection, Origin
from tests.core.calls import LATE, post
from tests.core.wire import QUICK, Act, Wire, answer, serving

ONE = b'{"n": 1}'


def sending(*parts: bytes) -> Act:
    """Sends the parts and leaves the connection open."""
    return lambda wire: wire.send(b"".join(parts))


def closing(*parts: bytes) -> Act:
    def act(wire: Wire) -> None:
        wire.send(b"".join(parts))
        wire.close()

    return act


def head(*lines: str, status: str = "200 OK", version: str = "1.1") -> bytes:
    return "\r\n".join([f"HTTP/{version} {status}", *lines, "", ""]).encode("latin-1")


def chunks(*parts: bytes, end: bytes = b"0\r\n\r\n") -> bytes:
    return b"".join(b"%x\r\n%s\r\n" % (len(part), part) for part in parts) + end


CHUNKED = "Transfer-Encoding: chunked"

# What is read, and whether the connection is kept.
READ: dict[str, tuple[Act, tuple[int, bytes], bool]] = {
    "length": (sending(head("Content-Length: 8"), ONE), (200, ONE), True),
    "no body": (sending(head("Content-Length: 0")), (200, b""), True),
    "length, said twice": (sending(head(*["Content-Length: 8"] * 2), ONE), (200, ONE), True),
    "length, twice in one": (sending(head("Content-Length: 8, 8"), ONE), (200, ONE), True),
    "a header that goes on": (sending(head("X: y\r\n\tz", "Content-Length:\r\n 8"), ONE), (200, ONE), True),
    "bare line feeds": (sending(b"HTTP/1.1 200 OK\nContent-Length: 8\n\n", ONE), (200, ONE), True),
    "hundreds of headers": (
        sending(head(*(f"X-{n}: y" for n in range(500)), "Content-Length: 8"), ONE), (200, ONE), True,
    ),
    "chunked": (sending(head(CHUNKED), chunks(ONE[:3], ONE[3:])), (200, ONE), True),
    "chunked, in capitals": (sending(head("transfer-encoding: Chunked"), chunks(ONE)), (200, ONE), True),
    "chunked, extension": (sending(head(CHUNKED), b'8;a="b"\r\n', ONE, b"\r\n0\r\n\r\n"), (200, ONE), True),
    "chunked, trailers": (sending(head(CHUNKED), chunks(ONE, end=b"0\r\nX: y\r\n\r\n")), (200, ONE), True),
    "until it closes": (closing(head(), ONE), (200, ONE), False),
    "says that it closes": (sending(head("Content-Length: 8", "Connection: close"), ONE), (200, ONE), False),
    "HTTP/1.0": (closing(head("Content-Length: 8", version="1.0"), ONE), (200, ONE), False),
    "HTTP/1.0, kept alive": (
        sending(head("Content-Length: 8", "Connection: keep-alive", version="1.0"), ONE), (200, ONE), False,
    ),
    "no reason phrase": (sending(b"HTTP/1.1 200\r\nContent-Length: 8\r\n\r\n", ONE), (200, ONE), True),
    "204": (sending(head(status="204 No Content")), (204, b""), True),
    "204 that says it is chunked": (sending(head(CHUNKED, status="204 No Content")), (204, b""), True),
    "304 with a length": (sending(head("Content-Length: 8", status="304 Not Modified")), (304, b""), True),
    "204 with a body": (sending(head("Content-Length: 8", status="204 No"), ONE), (204, b""), False),
    "interim answers": (
        sending(head(status="100 Continue"), head("Link: </x>", status="103 Early Hints"),
                head(status="102 Processing"), head("Content-Length: 8"), ONE), (200, ONE), True,
    ),
    "another protocol": (sending(head("Upgrade: x", status="101 Switching Protocols")), (101, b""), False),
    "length and chunked": (sending(head("Content-Length: 3", CHUNKED), chunks(ONE)), (200, ONE), False),
    "more than its length": (sending(head("Content-Length: 8"), ONE, b"HTTP/1.1 200 OK\r\n"), (200, ONE), False),
    "more than its chunks": (sending(head(CHUNKED), chunks(ONE), b"x"), (200, ONE), False),
    "less than its length": (closing(head("Content-Length: 9"), ONE), (200, ONE), False),
    "less than its chunks": (closing(head(CHUNKED), chunks(ONE, end=b"")), (200, ONE), False),
    "a chunk that is no number": (closing(head(CHUNKED), chunks(ONE, end=b"zz\r\n")), (200, ONE), False),
    "a chunk of less than nothing": (closing(head(CHUNKED), b"-8\r\n", ONE, b"\r\n"), (200, ONE + b"\r\n"), False),
    "a chunk size without end": (closing(head(CHUNKED), chunks(ONE, end=b"1" * 70_000)), (200, ONE), False),
    "a length without end": (closing(head("Content-Length: 999999999999999"), ONE), (200, ONE), False),
}  # fmt: skip

LOST: dict[str, Act] = {
    "nothing": closing(),
    "half a status": closing(b"HTTP/1."),
    "half a header": closing(b"HTTP/1.1 200 OK\r\nContent-Len"),
    "a status alone": closing(b"HTTP/1.1 200"),
    "headers without their end": closing(b"HTTP/1.1 200 OK\r\nX: y\r\n"),
    "only an interim answer": closing(head(status="100 Continue")),
    "another version": closing(head("Content-Length: 8", version="2.0"), ONE),
    "no number": closing(head("Content-Length: 8", status="OK"), ONE),
    "a number out of range": closing(head("Content-Length: 8", status="99"), ONE),
    "two lengths": sending(head("Content-Length: 8", "Content-Length: 3"), ONE),
    "two lengths in one": sending(head("Content-Length: 8, 3"), ONE),
    "a length with a sign": sending(head("Content-Length: +8"), ONE),
    "a length below zero": sending(head("Content-Length: -8"), ONE),
    "a length that is no number": sending(head("Content-Length: eight"), ONE),
    "a length of a thousand digits": sending(head("Content-Length: " + "9" * 1000), ONE),
    "another coding": sending(head("Transfer-Encoding: gzip"), ONE),
    "two codings": sending(head("Transfer-Encoding: gzip, chunked"), chunks(ONE)),
    "chunked twice": sending(head(CHUNKED, CHUNKED), chunks(ONE)),
    "a line without a colon": sending(head("no colon", "Content-Length: 8"), ONE),
    "a space before the colon": sending(head("Content-Length : 8"), ONE),
    "a header longer than 64 KiB": sending(head("X: " + "y" * 70_000)),
    "headers longer than 64 KiB": sending(head(*(f"X-{n}: {'y' * 1000}" for n in range(70)))),
    "an empty line first": sending(b"\r\n", head("Content-Length: 8"), ONE),
    "a line that goes on after nothing": sending(head(" X: y", "Content-Length: 8"), ONE),
    "a length that goes on": sending(head("Content-Length: 8\r\n 8"), ONE),
    "half a line break": sending(head("X: y\rContent-Length: 8"), ONE),
    "two halves of a line break": sending(head("X: y\r", "Content-Length: 8"), ONE),
    "a NUL": sending(head("X: \0", "Content-Length: 8"), ONE),
}


@pytest.mark.parametrize("name", READ)
def test_what_is_read_of_an_answer(name: str) -> None:
    """A connection is used again only when both sides know where the answer ended."""
    act, expected, is_kept = READ[name]
    client = subject.HttpClient()
    began = time.monotonic()
    with serving(act) as server:
        for _ in range(2):
            got = post(client, server.url)
            assert (got.status, got.body) == expected

        assert (server.connections, len(server.requests)) == (1 if is_kept else 2, 2)
    client.close()
    assert time.monotonic() - began < LATE  # nothing waited for the end of its time


@pytest.mark.parametrize("name", LOST)
def test_what_cannot_be_read_is_a_lost_answer(name: str) -> None:
    """D11: it was asked once, and the connection is not used again."""
    client = subject.HttpClient()
    began = time.monotonic()
    with serving(LOST[name]) as server:
        for number in (1, 2):
            with pytest.raises(subject.AnswerLost):
                post(client, server.url)

            assert (server.connections, len(server.requests)) == (number, number)
    client.close()
    assert time.monotonic() - began < LATE


# Without an end -----------------------------------------------------------------------------------


def flooding(beginning: bytes, piece: bytes) -> Act:
    """As fast as they are taken, until the caller hangs up."""

    def act(wire: Wire) -> None:
        wire.send(beginning)
        with suppress(OSError):
            while True:
                wire._connection.settimeout(2)
                wire._connection.sendall(piece)

    return act


@pytest.mark.parametrize(
    ("beginning", "piece"),
    [
        (b"", head(status="100 Continue") * 100),
        (b"", head(status="103 Early Hints") * 100),
        (head(CHUNKED) + b"0\r\n", b"X: y\r\n" * 1000),
    ],
    ids=["100", "103", "trailers"],
)
def test_what_never_ends_ends_with_the_call(
    beginning: bytes, piece: bytes, client: subject.HttpClient
) -> None:
    began = time.monotonic()
    with serving(flooding(beginning, piece)) as server:
        with suppress(subject.AnswerLost):
            assert post(client, server.url).status == 200  # of the trailers

        assert time.monotonic() - began < LATE
        assert len(server.requests) == 1


@pytest.mark.parametrize(
    ("beginning", "piece"),
    [(b"HTTP/1.1 200 OK\r\n", b"X: y\r\n"), (b"HTTP/1.1 200 OK\r\nX: ", b"y" * 1000), (b"", b"H" * 1000)],
    ids=["headers", "one header", "status"],
)
def test_headers_without_end_are_given_up_before_they_fill_the_memory(beginning: bytes, piece: bytes) -> None:
    client = subject.HttpClient(subject.Limits(connect=2, call=20))
    began = time.monotonic()
    with serving(flooding(beginning, piece)) as server, pytest.raises(subject.AnswerLost):
        post(client, server.url)

    client.close()
    assert time.monotonic() - began < LATE


_LONG = 60_000


@pytest.mark.parametrize(
    "lines",
    [
        [f'Content-Type: multipart/x; a="{";" * _LONG}'],
        [f'Content-Type: multipart/x; a="{";\r\n " * (_LONG // 4)}'],
        [f"X: {' ' * _LONG}y"],
        ["X: y" + "\r\n z" * (_LONG // 4)],
        ["X:"] * (_LONG // 4),
        [f"{number:x}:" for number in range(_LONG // 7)],
        ["Content-Length: " + "8," * (_LONG // 2)],
        ["Connection: " + "clos," * (_LONG // 5)],
        ["Content-Length: " + "9" * _LONG],
        ["X: " + "\r" * _LONG],
    ],
    ids=[
        "quotes",
        "folded quotes",
        "spaces",
        "folds",
        "repeated",
        "names",
        "lengths",
        "tokens",
        "digits",
        "returns",
    ],
)
def test_no_header_takes_long_to_read(lines: list[str]) -> None:
    """A deadline ends waiting, not thinking: the parser of e-mail takes seconds for some of these."""

    def act(server: socket.socket) -> None:
        server.recv(1000)
        server.sendall(head(*lines, "Connection: close") + ONE)
        server.shutdown(socket.SHUT_WR)

    began = time.thread_time()
    with suppress(subject.AnswerLost):
        over_a_pair(act)
    assert time.thread_time() - began < 0.3


def test_dripped_interim_answers_end_with_the_call(client: subject.HttpClient) -> None:
    began = time.monotonic()
    with serving(lambda wire: wire.drip(head(status="103 Early Hints") * 50)) as server:
        with pytest.raises(subject.AnswerLost):
            post(client, server.url)

        assert time.monotonic() - began < LATE


@pytest.mark.parametrize("framing", ["Content-Length: 300000", CHUNKED, "X: until it closes"])
def test_a_long_body_is_cut_and_its_connection_closed(framing: str, client: subject.HttpClient) -> None:
    long = b"[" * 300_000
    body = chunks(long) if framing == CHUNKED else long
    with serving(closing(head(framing), body)) as server:
        for number in (1, 2):
            assert post(client, server.url).body == long[: QUICK.answer_bytes]
            assert server.connections == number


@pytest.mark.parametrize("more", [-1, 0, 1])
def test_around_the_longest_body(more: int, client: subject.HttpClient) -> None:
    """All of it was read, so the connection goes on, even where the last byte is not handed on."""
    body = b"x" * (QUICK.answer_bytes + more)
    with serving(sending(answer(200, body))) as server:
        for _ in range(2):
            assert post(client, server.url).body == body[: QUICK.answer_bytes]

        assert server.connections == 1


# A request that is not read -----------------------------------------------------------------------


def over_a_pair(act: Callable[[socket.socket], None], size: int = 8) -> subject.Answer:
    """One call on a connection whose other end is `act`'s."""
    ours, theirs = socket.socketpair()
    client = subject.HttpClient(QUICK)
    pool = client._pool
    pool._turns.acquire()
    connection = Connection(Origin("http", "pair.example", 80), ours)
    connection.begin(time.monotonic() + QUICK.call)
    pool.take = lambda origin, until: connection  # type: ignore[method-assign]
    thread = threading.Thread(target=act, args=(theirs,))
    thread.start()
    try:
        return client.post("http://pair.example/", content=b"x" * size, headers={})
    finally:
        thread.join()
        theirs.close()
        client.close()
        ours.close()


def test_an_answer_before_the_request_was_read_counts() -> None:
    """A server may refuse a body that it does not want to read, and hang up."""

    def refuse(server: socket.socket) -> None:
        server.recv(1000)
        server.sendall(head("Content-Length: 0", status="413 Content Too Large"))
        server.shutdown(socket.SHUT_RDWR)

    assert over_a_pair(refuse, size=5_000_000).status == 413


def test_a_connection_on_which_half_a_request_was_written_is_not_used_again() -> None:
    ours, theirs = socket.socketpair()
    connection = Connection(Origin("http", "pair.example", 80), ours)
    connection.begin(time.monotonic() + 0.1)
    try:
        assert connection.send(b"x" * 5_000_000) is False
    finally:
        theirs.close()
        connection.close()


def test_a_request_that_is_read_slowly_ends_with_the_call() -> None:
    def sip(server: socket.socket) -> None:
        until = time.monotonic() + 2 * QUICK.call
        while time.monotonic() < until and server.recv(1000):
            time.sleep(0.01)

    began = time.monotonic()
    with pytest.raises(subject.AnswerLost):
        over_a_pair(sip, size=5_000_000)

    assert time.monotonic() - began < LATE


# Compared with another reader ---------------------------------------------------------------------

_FRAMING = ["Content-Length: 8", "Content-Length: 0", "Content-Length: x", CHUNKED, "Transfer-Encoding: gzip"]
_OTHER = ["Connection: close", "X: y\r\n z", "Content-Length: 8, 8", "Content-Length:8 ", "Transfer-Encoding:  Chunked ", "Connection: keep-alive", "Date: Thu, 26 Nov 2026 18:00:00 GMT", "X:", "X:  y ", "bad line",
          "bad : space", "Content-Type: multipart/mixed", "Content-Type: message/rfc822"]  # fmt: skip
_STATUS = ["100 Continue", "103 Early Hints", "200 OK", "204 No Content", "304 Not Modified", "404 Not Found", "500", "99 x", "2xx x"]  # fmt: skip
_BODIES = [b"", ONE, ONE + b"more", chunks(ONE), chunks(ONE[:2], ONE[2:]), chunks(ONE, end=b"")]


@st.composite
def answers(draw: st.DrawFn) -> bytes:
    interim = draw(st.lists(st.sampled_from(_STATUS[:2]), max_size=2))
    lines = draw(st.lists(st.sampled_from(_FRAMING), max_size=2)) + draw(
        st.lists(st.sampled_from(_OTHER), max_size=2)
    )
    final = head(*draw(st.permutations(lines)), status=draw(st.sampled_from(_STATUS)))
    whole = b"".join(head(status=status) for status in interim) + final + draw(st.sampled_from(_BODIES))
    return whole[: draw(st.integers(0, len(whole)))] if draw(st.booleans()) else whole


def read_by_h11(data: bytes) -> tuple[int, bytes] | None:
    """What httpx read of it: status and body, or nothing."""
    reader = h11.Connection(h11.CLIENT)
    reader.send(h11.Request(method="POST", target="/", headers=[("Host", "x"), ("Content-Length", "0")]))
    reader.send(h11.EndOfMessage())
    reader.receive_data(data)
    status, body = 0, b""
    is_over = False
    for _ in itertools.count():
        try:
            event = reader.next_event()
        except h11.RemoteProtocolError:
            break
        if event is h11.NEED_DATA and not is_over:
            reader.receive_data(b"")
            is_over = True
        elif isinstance(event, h11.Response):
            status = event.status_code
        elif isinstance(event, h11.Data):
            body += event.data
        elif not isinstance(event, h11.InformationalResponse):
            break
    return (status, body) if status else None


@given(data=answers())
def test_two_readers_agree(data: bytes) -> None:
    """The parser of httpx, which was here before, says the same of anything that a server may write."""

    def act(server: socket.socket) -> None:
        server.recv(1000)
        server.sendall(data)
        server.shutdown(socket.SHUT_WR)

    try:
        answered = over_a_pair(act)
        got: tuple[int, bytes] | None = (answered.status, answered.body)
    except subject.AnswerLost:
        got = None

    assert got == read_by_h11(data)


@given(data=st.binary(max_size=200), is_answer=st.booleans())
def test_any_bytes_are_an_answer_or_a_lost_one(data: bytes, is_answer: bool) -> None:
    def act(server: socket.socket) -> None:
        server.recv(1000)
        server.sendall((b"HTTP/1.1 200 OK\r\n" if is_answer else b"") + data)
        server.shutdown(socket.SHUT_WR)

    with suppress(subject.AnswerLost):
        assert over_a_pair(act).status >= 100
