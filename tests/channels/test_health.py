"""The health of senders, kept for all processes."""

import threading
import uuid
from datetime import timedelta

import pytest
from django.db import connection
from django.utils import timezone
from structlog.testing import capture_logs

from channels import health
from channels.breaker import Health, Source, State, Verdict
from channels.models import Sender, SenderHealth
from channels.senders import senders
from channels.types import FailureReason
from core import config_version
from tests import factories
from tests.clock import later


@pytest.fixture
def sender(db: None) -> Sender:
    return factories.make_sender("whatsapp")


def fail(sender: Sender, times: int = 1, reason: FailureReason = FailureReason.UNAVAILABLE) -> None:
    for _ in range(times):
        health.failed(sender.id, source=Source.CALL, reason=reason, provider_code="131000")


def test_a_sender_without_trouble_has_no_row(sender: Sender) -> None:
    health.succeeded(sender.id, source=Source.CALL)

    assert health.gate(sender.id).verdict is Verdict.GO
    assert not SenderHealth.objects.exists()
    assert health.states() == [(sender.id, "whatsapp", State.CLOSED)]


def test_an_open_breaker_is_known_to_every_process_at_once(sender: Sender) -> None:
    before = config_version.current()
    known = senders.get()
    fail(sender, 5)

    assert config_version.current() > before
    config = senders.get().by_id[sender.id]
    assert senders.get().is_open(config, now=timezone.now())
    assert not known.is_open(config, now=timezone.now())
    assert health.states() == [(sender.id, "whatsapp", State.OPEN)]


def test_counting_alone_disturbs_nobody(sender: Sender) -> None:
    before = config_version.current()
    fail(sender, 4)

    assert config_version.current() == before


def test_one_probe_at_a_time(sender: Sender) -> None:
    fail(sender, 5)

    assert health.gate(sender.id).verdict is Verdict.SKIP
    with later(10):
        assert health.states()[0][2] is State.HALF_OPEN
        assert health.gate(sender.id).verdict is Verdict.GO
        assert health.gate(sender.id).verdict is Verdict.SKIP


@pytest.mark.django_db(transaction=True)
def test_of_many_at_the_same_moment_one_is_the_probe() -> None:
    sender = factories.make_sender("whatsapp")
    fail(sender, 5)
    SenderHealth.objects.update(open_until=timezone.now() - timedelta(seconds=1))
    barrier = threading.Barrier(6)
    verdicts: list[Verdict] = []

    def run() -> None:
        barrier.wait()
        try:
            verdicts.append(health.gate(sender.id).verdict)
        finally:
            connection.close()

    threads = [threading.Thread(target=run) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=30)

    assert sorted(verdicts) == [Verdict.GO] + [Verdict.SKIP] * 5


@pytest.mark.django_db(transaction=True)
def test_failures_at_the_same_moment_are_all_counted() -> None:
    sender = factories.make_sender("whatsapp")
    barrier = threading.Barrier(5)

    def run() -> None:
        barrier.wait()
        try:
            fail(sender)
        finally:
            connection.close()

    threads = [threading.Thread(target=run) for _ in range(5)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=30)

    assert SenderHealth.objects.get().call_failures == 5
    assert health.states()[0][2] is State.OPEN


def test_good_news_forgets_the_trouble(sender: Sender) -> None:
    fail(sender, 5)
    with later(11):
        health.gate(sender.id)
        health.succeeded(sender.id, source=Source.CALL)
        assert health.states()[0][2] is State.CLOSED
        assert not senders.get().is_open(senders.get().by_id[sender.id], now=timezone.now())
    with later(700):
        health.succeeded(sender.id, source=Source.CALL)

    assert not SenderHealth.objects.exists()


def test_a_changed_sender_starts_afresh(sender: Sender) -> None:
    """The admin typed a new token: what the old one did says nothing."""
    fail(sender, 5, FailureReason.MISCONFIGURED)
    assert senders.get().open_until

    sender.secrets["access_token"] = "a-new-one"
    sender.save()

    left = health.read(SenderHealth.objects.get())
    assert left == Health(recovery_source="call")
    assert not senders.get().open_until
    assert health.alerts() == []
    health.succeeded(sender.id, source=Source.CALL)
    assert not SenderHealth.objects.exists()


def test_of_a_sender_that_alarmed_nobody_a_change_leaves_nothing(sender: Sender) -> None:
    fail(sender, 4)
    assert SenderHealth.objects.exists()

    sender.save()

    assert not SenderHealth.objects.exists()


def test_a_deleted_sender_is_nobodys_trouble(sender: Sender) -> None:
    fail(sender)
    sender.delete()
    health.failed(sender.id, source=Source.CALL, reason=FailureReason.UNAVAILABLE)
    health.failed(uuid.uuid4(), source=Source.REPORT, reason=FailureReason.PAYMENT)

    assert not SenderHealth.objects.exists()
    assert health.states() == []


def test_what_an_operator_must_know_is_logged_once(sender: Sender) -> None:
    with capture_logs() as lines:
        fail(sender, 6, FailureReason.MISCONFIGURED)

    events = [line["event"] for line in lines]
    assert events.count("sender.alert") == 1
    assert events.count("sender.breaker_opened") == 1
    alert = next(line for line in lines if line["event"] == "sender.alert")
    assert (alert["reason"], alert["provider_code"], alert["log_level"]) == (
        "misconfigured",
        "131000",
        "error",
    )
