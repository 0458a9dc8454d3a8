"""The figures of a span, as tables, CSV and JSON."""

import csv
import io
import json
import uuid
from datetime import date, timedelta
from decimal import Decimal

import pytest
from django.utils import timezone

from channels.models import Sender
from channels.types import Channel, FailureReason, Status
from projects.config import ProjectConfig
from stats import report, rollup, span
from stats.models import Price
from stats.report import FIGURES, Report
from stats.span import BadSpan, Span
from tests import factories
from tests.statements import statements
from tests.stats.support import CO, HOUR, login, message

pytestmark = [pytest.mark.django_db, pytest.mark.stores]

DAY = HOUR.date()
WEEK = Span(first=DAY - timedelta(days=3), last=DAY + timedelta(days=3))
TODAY = date(2026, 11, 26)


@pytest.fixture
def history(project: ProjectConfig) -> ProjectConfig:
    """Two days of logins."""
    login(project, message(price_category="authentication"), verified_after=9)
    login(
        project,
        message(price_category="authentication_international"),
        verified_after=11,
        phone=CO,
        country="CO",
    )
    login(
        project,
        message(status=Status.FAILED, reason=FailureReason.NOT_ON_CHANNEL),
        message(Channel.SMS, after=3, price_micros=59_200, price_currency="USD"),
        verified_after=30,
    )
    login(
        project, message(status=Status.EXPIRED, reason=FailureReason.NO_REPORT), at=HOUR + timedelta(days=1)
    )
    for hour in (HOUR, HOUR + timedelta(days=1)):
        rollup.count(hour)
    return project


def table(name: str, asked: Span = WEEK) -> list[report.Row]:
    return list(FIGURES[name].rows(report.load(asked)))


def test_logins_by_day(history: ProjectConfig) -> None:
    assert table("logins") == [(DAY, 3, 3, 1.0, 1), (DAY + timedelta(days=1), 1, 0, 0.0, 0)]


def test_messages_by_country_channel_and_provider(history: ProjectConfig) -> None:
    assert table("messages") == [
        ("HK", "whatsapp", "memory", 3, 2, 1, 0.3333, 1, 1),
        ("CO", "whatsapp", "memory", 1, 1, 1, 1.0, 0, 1),
        ("HK", "sms", "memory", 1, 1, 1, 1.0, 0, 1),
    ]


def test_times(history: ProjectConfig) -> None:
    rows = {(row[0], row[1]): row for row in table("times")}

    assert set(rows) == {
        ("delivered", "whatsapp"),
        ("delivered", "sms"),
        ("verified", "whatsapp"),
        ("verified", "sms"),
    }
    *_, provider, count, p50, p95 = rows["delivered", "whatsapp"]
    assert (provider, count) == ("memory", 2)
    assert isinstance(p50, float)
    assert isinstance(p95, float)
    assert 1.9 <= p50 <= p95 <= 2.5  # two seconds each


def test_fallbacks_and_failures_by_reason(history: ProjectConfig) -> None:
    assert table("fallbacks") == [("whatsapp", "not_on_channel", 1, 0.25)]
    assert table("failures") == [("whatsapp", "no_news", 1), ("whatsapp", "not_on_channel", 1)]


def test_senders(history: ProjectConfig) -> None:
    whatsapp, sms = (Sender.objects.get(channel=name).id for name in ("whatsapp", "sms"))

    assert table("senders") == [(whatsapp, "whatsapp", 4, 2, 0.5, 1), (sms, "sms", 1, 1, 1.0, 0)]


def test_costs_and_what_was_saved(history: ProjectConfig) -> None:
    Price.objects.create(provider="memory", amount="0.01", currency="USD", valid_from=date(2026, 1, 1))
    Price.objects.create(
        provider="memory", country="CO", category="authentication_international", amount="0.05", currency="USD",
        valid_from=date(2026, 1, 1),
    )  # fmt: skip

    assert table("costs") == [
        ("HK", "sms", "memory", "", False, 1, 1, 0, Decimal("0.059200"), "USD"),
        (
            "CO",
            "whatsapp",
            "memory",
            "authentication_international",
            True,
            1,
            0,
            0,
            Decimal("0.050000"),
            "USD",
        ),
        ("HK", "whatsapp", "memory", "authentication", False, 1, 0, 0, Decimal("0.010000"), "USD"),
    ]
    # An SMS to HK was paid with 0.0592; to CO it would have been 0.01 by the table.
    saved = Decimal("0.0592") - Decimal("0.01") + Decimal("0.01") - Decimal("0.05")
    assert table("totals") == [("USD", Decimal("0.1192"), 3, Decimal("0.039733"), saved)]


def test_without_a_price_messages_are_counted(history: ProjectConfig) -> None:
    result = report.load(WEEK)

    assert (result.costs.unknown, result.costs.uncompared) == (2, 2)
    assert [row[7:9] for row in FIGURES["costs"].rows(result)] == [
        (0, Decimal("0.0592")),
        (1, None),
        (1, None),
    ]


def test_a_price_changes_within_the_span(history: ProjectConfig) -> None:
    login(history, message(), at=HOUR + timedelta(days=1, minutes=1))
    rollup.count(HOUR + timedelta(days=1))
    for amount, day in (("0.01", date(2026, 1, 1)), ("0.03", DAY + timedelta(days=1))):
        Price.objects.create(provider="memory", amount=amount, currency="USD", valid_from=day)

    amounts = {row[:2] + row[3:4]: row[8] for row in table("costs")}

    assert amounts["HK", "whatsapp", "authentication"] == Decimal("0.01")
    assert amounts["HK", "whatsapp", ""] == Decimal("0.03")


def test_each_figure_is_one_query(history: ProjectConfig) -> None:
    with statements() as sent:
        report.load(WEEK)

    assert len(sent) == 5, sent  # prices, messages with costs, logins, times, reasons


def test_only_the_days_and_projects_that_were_asked_for(history: ProjectConfig) -> None:
    other = factories.make_project(slug="other", name="Other", is_default=False, senders=False)
    login(other, message(), verified_after=3)
    rollup.count(HOUR)

    def of(**fields: object) -> Report:
        return report.load(Span(**{"first": DAY, "last": DAY} | fields))  # type: ignore[arg-type] # mixed

    assert of().started == 4
    assert of(project_ids=frozenset({other.id})).started == 1
    assert of(project_ids=frozenset()).started == 0
    assert of(first=DAY + timedelta(days=1), last=DAY + timedelta(days=1)).started == 1
    for name in FIGURES:
        assert list(FIGURES[name].rows(of(project_ids=frozenset()))) == []


@pytest.mark.parametrize("name", FIGURES)
def test_csv_and_json_hold_the_table(name: str, history: ProjectConfig) -> None:
    result = report.load(WEEK)
    rows = list(FIGURES[name].rows(result))

    lines = list(csv.DictReader(io.StringIO(report.as_csv(name, result))))
    answered = json.loads(json.dumps(report.as_json(name, result)))

    assert len(lines) == len(answered) == len(rows) > 0
    for line, item in zip(lines, answered, strict=True):
        assert list(line) == list(item) == list(FIGURES[name].columns)
        assert line == {key: "" if value is None else str(value) for key, value in item.items()}


# What is asked -----------------------------------------------------------------------------------------


def test_thirty_days_unless_said_otherwise() -> None:
    assert span.read({}, today=TODAY) == Span(first=date(2026, 10, 28), last=TODAY)
    asked = {"from": "2026-11-01", "to": "2026-11-02"}
    assert span.read(asked, today=TODAY) == Span(first=date(2026, 11, 1), last=date(2026, 11, 2))


@pytest.mark.parametrize(
    ("parameters", "wrong"),
    [
        ({"from": "yesterday"}, "from"),
        ({"to": "2026-02-30"}, "to"),
        ({"to": "20261101"}, "to"),
        ({"to": "0001-01-01"}, "to"),
        ({"to": "9999-12-31"}, "to"),
        ({"from": "2026-11-27"}, "from"),
        ({"from": "2025-01-01"}, "from"),
        ({"project": "acme"}, "project"),
        ({"project": str(uuid.UUID(int=9))}, "project"),
    ],
)
def test_what_cannot_be_asked_is_named(parameters: dict[str, str], wrong: str) -> None:
    with pytest.raises(BadSpan) as raised:
        span.read(parameters, today=TODAY, allowed=[uuid.UUID(int=1)])

    assert raised.value.parameter == wrong


def test_a_project_of_those_that_may_be_seen() -> None:
    one, two = uuid.UUID(int=1), uuid.UUID(int=2)

    assert span.read({}, today=timezone.localdate(), allowed=[one, two]).project_ids == frozenset({one, two})
    assert span.read({"project": str(one)}, today=TODAY, allowed=[one, two]).project_ids == frozenset({one})
    assert span.read({"project": str(two)}, today=TODAY).project_ids == frozenset({two})
