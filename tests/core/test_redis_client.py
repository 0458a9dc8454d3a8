"""Single commands by the short way, over a real Redis."""

import os
import threading
import uuid
import warnings
from collections.abc import Iterator
from contextlib import suppress

import pytest
import redis
from django.conf import settings

from core.redis_client import Client
from tests.budgets.spending import counted_calls, counted_round_trips
from tests.threads import at_once

# Redis is there where PostgreSQL is: in the first run.
pytestmark = [pytest.mark.stores, pytest.mark.postgres]


def made(**options: object) -> Client:
    name = f"test-{uuid.uuid4()}"
    client = Client.from_url(settings.REDIS_URL, client_name=name, health_check_interval=30, **options)
    assert isinstance(client, Client)
    return client


@pytest.fixture
def client() -> Iterator[Client]:
    client = made()
    yield client
    client.close()


@pytest.fixture
def key(client: Client) -> Iterator[str]:
    key = f"test:{uuid.uuid4()}"
    yield key
    client.delete(key)


def close_all(client: Client) -> None:
    """Redis closes every connection of this client, by another one."""
    name = client.connection_pool.connection_kwargs["client_name"]
    with made() as other:
        for line in other.client_list():
            if line["name"] == name:
                with suppress(redis.ResponseError):  # it has gone meanwhile
                    other.client_kill(f"{line['addr']}")


def test_replies_are_as_redis_gives_them(client: Client, key: str) -> None:
    assert client.run("GET", key) is None
    assert client.run("SET", key, 1) == b"OK"
    assert client.run("SET", key, 2, "NX") is None
    assert client.run("INCR", key) == 2
    assert client.run("GET", key) == b"2"
    assert client.run("EVAL", "return {1, 'a', ARGV[1]}", 0, "") == [1, b"a", b""]
    assert client.run("DEL", key) == 1


def test_they_are_text_where_the_client_is_made_so(key: str) -> None:
    client = made(decode_responses=True)

    assert client.run("SET", key, "é") == "OK"
    assert client.run("GET", key) == "é"
    client.close()


def test_any_bytes_come_back(client: Client, key: str) -> None:
    value = bytes(range(256)) * 4096  # more than one read of the socket

    client.run("SET", key, value)

    assert client.run("GET", key) == value


@pytest.mark.parametrize(
    ("command", "error"),
    [
        (("EVALSHA", "0" * 40, 0), redis.exceptions.NoScriptError),
        (("NOSUCH",), redis.ResponseError),
        (("GET",), redis.ResponseError),
        (("AUTH", "nobody", "wrong"), redis.AuthenticationError),
    ],
)
def test_errors_are_those_of_the_usual_way(
    client: Client, command: tuple[str | int, ...], error: type[Exception]
) -> None:
    with pytest.raises(error) as short:
        client.run(*command)
    with pytest.raises(error) as usual:
        client.execute_command(*command)  # type: ignore[no-untyped-call] # redis has it so

    assert (type(short.value), str(short.value)) == (type(usual.value), str(usual.value))
    assert client.run("ECHO", "a") == b"a"


def test_commands_after_each_other_share_a_connection_also_after_an_error(client: Client) -> None:
    first = client.run("CLIENT", "ID")
    with pytest.raises(redis.ResponseError):
        client.run("NOSUCH")

    assert client.run("CLIENT", "ID") == first


def test_the_connection_is_set_up_as_the_url_says(client: Client) -> None:
    name = client.connection_pool.connection_kwargs["client_name"]
    number = client.connection_pool.connection_kwargs.get("db", 0)

    about = client.run("CLIENT", "INFO")

    assert f"name={name} ".encode() in about
    assert f" db={number} ".encode() in about


def test_one_that_redis_closed_is_noticed_before_it_is_used(client: Client) -> None:
    before = client.run("CLIENT", "ID")
    close_all(client)

    after = client.run("CLIENT", "ID")

    assert after != before
    assert client.run("CLIENT", "ID") == after


def test_a_command_begins_15_functions_and_is_one_round_trip(client: Client) -> None:
    client.run("GET", "a")
    with counted_calls() as calls:
        client.run("GET", "a")
    with counted_calls() as none:
        pass
    with counted_round_trips() as trips:
        client.run("GET", "a")

    assert calls[0] - none[0] <= 15
    assert trips == [1]


def test_both_ways_use_one_pool_and_do_not_meet(client: Client) -> None:
    short = client.run("CLIENT", "ID")

    assert client.client_id() != short
    assert client.run("CLIENT", "ID") == short
    assert client.connection_pool._created_connections == 2


def test_nobody_gets_the_reply_of_another_while_connections_are_closed(client: Client) -> None:
    """Closed at any moment, in 12 threads: an error is possible then, a foreign reply never is."""
    over, wrong, failed = threading.Event(), list[object](), list[Exception]()

    def ask() -> None:
        for number in range(300):
            text = f"{threading.get_ident()}:{number}".encode()
            try:
                reply = client.run("ECHO", text)
            except redis.ConnectionError as error:
                failed.append(error)
            else:
                wrong.extend([reply] if reply != text else [])

    def close() -> None:
        while not over.wait(0.02):
            close_all(client)

    closing = threading.Thread(target=close)
    closing.start()
    results = at_once([ask] * 12)
    over.set()
    closing.join(timeout=30)

    assert results == [None] * 12
    assert wrong == []
    assert len(failed) < 12 * 300
    pool = client.connection_pool
    assert pool._in_use_connections == set(client._kept)
    assert pool._created_connections <= 12


def test_of_many_at_once_so_many_are_kept(client: Client, key: str) -> None:
    """The pool's other connections are for what goes the usual way."""
    results = at_once([lambda: client.run("BLPOP", key, "0.3")] * 40)

    assert results == [None] * 40
    assert len(client._kept) == 32
    assert client.connection_pool._in_use_connections == set(client._kept)


def test_a_child_of_a_fork_uses_none_of_its_parent(client: Client) -> None:
    before = client.run("CLIENT", "ID")
    read, write = os.pipe()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of other threads, which the child does not touch
        child = os.fork()
    if not child:
        try:
            os.write(write, str(client.run("CLIENT", "ID")).encode())
        finally:
            os._exit(0)
    os.waitpid(child, 0)

    assert int(os.read(read, 100)) != before
    assert client.run("CLIENT", "ID") == before
    os.close(read)
    os.close(write)
