"""The health of senders as rows: what is written, what is told to people, to other processes and to monitoring."""

import uuid
from dataclasses import asdict
from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone
from prometheus_client import REGISTRY
from structlog.testing import capture_logs

from channels import breaker, health
from channels.breaker import THRESHOLD, UNEXPLAINED_THRESHOLD, Health, Source, State, Verdict
from channels.models import Sender, SenderHealth
from channels.types import FailureReason
from core import config_version
from projects.models import Project
from tests import factories
from tests.clock import later
from tests.statements import statements

pytestmark = pytest.mark.django_db
F = FailureReason
KEPT = breaker.ALERT_KEPT.total_seconds()


@pytest.fixture
def sender() -> Sender:
    return factories.make_sender("sms")


def fail(
    sender: Sender, times: int = 1, reason: FailureReason = F.MISCONFIGURED, source: Source = Source.CALL
) -> list[tuple[str, bool]]:
    """What people were told: reason, and whether it is an alert."""
    reported = [
        health.failed(sender.id, source=source, reason=reason, provider_code="190") for _ in range(times)
    ]
    return [(item.health.reason, item.health.alert) for item in reported if item]


def puzzle(sender: Sender, times: int, source: Source = Source.CALL) -> list[health.AlertChange]:
    reported = [health.failed(sender.id, source=source, reason=F.UNKNOWN) for _ in range(times)]
    return [item for item in reported if item]


def row() -> SenderHealth:
    return SenderHealth.objects.get()


# Rows -------------------------------------------------------------------------------------------------


def test_a_row_holds_what_the_breaker_knows(sender: Sender) -> None:
    every: dict[str, Any] = {
        "call_failures": 1,
        "report_failures": 2,
        "unexplained_calls": 3,
        "unexplained_reports": 4,
        "opened_by": "report",
        "open_until": timezone.now(),
        "openings": 5,
        "probing": True,
        "throttle": timedelta(seconds=1.5),
        "throttled_at": timezone.now(),
        "next_at": timezone.now(),
        "reason": "payment",
        "provider_code": "131042",
        "since": timezone.now(),
        "failed_at": timezone.now(),
        "alert": True,
        "recovery_source": "call",
    }
    assert set(every) == set(asdict(Health()))

    health._write(sender.id, Health(**every))

    assert asdict(health.read(row())) == every


def test_a_second_write_replaces_every_value_and_a_clean_one_the_row(sender: Sender) -> None:
    health._write(sender.id, Health(call_failures=1, reason="payment"))
    health._write(sender.id, Health(report_failures=1))
    assert health.read(row()) == Health(report_failures=1)

    health._write(sender.id, Health())
    assert not SenderHealth.objects.exists()


def test_senders_do_not_share_their_trouble(sender: Sender) -> None:
    project = Project.objects.create(slug="acme", name="Acme", is_default=True)
    other = factories.make_sender("sms", project)

    fail(sender, THRESHOLD)

    assert health.gate(other.id).verdict is Verdict.GO
    assert {key: state for key, _, state in health.states()} == {
        sender.id: State.OPEN,
        other.id: State.CLOSED,
    }


# News -------------------------------------------------------------------------------------------------


def test_people_hear_of_the_first_failure_that_somebody_has_to_mend_and_of_its_end(sender: Sender) -> None:
    assert fail(sender, 3) == [("misconfigured", True)]

    with later(KEPT + 1):
        over = health.succeeded(sender.id, source=Source.CALL)
    assert over is not None
    assert (over.sender.id, over.health.alert) == (sender.id, False)


def test_people_hear_of_another_reason_and_not_of_the_same_one_again(sender: Sender) -> None:
    assert fail(sender, 2) == [("misconfigured", True)]
    assert fail(sender, 2, F.PAYMENT) == [("payment", True)]
    assert fail(sender, 1) == [("misconfigured", True)]


def test_a_provider_that_is_down_is_news_once_it_is_skipped(sender: Sender) -> None:
    assert fail(sender, THRESHOLD - 1, F.UNAVAILABLE) == []
    assert fail(sender, 3, F.UNAVAILABLE) == [("unavailable", True)]


def test_a_hiccup_that_alarmed_nobody_ends_without_news(sender: Sender) -> None:
    fail(sender, THRESHOLD - 1, F.UNAVAILABLE)

    assert health.succeeded(sender.id, source=Source.CALL) is None


def test_good_news_soon_after_a_failure_are_no_end_yet(sender: Sender) -> None:
    fail(sender)

    assert health.succeeded(sender.id, source=Source.CALL) is None
    assert row().alert


@pytest.mark.parametrize("source", Source)
def test_the_tenth_unexplained_failure_is_news(source: Source, sender: Sender) -> None:
    assert puzzle(sender, UNEXPLAINED_THRESHOLD - 1, source) == []

    (reported,) = puzzle(sender, 1, source)

    assert (reported.health.reason, reported.health.opened_by) == ("unknown", source)


def test_after_a_save_people_hear_that_it_works_by_the_first_good_news(sender: Sender) -> None:
    fail(sender)
    sender.save()
    assert row().recovery_source == "call"

    assert health.succeeded(sender.id, source=Source.REPORT) is None
    over = health.succeeded(sender.id, source=Source.CALL)

    assert over is not None
    assert not SenderHealth.objects.exists()


def test_a_save_that_did_not_help_is_news_again(sender: Sender) -> None:
    fail(sender)
    sender.save()

    assert fail(sender) == [("misconfigured", True)]


# Other processes --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("act", "is_seen"),
    [
        (lambda sender: fail(sender, 1, F.UNAVAILABLE), False),
        (lambda sender: fail(sender, THRESHOLD, F.UNAVAILABLE), True),
        (lambda sender: fail(sender, 1), True),  # an alert begins
        (lambda sender: health.slowed(sender.id), False),
        (lambda sender: puzzle(sender, UNEXPLAINED_THRESHOLD - 1), False),
        (lambda sender: puzzle(sender, UNEXPLAINED_THRESHOLD), True),
        (lambda sender: health.succeeded(sender.id, source=Source.CALL), False),
        (lambda sender: health.changed(sender.id), False),
        (lambda sender: health.gate(sender.id), False),
    ],
    ids=["fails", "opens", "alarms", "slow", "puzzles", "opens unexplained", "works", "saved", "asked"],
)
def test_only_what_changes_plans_or_pages_reaches_every_process(
    act: Any, is_seen: bool, sender: Sender
) -> None:
    """A version that rises makes all of them read the configuration."""
    before = config_version.current()

    act(sender)

    assert (config_version.current() > before) is is_seen


def test_good_news_of_a_well_sender_write_nothing(sender: Sender) -> None:
    with statements() as sent:
        health.succeeded(sender.id, source=Source.CALL)

    assert [line for line in sent if line.startswith(("INSERT", "UPDATE", "DELETE"))] == []


# The throttle and the probe ---------------------------------------------------------------------------


def test_a_throttled_sender_takes_one_message_after_the_other(sender: Sender) -> None:
    with later(0):
        health.slowed(sender.id)
        waiting = health.gate(sender.id)
        assert (waiting.verdict, waiting.at) == (Verdict.WAIT, timezone.now() + breaker.FIRST_THROTTLE)
    with later(1):
        assert [health.gate(sender.id).verdict for _ in range(2)] == [Verdict.GO, Verdict.WAIT]


def test_a_good_answer_ends_a_short_throttle_and_its_row(sender: Sender) -> None:
    health.slowed(sender.id)
    for _ in range(4):
        health.succeeded(sender.id, source=Source.CALL)

    assert not SenderHealth.objects.exists()


def test_the_wait_for_the_next_probe_doubles_in_the_database(sender: Sender) -> None:
    fail(sender, THRESHOLD, F.UNAVAILABLE)
    waits, moment = [], 0.0
    for _ in range(4):
        moment += 301
        with later(moment):
            assert health.gate(sender.id).verdict is Verdict.GO
            fail(sender, 1, F.UNAVAILABLE)
            until = row().open_until
            assert until
            waits.append((until - timezone.now()).total_seconds())

    assert waits == [10, 20, 40, 80]


def test_a_sender_that_was_deleted_stops_no_message() -> None:
    gone = uuid.uuid4()

    assert health.gate(gone).verdict is Verdict.GO
    assert health.succeeded(gone, source=Source.CALL) is None
    assert health.failed(gone, source=Source.CALL, reason=F.UNKNOWN) is None
    health.slowed(gone)
    health.changed(gone)
    assert not SenderHealth.objects.exists()


# Monitoring -------------------------------------------------------------------------------------------


def test_states_are_those_of_active_senders(sender: Sender) -> None:
    off = factories.make_sender("whatsapp", is_active=False)
    fail(off, THRESHOLD)
    fail(sender, THRESHOLD)

    assert health.states() == [(sender.id, "sms", State.OPEN)]
    assert health.alerts() == [(sender.id, "sms", "misconfigured")]
    with later(6):
        assert health.states() == [(sender.id, "sms", State.HALF_OPEN)]


@pytest.mark.parametrize("source", Source)
def test_each_opening_is_counted_and_logged_once(source: Source, sender: Sender) -> None:
    def opened() -> float:
        labels = {"channel": "sms", "source": source.value}
        return REGISTRY.get_sample_value("authsvc_breaker_opened_total", labels) or 0.0

    before = opened()
    with capture_logs() as lines:
        fail(sender, THRESHOLD + 3, source=source)
        with later(6):
            health.gate(sender.id)
            health.succeeded(sender.id, source=source)

    assert opened() == before + 1
    events = [(line["event"], line["log_level"]) for line in lines]
    assert events.count(("sender.breaker_opened", "error")) == 1
    assert events.count(("sender.breaker_closed", "warning")) == 1


def test_the_end_of_an_alert_is_logged(sender: Sender) -> None:
    fail(sender)
    with capture_logs() as lines, later(KEPT + 1):
        health.succeeded(sender.id, source=Source.CALL)

    assert [(line["event"], line["sender_id"]) for line in lines] == [("sender.alert_over", str(sender.id))]
