"""The counters themselves."""

import pytest
import structlog
from django.db import connection, transaction

from core.redis import redis_client
from tests.budgets.spending import Spent, counted_calls, least, spent_by

log = structlog.get_logger(__name__)


def _inner() -> None:
    pass


def _outer() -> None:
    _inner()
    _inner()


def test_calls_are_those_of_the_block() -> None:
    _outer()
    with counted_calls() as calls:
        _outer()
    with counted_calls() as none:
        pass
    _outer()

    assert calls[0] - none[0] == 3


@pytest.mark.postgres
@pytest.mark.django_db(transaction=True)
def test_everything_that_is_spent_is_counted() -> None:
    tasks: list[str] = []

    def act() -> None:
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute("SELECT 1")
        client = redis_client()
        assert client
        client.get("a")
        client.get("b")
        tasks.append("task")
        log.info("line")

    spent = spent_by(act, tasks=tasks)

    assert (spent.statements, spent.redis, spent.tasks, spent.lines) == (3, 2, 1, 1)
    assert spent.calls > 10


def test_what_goes_over_is_named_with_its_figure() -> None:
    budget = Spent(statements=1, redis=1, tasks=0, lines=1, calls=100)
    spent = Spent(statements=2, redis=1, tasks=0, lines=0, calls=101)

    assert spent.over(budget) == {"statements": "2 > 1", "calls": "101 > 100"}
    assert budget.over(budget) == {}
    assert least([budget, spent]) == Spent(statements=1, redis=1, tasks=0, lines=0, calls=100)
