"""The limits of what may be asked, and where days begin and end."""

import uuid
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from django.utils import timezone

from projects.config import ProjectConfig
from stats import report, span
from stats.models import LoginRollup
from stats.report import FIGURES
from stats.span import MOST_DAYS, BadSpan, Span
from tests import factories

TODAY = date(2026, 11, 26)
ONE, TWO = uuid.UUID(int=1), uuid.UUID(int=2)


def asked(first: date, last: date) -> dict[str, str]:
    return {"from": first.isoformat(), "to": last.isoformat()}


def refused(parameters: dict[str, Any], **fields: Any) -> BadSpan:
    with pytest.raises(BadSpan) as raised:
        span.read(parameters, today=TODAY, **fields)
    return raised.value


def test_the_longest_span_is_read_and_one_day_more_is_not() -> None:
    first = TODAY - timedelta(days=MOST_DAYS - 1)

    assert span.read(asked(first, TODAY), today=TODAY).first == first
    error = refused(asked(first - timedelta(days=1), TODAY))
    assert (error.parameter, str(MOST_DAYS) in error.reason) == ("from", True)


def test_a_single_day_is_a_span_and_the_day_before_it_is_not() -> None:
    assert span.read(asked(TODAY, TODAY), today=TODAY) == Span(first=TODAY, last=TODAY)
    assert refused(asked(TODAY, TODAY - timedelta(days=1))).parameter == "from"


def test_only_an_end_reaches_thirty_days_back_and_only_a_beginning_until_today() -> None:
    """A leap day is one of them."""
    assert span.read({"to": "2028-03-01"}, today=TODAY).first == date(2028, 2, 1)
    assert span.read({"from": "2026-11-25"}, today=TODAY).last == TODAY


@pytest.mark.parametrize("year", [2000, 2999])
def test_the_first_and_the_last_year_are_read(year: int) -> None:
    day = date(year, 6, 1)
    assert span.read(asked(day, day), today=TODAY).last == day


@pytest.mark.parametrize(
    "text", ["1999-12-31", "3000-01-01", "2026-11-26T00:00", " 2026-11-26", "2026-11-2６"]
)
def test_what_is_nearly_a_day_is_none(text: str) -> None:
    assert refused({"to": text}).parameter == "to"


@pytest.mark.parametrize("empty", ["", None])
def test_an_empty_parameter_is_not_given(empty: str | None) -> None:
    """As forms send them."""
    parameters = dict.fromkeys(("from", "to", "project"), empty)
    assert span.read(parameters, today=TODAY) == span.read({}, today=TODAY)


def test_a_project_that_may_not_be_seen_is_no_other_answer_than_one_that_is_none() -> None:
    assert refused({"project": str(TWO)}, allowed=[ONE]).reason == "no such project"
    assert refused({"project": str(ONE)}, allowed=[]).reason == "no such project"
    assert span.read({}, today=TODAY, allowed=[]).project_ids == frozenset()


# Rows ----------------------------------------------------------------------------------------------


def store(project: ProjectConfig, at: datetime, started: int) -> None:
    LoginRollup.objects.create(
        hour=at, project_id=project.id, country="HK", started=started, verified=0, fell_back=0
    )


def days(first: date, last: date, *projects: ProjectConfig) -> list[tuple[Any, ...]]:
    ids = frozenset(item.id for item in projects) or None
    rows = FIGURES["logins"].rows(report.load(Span(first=first, last=last, project_ids=ids)))
    return [row[:2] for row in rows]


@pytest.mark.django_db
@pytest.mark.stores
@pytest.mark.parametrize("zone", ["UTC", "Asia/Kolkata", "Pacific/Kiritimati", "America/Los_Angeles"])
def test_days_are_those_of_utc_wherever_the_reader_is(zone: str, project: ProjectConfig) -> None:
    midnight = datetime(2026, 11, 26, tzinfo=UTC)
    for hours, started in ((-1, 1), (0, 2), (23, 4), (24, 8)):
        store(project, midnight + timedelta(hours=hours), started)

    with timezone.override(zone):
        assert days(TODAY, TODAY) == [(TODAY, 6)]
        assert days(TODAY - timedelta(days=1), TODAY + timedelta(days=1)) == [
            (TODAY - timedelta(days=1), 1), (TODAY, 6), (TODAY + timedelta(days=1), 8),
        ]  # fmt: skip


@pytest.mark.django_db
@pytest.mark.stores
def test_projects_side_by_side_are_added_only_where_both_are_asked_for(project: ProjectConfig) -> None:
    beta, gamma = (
        factories.make_project(slug=slug, name=slug, is_default=False, senders=False)
        for slug in ("beta", "gamma")
    )
    at = datetime(2026, 11, 26, 9, tzinfo=UTC)
    for started, owner in ((1, project), (2, beta), (4, gamma)):
        store(owner, at, started)

    assert days(TODAY, TODAY, beta) == [(TODAY, 2)]
    assert days(TODAY, TODAY, beta, gamma) == [(TODAY, 6)]
    assert days(TODAY, TODAY) == [(TODAY, 7)]


@pytest.mark.django_db
@pytest.mark.stores
@pytest.mark.parametrize("name", FIGURES)
def test_of_nothing_each_figure_is_its_columns_only(name: str, project: ProjectConfig) -> None:
    empty = report.load(Span(first=TODAY, last=TODAY))

    assert report.as_csv(name, empty) == ",".join(FIGURES[name].columns) + "\r\n"
    assert report.as_json(name, empty) == []


@pytest.mark.parametrize(
    "text", ["2026-W01-1", "20260101  ", "2026-1-001", " 2026-1-01", "2026-01- 1", "2026-001-1"]
)
def test_a_day_is_written_as_a_day(text: str) -> None:
    assert refused({"from": "2026-01-01", "to": text}).parameter == "to"
