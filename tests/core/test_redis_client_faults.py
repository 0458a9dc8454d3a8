"""The short way of commands over servers that misbehave: nothing is taken for the reply to something else."""

import threading
import time
from collections.abc import Iterator
from typing import Any

import pytest
import redis
from django.conf import LazySettings
from redis.connection import Connection

from core.redis_client import Client
from tests.core.fake_redis import FakeRedis, breaking, bulk, connected, echo, fake_redis, late, sent
from tests.threads import at_once


@pytest.fixture
def server() -> Iterator[FakeRedis]:
    with fake_redis() as server:
        yield server


@pytest.fixture
def client(settings: LazySettings, server: FakeRedis) -> Iterator[Client]:
    client = connected(settings, f"redis://127.0.0.1:{server.port}/0")
    yield client
    client.close()


def test_a_late_reply_is_nobodys(client: Client, server: FakeRedis) -> None:
    """After a second, as the client is made; the command is sent once."""
    client.run("ECHO", "warm")
    server.answer = late(b"late", 3)
    began = time.monotonic()
    with pytest.raises(redis.TimeoutError):
        client.run("ECHO", "late")
    waited = time.monotonic() - began
    time.sleep(max(began + 3.2 - time.monotonic(), 0))  # it has come by now

    assert client.run("ECHO", "next") == b"next"
    assert 0.9 < waited < 3
    assert sent(server) == [b"ECHO warm", b"ECHO late", b"ECHO next"]
    assert [number for number, _ in server.commands] == [1, 1, 2]


@pytest.mark.parametrize("said", [b"", b"$100\r\nhalf"])
def test_a_connection_that_ends_instead_of_a_reply_is_an_error_and_nothing_is_sent_again(
    client: Client, server: FakeRedis, said: bytes
) -> None:
    """It may have been done: a limit would be charged twice."""
    server.answer = breaking(said=said)
    with pytest.raises(redis.ConnectionError):
        client.run("ECHO", "break")

    assert client.run("ECHO", "next") == b"next"
    assert sent(server) == [b"ECHO break", b"ECHO next"]


@pytest.mark.parametrize("way", ["run", "execute_command"])
def test_a_reply_too_many_is_nobodys(client: Client, server: FakeRedis, way: str) -> None:
    """In whichever way the connection was used, and is used next."""
    server.answer = lambda _command: bulk(b"mine") + bulk(b"another's")
    assert getattr(client, way)("ECHO", "mine") == b"mine"
    server.answer = echo
    time.sleep(0.05)  # it has come by now

    for _ in range(3):
        assert client.run("ECHO", "next") == b"next"
        assert client.echo("again") == b"again"


def test_who_was_interrupted_in_the_usual_way_leaves_no_reply(client: Client, server: FakeRedis) -> None:
    def interrupt(*_: object, **__: object) -> object:
        raise KeyboardInterrupt

    client.run("ECHO", "warm")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Connection, "read_response", interrupt)
        with pytest.raises(KeyboardInterrupt):
            client.echo("left behind")
    time.sleep(0.05)

    assert client.run("ECHO", "one") == b"one"
    assert client.echo("two") == b"two"
    assert client.run("ECHO", "three") == b"three"


def test_what_is_no_reply_ends_the_connection(client: Client, server: FakeRedis) -> None:
    server.answer = lambda _: b"?what\r\n" + bulk(b"more")
    with pytest.raises(redis.RedisError):
        client.run("ECHO", "a")
    server.answer = echo

    assert client.run("ECHO", "next") == b"next"
    assert [number for number, _ in server.commands] == [1, 2]


@pytest.mark.parametrize("interruption", [KeyboardInterrupt, SystemExit, MemoryError])
@pytest.mark.parametrize("where", ["send_packed_command", "read_response"])
def test_a_thread_that_is_interrupted_leaves_no_reply_behind(
    client: Client,
    server: FakeRedis,
    monkeypatch: pytest.MonkeyPatch,
    interruption: type[BaseException],
    where: str,
) -> None:
    client.run("ECHO", "warm")
    send = Connection.send_packed_command

    def interrupted(self: Connection, *arguments: Any, **options: Any) -> None:
        if where == "send_packed_command":
            send(self, *arguments, **options)  # type: ignore[no-untyped-call] # redis has it so
        raise interruption

    with monkeypatch.context() as patch:
        patch.setattr(Connection, where, interrupted)
        with pytest.raises(interruption):
            client.run("ECHO", "interrupted")

    assert client.run("ECHO", "next") == b"next"
    assert [number for number, _ in server.commands] == [1, 1, 2]
    assert client.connection_pool._created_connections == 1


def test_a_thread_that_is_interrupted_while_it_takes_a_connection_loses_none(
    client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    client.run("ECHO", "warm")

    def interrupted(self: Connection, *_: object) -> bool:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(Connection, "can_read", interrupted)
        with pytest.raises(KeyboardInterrupt):
            client.run("ECHO", "interrupted")

    assert client.run("ECHO", "next") == b"next"
    assert client.connection_pool._created_connections == 1


@pytest.mark.parametrize(
    ("reply", "error"),
    [
        (b"-LOADING Redis is loading\r\n", redis.exceptions.BusyLoadingError),
        (b"-NOAUTH Authentication required.\r\n", redis.AuthenticationError),
        (b"-READONLY You can't write\r\n", redis.exceptions.ReadOnlyError),
        (b"-OOM command not allowed\r\n", redis.exceptions.OutOfMemoryError),
        (b"-NOSCRIPT No matching script.\r\n", redis.exceptions.NoScriptError),
        (b"-ERR max number of clients reached\r\n", redis.ConnectionError),
        (b"-BUSY a script\r\n", redis.ResponseError),
    ],
)
def test_errors_of_a_server_are_those_of_the_usual_way_and_nothing_is_sent_again(
    client: Client, server: FakeRedis, reply: bytes, error: type[Exception]
) -> None:
    server.answer = lambda _: reply
    raised = list[tuple[type[Exception], str]]()
    for way in (client.run, client.execute_command):
        with pytest.raises(error) as found:
            way("ECHO", "a")
        raised.append((type(found.value), str(found.value)))
    server.answer = echo

    assert raised[0] == raised[1]
    assert sent(server) == [b"ECHO a", b"ECHO a"]
    assert client.run("ECHO", "next") == b"next"


def test_after_a_restart_the_first_command_of_each_connection_has_a_new_one(
    client: Client, server: FakeRedis
) -> None:
    server.answer = late(b"a", 0.1)
    assert at_once([lambda: client.run("ECHO", "a")] * 4) == [b"a"] * 4
    server.restart()

    assert at_once([lambda: client.run("ECHO", "a")] * 4) == [b"a"] * 4
    assert client.connection_pool._created_connections == 4


def test_while_redis_is_away_each_command_is_an_error_and_afterwards_none(
    client: Client, server: FakeRedis
) -> None:
    assert client.run("ECHO", "a") == b"a"
    server.stop()
    for _ in range(3):
        with pytest.raises(redis.ConnectionError):
            client.run("ECHO", "a")
    server.listen()

    assert client.run("ECHO", "b") == b"b"
    assert sent(server) == [b"ECHO a", b"ECHO b"]
    assert client.connection_pool._created_connections == 1


def test_a_restart_under_load_gives_nobody_the_reply_of_another(client: Client, server: FakeRedis) -> None:
    over, wrong = threading.Event(), list[object]()

    def ask() -> None:
        for number in range(100):
            text = f"{threading.get_ident()}:{number}".encode()
            try:
                reply = client.run("ECHO", text)
            except redis.ConnectionError:
                continue
            wrong.extend([reply] if reply != text else [])

    def restart() -> None:
        while not over.wait(0.05):
            server.restart()

    restarting = threading.Thread(target=restart)
    restarting.start()
    assert at_once([ask] * 8) == [None] * 8
    over.set()
    restarting.join(timeout=30)

    assert wrong == []
    assert client.run("ECHO", "a") == b"a"
    assert client.connection_pool._in_use_connections == set(client._kept)


def test_what_was_not_asked_for_is_not_taken_for_a_reply(client: Client, server: FakeRedis) -> None:
    """The pool judges such a connection, as one of the usual way: it may be a notice of Redis's."""
    server.answer = lambda command: echo(command) + b">2\r\n$6\r\nnotice\r\n$1\r\na\r\n"

    assert client.run("ECHO", "a") == b"a"
    time.sleep(0.05)
    assert client.run("ECHO", "b") == b"b"


def test_after_half_a_minute_a_connection_is_asked_first(client: Client, server: FakeRedis) -> None:
    client.run("ECHO", "a")
    client.run("ECHO", "b")
    greeted = len(server.greetings)
    client._kept[-1].next_health_check = int(time.monotonic()) - 1

    assert client.run("ECHO", "c") == b"c"
    assert client.run("ECHO", "d") == b"d"
    assert server.greetings[greeted:] == [[b"PING"]]
    assert [number for number, _ in server.commands] == [1] * 4


def test_one_that_is_to_be_connected_anew_is(client: Client, server: FakeRedis) -> None:
    """redis-py marks those in use so when Redis announces that it moves."""
    client.run("ECHO", "a")
    client._kept[-1].mark_for_reconnect()  # type: ignore[no-untyped-call] # redis has it so
    client.run("ECHO", "b")
    client.run("ECHO", "c")

    assert [number for number, _ in server.commands] == [1, 1, 2]
