"""Days are merged in any order, with any projects side by side: the figures stay."""

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from itertools import permutations
from typing import Any
from uuid import UUID

import pytest
from django.db import transaction
from hypothesis import given, settings
from hypothesis import strategies as st

from projects.config import ProjectConfig
from stats import merge, report
from stats.models import CountedHour, DeliveryRollup, LoginRollup, TimingRollup
from stats.report import FIGURES
from stats.rollup import LATE
from stats.span import Span
from tests import factories

pytestmark = [pytest.mark.django_db, pytest.mark.stores]

FIRST = datetime(2026, 11, 20, tzinfo=UTC)
DAYS = [FIRST + timedelta(days=number) for number in range(3)]
HOURS = timedelta(hours=1)
FOREVER = FIRST + timedelta(days=3650)

# Hour, which project, country, and three counts.
ROWS = st.lists(
    st.tuples(
        st.integers(0, 71), st.integers(0, 1), st.sampled_from(["HK", "CO"]), *[st.integers(0, 50)] * 3
    ),
    max_size=12,
)


@pytest.fixture
def two(project: ProjectConfig) -> list[UUID]:
    return [
        project.id,
        factories.make_project(slug="beta", name="Beta", is_default=False, senders=False).id,
    ]


def store(rows: Sequence[tuple[int, int, str, int, int, int]], project_ids: list[UUID]) -> None:
    for hour, which, country, *counts in rows:
        at, project_id = FIRST + hour * HOURS, project_ids[which]
        LoginRollup.objects.create(
            hour=at, project_id=project_id, country=country, started=counts[0], verified=counts[1], fell_back=counts[2]
        )  # fmt: skip
        DeliveryRollup.objects.create(
            hour=at, project_id=project_id, country=country, channel="sms", provider="twilio", cause="start",
            reason="", category="", currency="USD",
            **dict.fromkeys(DeliveryRollup.sums, 0) | {"messages": counts[0], "cost_micros": counts[1]},
        )  # fmt: skip
        TimingRollup.objects.create(
            hour=at, project_id=project_id, channel="sms", provider="twilio", measure="delivered",
            bucket=counts[2] % 35, count=counts[0],
        )  # fmt: skip


def counted(hours: Sequence[int], *, at: datetime = FOREVER) -> None:
    CountedHour.objects.bulk_create([CountedHour(hour=FIRST + hour * HOURS, counted_at=at) for hour in hours])


def merged(day: datetime, *, oldest: datetime = FIRST) -> bool:
    return merge.merge_day(day, oldest=oldest, closed_after=LATE)


def seen(project_ids: list[UUID]) -> Iterator[tuple[str, list[Any]]]:
    """All figures, of both projects together and of each by itself."""
    for ids in (None, *map(frozenset, ([project_ids[0]], [project_ids[1]]))):
        span = Span(first=DAYS[0].date(), last=DAYS[-1].date(), project_ids=ids)
        loaded = report.load(span)
        yield from ((name, sorted(FIGURES[name].rows(loaded), key=repr)) for name in FIGURES)


@settings(max_examples=12)
@given(rows=ROWS, order=st.sampled_from(list(permutations(DAYS))))
def test_no_figure_of_any_project_changes_in_any_order(
    rows: list[Any], order: tuple[datetime, ...], two: list[UUID]
) -> None:
    with transaction.atomic():
        store(rows, two)
        counted(range(72))
        before = list(seen(two))
        for day in order:
            assert merged(day)
            assert list(seen(two)) == before
        assert set(LoginRollup.objects.values_list("hour", flat=True)) <= set(DAYS)
        kinds = {(hour // 24, which, country) for hour, which, country, *_ in rows}
        assert LoginRollup.objects.count() == len(kinds)
        transaction.set_rollback(True)


def test_the_last_hour_of_a_day_is_part_of_it_and_the_next_is_not(two: list[UUID]) -> None:
    store([(hour, 0, "HK", 1, 0, 0) for hour in (0, 23, 24)], two)
    counted(range(25))

    assert merged(DAYS[0])

    rows = LoginRollup.objects.order_by("hour").values_list("hour", "started")
    assert list(rows) == [(DAYS[0], 2), (DAYS[1], 1)]
    assert not CountedHour.objects.get(hour=DAYS[1]).is_merged


def test_a_day_of_which_no_hour_was_counted_keeps_its_rows(two: list[UUID]) -> None:
    store([(5, 0, "HK", 1, 1, 0)], two)

    assert not merged(DAYS[1])
    assert LoginRollup.objects.get().hour == FIRST + 5 * HOURS


@pytest.mark.parametrize(("oldest", "is_merged"), [(4, False), (5, True)])
def test_an_hour_without_challenges_need_not_be_counted_again(
    oldest: int, is_merged: bool, two: list[UUID]
) -> None:
    """Its last count is missing, but nothing could be counted: it waits until it is older than the oldest login."""
    store([(4, 0, "HK", 3, 1, 0)], two)
    CountedHour.objects.create(hour=FIRST + 4 * HOURS)

    assert merged(DAYS[0], oldest=FIRST + oldest * HOURS) is is_merged
    assert LoginRollup.objects.get().hour == (DAYS[0] if is_merged else FIRST + 4 * HOURS)


def test_senders_that_are_gone_are_one_row_and_others_stay_apart(two: list[UUID]) -> None:
    """A column that may be empty tells rows apart like any other."""
    store([(hour, 0, "HK", 1, 5, 0) for hour in (1, 2, 3)], two)
    DeliveryRollup.objects.filter(hour=FIRST + 3 * HOURS).update(sender_id=UUID(int=7))
    counted([1, 2, 3])

    assert merged(DAYS[0])
    rows = DeliveryRollup.objects.values_list("sender_id", "messages", "cost_micros")
    assert sorted(rows, key=str) == [(None, 2, 10), (UUID(int=7), 1, 5)]


def test_amounts_of_a_day_that_exceed_four_bytes_are_kept(two: list[UUID]) -> None:
    """They are in millionths."""
    store([(1, 0, "HK", 1, 2**31 - 1, 0), (2, 0, "HK", 1, 2**31 - 1, 0)], two)
    LoginRollup.objects.all().delete()
    counted([1, 2])

    assert merged(DAYS[0])
    assert DeliveryRollup.objects.get().cost_micros == 2**32 - 2
