"""The short way of commands by every kind of URL: credentials, a Unix socket, TLS, sentinels."""

import ssl
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
import redis
from django.conf import LazySettings

from tests import tls as tls_of_tests
from tests.core.fake_redis import FakeRedis, breaking, connected, fake_redis, late, sent, sentinel_of
from tests.threads import at_once


@pytest.fixture
def server() -> Iterator[FakeRedis]:
    with fake_redis() as server:
        yield server


def test_credentials_and_database_are_given_at_the_beginning(
    settings: LazySettings, server: FakeRedis
) -> None:
    client = connected(settings, f"redis://us%40er:p%3Ass@127.0.0.1:{server.port}/3")

    assert client.run("ECHO", "a") == b"a"
    assert [b"HELLO", b"3", b"AUTH", b"us@er", b"p:ss"] in server.greetings
    assert [b"SELECT", b"3"] in server.greetings
    client.close()


def test_over_a_unix_socket(settings: LazySettings, tmp_path: Path) -> None:
    with fake_redis(str(tmp_path / "s")) as server:
        client = connected(settings, f"unix://{tmp_path}/s")

        assert [client.run("ECHO", text) for text in "ab"] == [b"a", b"b"]
        assert [number for number, _ in server.commands] == [1, 1]
        server.hang_up()
        assert client.run("ECHO", "c") == b"c"
        client.close()


def test_over_tls(settings: LazySettings, tmp_path: Path) -> None:
    file = tls_of_tests.certificate(tmp_path)
    context: ssl.SSLContext = tls_of_tests.server_context(file)
    with fake_redis(tls=context) as server:
        client = connected(settings, f"rediss://localhost:{server.port}/0?ssl_ca_certs={file}")

        assert [client.run("ECHO", text) for text in "ab"] == [b"a", b"b"]
        assert [number for number, _ in server.commands] == [1, 1]
        server.hang_up()
        assert client.run("ECHO", "c") == b"c"
        client.close()


@pytest.fixture
def servers() -> Iterator[tuple[FakeRedis, FakeRedis, FakeRedis]]:
    """A sentinel, the master, and who becomes it; the sentinel's answer is a test's."""
    with ExitStack() as stack:
        sentinel, one, other = (stack.enter_context(fake_redis()) for _ in range(3))
        yield sentinel, one, other


def test_a_master_that_became_a_replica_is_left_and_the_command_goes_to_the_new_one(
    settings: LazySettings, servers: tuple[FakeRedis, FakeRedis, FakeRedis]
) -> None:
    sentinel, one, other = servers
    sentinel.answer = sentinel_of(lambda: one)
    client = connected(settings, f"redis+sentinel://127.0.0.1:{sentinel.port}/main")
    assert client.run("ECHO", "a") == b"a"

    one.answer = lambda _: b"-READONLY You can't write against a read only replica.\r\n"
    sentinel.answer = sentinel_of(lambda: other)

    assert client.run("ECHO", "b") == b"b"
    assert (sent(one), sent(other)) == ([b"ECHO a", b"ECHO b"], [b"ECHO b"])
    client.close()


def test_with_sentinels_a_command_is_sent_twice_at_most(
    settings: LazySettings, servers: tuple[FakeRedis, FakeRedis, FakeRedis]
) -> None:
    sentinel, one, _ = servers
    sentinel.answer = sentinel_of(lambda: one)
    one.answer = breaking()
    client = connected(settings, f"redis+sentinel://127.0.0.1:{sentinel.port}/main")
    with pytest.raises(redis.ConnectionError):
        client.run("ECHO", "break")

    assert client.run("ECHO", "next") == b"next"
    assert sent(one) == [b"ECHO break", b"ECHO break", b"ECHO next"]
    client.close()


def test_no_kept_connection_goes_to_a_former_master(
    settings: LazySettings, servers: tuple[FakeRedis, FakeRedis, FakeRedis]
) -> None:
    """Also when that keeps them open: a replica would still answer what is read."""
    sentinel, one, other = servers
    sentinel.answer = sentinel_of(lambda: one)
    one.answer = late(b"a", 0.2)
    client = connected(settings, f"redis+sentinel://127.0.0.1:{sentinel.port}/main")
    assert at_once([lambda: client.run("ECHO", "a")] * 3) == [b"a"] * 3
    assert len(client._kept) == 3

    sentinel.answer = sentinel_of(lambda: other)
    client._kept[-1].disconnect()  # type: ignore[no-untyped-call] # redis has it so
    other.answer = late(b"b", 0.2)
    assert client.run("ECHO", "found") == b"found"
    assert at_once([lambda: client.run("ECHO", "b")] * 3) == [b"b"] * 3

    assert sent(one) == [b"ECHO a"] * 3
    assert sent(other) == [b"ECHO found", *[b"ECHO b"] * 3]
    client.close()
