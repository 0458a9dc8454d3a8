"""Which hours are counted when, and what repeats, late reports, crashes, races and the purge do to them."""

from datetime import datetime, timedelta
from typing import Any

import pytest
from django.db import connection, transaction
from django.utils import timezone

from channels.types import Status
from core.ids import oldest_id_at
from otp import retention
from otp.models import Challenge, Delivery
from projects.config import ProjectConfig
from projects.models import Project
from stats import rollup, store, tasks
from stats.models import CountedHour, DeliveryRollup, LoginRollup, TimingRollup
from tests.statements import statements
from tests.stats.support import HOUR, login, message
from tests.threads import at_once

pytestmark = [pytest.mark.django_db, pytest.mark.stores]

MINUTE = timedelta(minutes=1)


def rows() -> list[Any]:
    """All rollups without their keys."""
    result: list[Any] = []
    for model in (LoginRollup, DeliveryRollup, TimingRollup):
        names = [field.attname for field in model._meta.concrete_fields if field.name != "id"]
        result += sorted(model._default_manager.values_list(*names), key=repr)
    return result


# When ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("counted", "now", "due"),
    [
        (None, HOUR, True),
        (timedelta(minutes=5), timedelta(minutes=5, seconds=40), False),
        (timedelta(minutes=5), timedelta(minutes=6), True),
        (timedelta(hours=2), timedelta(hours=2, minutes=5), False),
        (timedelta(hours=2), timedelta(hours=2, minutes=9), True),
        (timedelta(hours=30), timedelta(hours=33), False),
        (timedelta(hours=30), timedelta(hours=35), True),
        (timedelta(hours=48, minutes=50), timedelta(hours=49), True),  # once more at its end
        (timedelta(hours=49), timedelta(hours=200), False),
    ],
)
def test_young_hours_often_old_ones_rarely(
    counted: timedelta | None, now: timedelta | datetime, due: bool
) -> None:
    at = None if counted is None else HOUR + counted
    moment = now if isinstance(now, datetime) else HOUR + now

    assert rollup.is_due(HOUR, at, now=moment) is due


def test_hours_that_were_missed_are_counted_the_newest_first() -> None:
    now = HOUR + timedelta(hours=3, minutes=20)
    known = {HOUR + timedelta(hours=1): now, HOUR + timedelta(hours=3): now - MINUTE}

    due = rollup.due_hours(known, oldest=HOUR, now=now)

    assert due == [HOUR + timedelta(hours=3), HOUR + timedelta(hours=2), HOUR]


def test_a_day_of_work_is_little() -> None:
    """Each hour some tens of times in all, not once a minute for two days."""
    counted, times = None, 0
    for minute in range(60 * 60):
        now = HOUR + minute * MINUTE
        if rollup.is_due(HOUR, counted, now=now):
            counted, times = now, times + 1

    assert 60 < times < 120


def test_the_task_counts_from_the_oldest_login_until_now(project: ProjectConfig) -> None:
    now = timezone.now()
    login(project, message(), at=now - timedelta(hours=3), verified_after=2)
    login(project, message(), at=now - timedelta(seconds=1))

    tasks.keep()

    assert sum(LoginRollup.objects.values_list("started", flat=True)) == 2
    assert CountedHour.objects.filter(counted_at__isnull=False).count() == 4
    with statements() as sent:
        tasks.keep()
    assert len(sent) == 4, sent  # nothing is due, nothing to be merged or forgotten


def test_an_empty_database_is_counted_too() -> None:
    assert rollup.keep(seconds=5) == 1


def test_it_ends_in_time_and_continues_the_next(project: ProjectConfig) -> None:
    login(project, message(), at=timezone.now() - timedelta(hours=5))

    assert [rollup.keep(seconds=-1) for _ in range(7)] == [1, 1, 1, 1, 1, 1, 0]


# What repeats, comes late, dies or runs beside it ---------------------------------------------------------


def test_counting_again_gives_the_same(project: ProjectConfig) -> None:
    login(project, message(status=Status.FAILED), message("sms", after=4), verified_after=30)
    rollup.count(HOUR)
    before = rows()

    rollup.count(HOUR)

    assert rows() == before != []


def test_a_late_report_is_counted_the_next_time(project: ProjectConfig) -> None:
    login(project, message(status=Status.SENT))
    rollup.count(HOUR)
    assert DeliveryRollup.objects.get().delivered == 0
    Delivery.objects.update(status=Status.DELIVERED)

    rollup.count(HOUR)

    assert DeliveryRollup.objects.get().delivered == 1


@pytest.mark.parametrize("nth", [0, 1, 2])
def test_one_that_dies_in_the_middle_changes_nothing(
    nth: int, project: ProjectConfig, monkeypatch: pytest.MonkeyPatch
) -> None:
    login(project, message(), verified_after=8)
    rollup.count(HOUR)
    before, stamp = rows(), CountedHour.objects.get().counted_at
    login(project, message())
    with monkeypatch.context() as patch:
        broken = list(store._COUNTS)
        broken[nth] = (broken[nth][0], "INSERT INTO nowhere VALUES (1)")
        patch.setattr(store, "_COUNTS", tuple(broken))
        with pytest.raises(Exception, match="nowhere"), transaction.atomic():
            rollup.count(HOUR)
    assert (rows(), CountedHour.objects.get().counted_at) == (before, stamp)

    rollup.count(HOUR)

    assert LoginRollup.objects.get().started == 2


@pytest.mark.django_db(transaction=True)
def test_several_at_once_count_once(project: ProjectConfig) -> None:
    """Beat sent it twice, or a run took longer than its minute."""
    for _ in range(5):
        login(project, message(), verified_after=8)

    results = at_once([lambda: rollup.count(HOUR)] * 4)

    assert set(results) <= {True, False}
    assert LoginRollup.objects.get().started == 5
    assert DeliveryRollup.objects.get().messages == 5
    assert TimingRollup.objects.count() == 2


def test_the_purge_takes_logins_and_leaves_their_counts(project: ProjectConfig) -> None:
    """An hour whose logins are gone, or are about to be, is not counted again."""
    now = timezone.now()
    old = rollup.hour_of(now - retention.CHALLENGES_KEPT - timedelta(hours=1))
    login(project, message(), at=old + MINUTE, verified_after=5)
    login(project, message(), at=now)
    rollup.count(old)
    CountedHour.objects.filter(hour=old).update(counted_at=old)  # it would be due
    before = rows()

    retention.purge()
    tasks.keep()

    assert Challenge.objects.count() == 1
    kept = [
        row[1:] for row in rows() if row[0].date() == old.date()
    ]  # of the day: nothing of it can change any more
    assert kept == [row[1:] for row in before]
    assert len(before) == 4


@pytest.mark.parametrize("hours", [0, 1, 2])
def test_an_hour_that_the_purge_has_reached_is_left_alone(hours: int, project: ProjectConfig) -> None:
    now = timezone.now()
    reached = rollup.hour_of(now - retention.CHALLENGES_KEPT) + timedelta(hours=hours)
    login(project, message(), at=reached - timedelta(days=1))

    due = rollup.due_hours({}, oldest=rollup._oldest(now), now=now)

    assert (reached in due) is (hours == 2)


def test_counts_go_with_their_project(project: ProjectConfig) -> None:
    login(project, message(), verified_after=5)
    rollup.count(HOUR)

    Project.objects.filter(id=project.id).delete()

    assert rows() == []


# What it costs ------------------------------------------------------------------------------------------


@pytest.mark.postgres
def test_an_hour_is_read_by_key(project: ProjectConfig) -> None:
    """Whatever lies in the table beside it."""
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL enable_seqscan = off")
        statement = store._DIALECTS["postgresql"].write(store._COUNTS[1][1])
        end = HOUR + timedelta(hours=1)
        span: dict[str, Any] = {"hour": HOUR, "first": oldest_id_at(HOUR), "last": oldest_id_at(end)}
        cursor.execute(f"EXPLAIN {statement}", store._WORDS | span)
        plan = "\n".join(row[0] for row in cursor.fetchall())

    assert "otp_challenge_pkey" in plan
    assert "Seq Scan on otp_" not in plan


def test_an_hour_is_a_statement_for_each_rollup(project: ProjectConfig) -> None:
    login(project, message(), verified_after=5)

    with statements() as sent:
        rollup.count(HOUR)

    assert len([line for line in sent if line.startswith(("INSERT INTO stats_loginr", "WITH message"))]) == 3
    assert len(sent) <= 14, sent
