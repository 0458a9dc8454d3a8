"""Days that are over for good: their hours become one, and no figure changes."""

import time
from datetime import timedelta
from typing import Any

import pytest
from django.db.models import F
from django.utils import timezone

from channels.types import Channel, FailureReason, Status
from projects.config import ProjectConfig
from stats import merge, report, rollup
from stats.models import CountedHour, DeliveryRollup, LoginRollup, TimingRollup
from stats.report import FIGURES
from stats.rollup import LATE
from stats.span import Span
from tests.stats.support import CO, HOUR, login, message
from tests.threads import at_once

pytestmark = [pytest.mark.django_db, pytest.mark.stores]

DAY = HOUR.replace(hour=0)


def figures() -> dict[str, list[Any]]:
    loaded = report.load(Span(first=DAY.date() - timedelta(days=1), last=DAY.date() + timedelta(days=1)))
    return {name: sorted(FIGURES[name].rows(loaded), key=repr) for name in FIGURES}


@pytest.fixture
def day(project: ProjectConfig) -> ProjectConfig:
    """A day with a login in three of its hours, all counted for the last time, and one in the hour after it."""
    for hour in (0, 9, 23, 24):
        at = DAY + timedelta(hours=hour, minutes=3)
        login(project, message(price_category="authentication"), at=at, verified_after=6 + hour)
        login(
            project,
            message(status=Status.FAILED, reason=FailureReason.HELD),
            message(Channel.SMS, after=2),
            at=at,
        )
        login(project, message(), at=at, phone=CO, country="CO")
    for hour in range(25):
        rollup.count(DAY + timedelta(hours=hour))
    return project


def test_a_day_is_a_row_for_each_kind_and_the_figures_stay(day: ProjectConfig) -> None:
    before, rows = figures(), DeliveryRollup.objects.count()

    assert merge.merge_day(DAY, oldest=DAY, closed_after=LATE)

    assert figures() == before
    assert DeliveryRollup.objects.count() < rows
    assert set(LoginRollup.objects.values_list("hour", "country", "started")) == {
        (DAY, "HK", 6), (DAY, "CO", 3), (DAY + timedelta(days=1), "HK", 2), (DAY + timedelta(days=1), "CO", 1),
    }  # fmt: skip
    assert set(TimingRollup.objects.values_list("hour", flat=True)) == {DAY, DAY + timedelta(days=1)}


def test_a_merged_day_is_neither_merged_nor_counted_again(day: ProjectConfig) -> None:
    merge.merge_day(DAY, oldest=DAY, closed_after=LATE)
    before = figures()

    assert not merge.merge_day(DAY, oldest=DAY, closed_after=LATE)
    assert not rollup.count(HOUR)

    assert figures() == before


def test_a_day_with_an_hour_that_may_change_waits(day: ProjectConfig) -> None:
    closes_at = HOUR + timedelta(hours=1) + LATE
    CountedHour.objects.filter(hour=HOUR).update(counted_at=closes_at - timedelta(seconds=1))

    assert not merge.merge_day(DAY, oldest=DAY, closed_after=LATE)
    assert LoginRollup.objects.filter(hour=HOUR).exists()

    CountedHour.objects.filter(hour=HOUR).update(counted_at=closes_at)
    assert merge.merge_day(DAY, oldest=DAY, closed_after=LATE)


def test_one_that_dies_in_the_middle_changes_nothing(
    day: ProjectConfig, monkeypatch: pytest.MonkeyPatch
) -> None:
    before, rows = figures(), LoginRollup.objects.count()
    whole = merge._merge
    done: list[None] = []

    def dies(*arguments: Any) -> None:
        whole(*arguments)
        done.append(None)
        if len(done) == 2:
            raise RuntimeError

    with monkeypatch.context() as patch:
        patch.setattr(merge, "_merge", dies)
        with pytest.raises(RuntimeError):
            merge.merge_day(DAY, oldest=DAY, closed_after=LATE)

    assert (figures(), LoginRollup.objects.count()) == (before, rows)
    assert merge.merge_day(DAY, oldest=DAY, closed_after=LATE)
    assert figures() == before


@pytest.mark.django_db(transaction=True)
def test_two_at_once_merge_once(day: ProjectConfig) -> None:
    before = figures()

    results = at_once([lambda: merge.merge_day(DAY, oldest=DAY, closed_after=LATE)] * 3)

    assert sorted(map(bool, results)) == [False, False, True]
    assert figures() == before


def test_beat_merges_days_when_all_is_counted(project: ProjectConfig) -> None:
    now = timezone.now()
    for days in (4, 1):
        login(project, message(), at=now - timedelta(days=days))

    rollup.keep(seconds=60)

    old = (now - timedelta(days=4)).replace(hour=0, minute=0, second=0, microsecond=0)
    merged = set(CountedHour.objects.filter(is_merged=True).values_list("hour__date", flat=True))
    assert old.date() in merged
    assert max(merged) < (now - LATE).date()
    assert LoginRollup.objects.filter(hour=old).exists()
    assert sum(LoginRollup.objects.values_list("started", flat=True)) == 2


def test_hours_are_forgotten_long_after_their_logins(day: ProjectConfig) -> None:
    old = timezone.now() - timedelta(days=61)
    CountedHour.objects.create(hour=old, counted_at=old, is_merged=True)
    CountedHour.objects.create(hour=old + timedelta(hours=30), counted_at=old, is_merged=False)

    rollup.keep(seconds=60)

    assert not CountedHour.objects.filter(hour=old).exists()
    assert CountedHour.objects.filter(hour=old + timedelta(hours=30)).exists()


def test_days_without_a_login_are_merged_too(project: ProjectConfig) -> None:
    """An installation that nobody uses: nothing waits for ever."""
    now = timezone.now()
    for hour in range(4 * 24):
        CountedHour.objects.create(hour=rollup.hour_of(now) - timedelta(hours=hour), counted_at=now)
    CountedHour.objects.update(counted_at=F("hour"))

    rollup.keep(seconds=60)

    closed = (now - LATE).replace(hour=0, minute=0, second=0, microsecond=0)
    assert not CountedHour.objects.filter(is_merged=False, hour__lt=closed).exists()


def test_it_ends_in_time(day: ProjectConfig) -> None:
    now = DAY + timedelta(days=9)

    assert merge.merge_days(now, oldest=DAY, closed_after=LATE, until=time.monotonic() - 1) == 0
    assert merge.merge_days(now, oldest=DAY, closed_after=LATE, until=time.monotonic() + 60) == 2
    assert merge.merge_days(now, oldest=DAY, closed_after=LATE, until=time.monotonic() + 60) == 0
