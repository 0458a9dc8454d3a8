"""Prepared statements on connections of a pool: each takes one for its own time, whatever becomes of it."""

import threading
from collections.abc import Iterator
from typing import Any

import psycopg
import pytest
from django.db import DEFAULT_DB_ALIAS, OperationalError, ProgrammingError, connections
from django.db.backends.base.base import BaseDatabaseWrapper
from psycopg_pool import ConnectionPool

from tests.core.test_prepared import one

pytestmark = [pytest.mark.postgres, pytest.mark.django_db(transaction=True)]


@pytest.fixture
def wrapper() -> BaseDatabaseWrapper:
    return connections[DEFAULT_DB_ALIAS]


@pytest.fixture
def pooled(wrapper: BaseDatabaseWrapper, monkeypatch: pytest.MonkeyPatch) -> Iterator[ConnectionPool[Any]]:
    """This thread has no connection of its own: each statement takes one of two from the pool."""
    parameters = wrapper.get_connection_params()
    wrapper.close()
    pool = ConnectionPool[Any](
        kwargs=parameters | {"autocommit": True}, min_size=1, max_size=2, open=False, timeout=2
    )
    monkeypatch.setattr(type(wrapper), "pool", pool)
    yield pool
    monkeypatch.undo()
    pool.close()


def test_each_statement_takes_a_connection_and_gives_it_back(
    wrapper: BaseDatabaseWrapper, pooled: ConnectionPool[Any]
) -> None:
    results: list[int] = []

    def work() -> None:
        connection = connections[DEFAULT_DB_ALIAS]
        for number in range(50):
            results.append(one(connection, "SELECT %(number)s::int", number=number))  # noqa: PERF401 # in a thread
        assert connection.connection is None

    threads = [threading.Thread(target=work) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert sorted(results) == sorted(list(range(50)) * 8)
    assert pooled.get_stats()["pool_available"] == pooled.get_stats()["pool_size"]


def test_a_statement_that_fails_gives_it_back_too(
    wrapper: BaseDatabaseWrapper, pooled: ConnectionPool[Any]
) -> None:
    for _ in range(5):
        with pytest.raises(ProgrammingError):
            one(wrapper, "SELECT * FROM nothing_here")
    assert one(wrapper, "SELECT 3") == 3


def test_a_cut_connection_of_the_pool_is_replaced(
    wrapper: BaseDatabaseWrapper, pooled: ConnectionPool[Any]
) -> None:
    pid = one(wrapper, "SELECT pg_backend_pid()")
    with pooled.connection() as other:
        parameters = other.info.dsn
    with psycopg.connect(parameters, autocommit=True) as other:
        other.execute("SELECT pg_terminate_backend(%s)", [pid])

    with pytest.raises(OperationalError):
        one(wrapper, "SELECT 1")

    assert one(wrapper, "SELECT 2") == 2


def test_a_pool_without_a_free_connection_is_an_operational_error(
    wrapper: BaseDatabaseWrapper, pooled: ConnectionPool[Any]
) -> None:
    pooled.open()
    pooled.timeout = 0.2
    with (
        pooled.connection(),
        pooled.connection(),
        pytest.raises(OperationalError, match="couldn't get a connection"),
    ):
        one(wrapper, "SELECT 1")
