"""What looking and sending cost."""

import uuid
from collections.abc import Callable, Sequence
from datetime import timedelta
from typing import Any

import pytest
from django.conf import LazySettings
from django.db import connection, transaction
from django.utils import timezone

from channels.types import Status
from core import config_version
from core.redis import redis_client
from otp import policy, waiting
from otp.models import Challenge, Delivery
from otp.store import claim as store
from tests.otp.conftest import Providers, QueuedTasks, Start
from tests.otp.plans import plan_of, remember_a_quiet_year
from tests.otp.waiting.conftest import THREADS
from tests.otp.waiting.support import begin, change, copy, send_all
from tests.statements import statements

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.mark.parametrize("count", [1, 50])
def test_costs_of_one_and_of_fifty(
    count: int,
    start: Start,
    queued: QueuedTasks,
    providers: Providers,
    asked: list[bool],
    settings: LazySettings,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """One claim for all, then looks that find nothing; Redis is asked for the version once, and told once that the
    next start needs a task. Acceptances are at most one statement each."""
    settings.WORKER_THREADS = 64
    begin(start, queued, 1)
    copy(count - 1)
    commands: list[str] = []
    accepted: list[int] = []
    client: Any = redis_client()
    if client:
        run = client.run

        def note(*arguments: Any) -> object:
            commands.append(arguments[0])
            return run(*arguments)

        monkeypatch.setattr(client, "run", note)
    accept = store.accept

    def write(items: Sequence[store.Acceptance]) -> set[uuid.UUID]:
        accepted.append(len(items))
        return accept(items)

    monkeypatch.setattr(store, "accept", write)

    with statements() as sent:
        waiting.send_waiting()
    waiting.finish()

    claims = [line for line in sent if line.startswith("WITH waiting")]
    if connection.vendor == "postgresql":
        assert len(claims) == 1 + waiting._LOOKS, sent
        assert [line for line in sent if line not in claims and "config" not in line] == []
    assert commands == (["GET", "DEL"] if client else [])
    assert (sum(accepted), len(accepted) <= count) == (count, True)
    assert asked == []
    assert len(providers.sent) == count
    assert Delivery.objects.filter(status=Status.ACCEPTED).count() == count


@pytest.mark.postgres
def test_looking_reads_what_waits_and_nothing_else(
    start: Start, queued: QueuedTasks, providers: Providers
) -> None:
    """Not the messages under way, of which a busy service has thousands."""
    (delivery_id,) = begin(start, queued, 1)
    copy(2000)
    Delivery.objects.exclude(id=delivery_id).update(status=Status.ACCEPTED)
    remember_a_quiet_year(Delivery.objects.get(id=delivery_id).challenge)
    Delivery.objects.filter(status=Status.ACCEPTED).update(due_at=timezone.now() + timedelta(seconds=2))
    change(delivery_id, due_at=timezone.now() + timedelta(seconds=3))
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE")

    plan = plan_of(lambda: store.claim_waiting(most=8, now=timezone.now(), lease=policy.LEASE))

    assert "Index Scan Backward using delivery_unaccepted" in plan, plan
    assert "Seq Scan" not in plan
    assert "Sort" not in plan


@pytest.mark.postgres
def test_a_look_begins_with_what_waits_however_few_challenges_there_are(
    start: Start, queued: QueuedTasks
) -> None:
    """The plan is kept while the tables of a new service grow."""
    begin(start, queued, 1)
    copy(300)
    Delivery.objects.update(status=Status.ACCEPTED)
    Challenge.objects.update(verified_at=timezone.now())
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE")
    parameters = store._parameters(timezone.now(), policy.LEASE) | {"most": 8, "since": timezone.now()}

    with connection.cursor() as cursor:
        cursor.execute(f"EXPLAIN {store._CLAIM_WAITING}", parameters)
        plan = "\n".join(row[0] for row in cursor.fetchall())

    assert "otp_challenge_pkey" in plan, plan
    assert "Seq Scan on otp_challenge" not in plan


@pytest.mark.postgres
def test_a_thousand_that_wait_cost_a_claim_what_ten_do(start: Start, queued: QueuedTasks) -> None:
    """As the server counts: rows that were read from the index for eight that are taken."""
    begin(start, queued, 1)
    copy(1000)
    plans: list[str] = []

    def explain(execute: Any, sql: str, params: Any, many: Any, context: Any) -> Any:
        with connection.cursor() as cursor:
            cursor.execute(f"EXPLAIN (ANALYZE, COSTS OFF, TIMING OFF, SUMMARY OFF) {sql}", params)
            plans.extend(row[0] for row in cursor.fetchall())
        return execute(sql, params, many, context)

    with transaction.atomic():
        with connection.cursor() as cursor:
            cursor.execute("SET LOCAL enable_seqscan = off")
            cursor.execute("SET LOCAL enable_sort = off")
        with connection.execute_wrapper(_once(explain)):
            store.claim_waiting(most=8, now=timezone.now(), lease=policy.LEASE)

    (scan,) = [line for line in plans if "delivery_unaccepted" in line]
    assert "actual rows=8 " in scan, plans


def _once(wrapper: Callable[..., Any]) -> Callable[..., Any]:
    """The wrapper for the first statement; its own pass."""
    done = False

    def act(execute: Any, sql: str, params: Any, many: Any, context: Any) -> Any:
        nonlocal done
        if done:
            return execute(sql, params, many, context)
        done = True
        return wrapper(execute, sql, params, many, context)

    return act


def test_the_version_is_asked_for_once_a_batch(
    start: Start, queued: QueuedTasks, providers: Providers, monkeypatch: pytest.MonkeyPatch
) -> None:
    begin(start, queued, THREADS)
    asks: list[int] = []
    ask = config_version._ask

    def note() -> int:
        asks.append(1)
        return ask()

    monkeypatch.setattr(config_version, "_ask", note)

    send_all()

    assert len(providers.sent) == THREADS
    assert len(asks) == 1
