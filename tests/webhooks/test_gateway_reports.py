"""Reports of HTTP gateways about deliveries that there are: who may change which, at once, and those that are refused."""

import json
import time
import uuid
from functools import partial
from typing import Any

import pytest
from django.test import TestCase

from channels.models import Sender, SenderReports
from channels.types import Channel, FailureReason, Status
from core.redis import LocalStore
from otp.models import Challenge, Delivery, DeliveryEvent
from tests import factories
from tests.otp.conftest import Providers, QueuedTasks, Start, project, providers, queued, start
from tests.otp.failover.support import path_of
from tests.threads import at_once
from tests.webhooks.support import gateway_signature
from tests.webhooks.test_gateway import OLD_SECRET, OTHER_SECRET, make_sender, post

__all__ = ["project", "providers", "queued", "start"]  # fixtures
pytestmark = pytest.mark.django_db


@pytest.fixture
def sender(db: None) -> Sender:
    return make_sender(name="gateway", priority=1)


@pytest.fixture
def delivery(sender: Sender, start: Start, queued: QueuedTasks, providers: Providers) -> Delivery:
    """An SMS that the gateway took."""
    challenge_id = start(channel=Channel.SMS)
    queued.run()
    delivery = Delivery.objects.get(challenge_id=challenge_id)
    assert (delivery.sender_id, delivery.status) == (sender.pk, Status.ACCEPTED)
    return delivery


def report(delivery: Delivery, status: str, *, secret: str = "", **more: Any) -> int:
    body = json.dumps({"id": str(delivery.pk), "status": status, **more}).encode()
    code: int = (post(body, secret=secret) if secret else post(body)).status_code
    return code


def events(delivery: Delivery) -> list[str]:
    rows = delivery.events.exclude(status=Status.ACCEPTED).order_by("id")
    return [Status(row.status).word for row in rows]


def test_a_delivery_goes_from_sent_to_delivered(delivery: Delivery) -> None:
    taken_as = delivery.provider_message_id

    for word in ("sent", "delivered"):
        assert report(delivery, word) == 200

    delivery.refresh_from_db()
    assert (delivery.status, delivery.due_at) == (Status.DELIVERED, None)
    assert delivery.provider_message_id == taken_as  # what the gateway answered
    assert events(delivery) == ["sent", "delivered"]


def test_the_secret_before_still_counts(delivery: Delivery) -> None:
    assert report(delivery, "delivered", secret=OLD_SECRET) == 200

    delivery.refresh_from_db()
    assert delivery.status == Status.DELIVERED


@pytest.mark.parametrize(
    ("words", "last"),
    [
        (["delivered", "sent"], Status.DELIVERED),
        (["delivered", "failed"], Status.DELIVERED),
        (["failed", "delivered"], Status.DELIVERED),
        (["failed", "sent"], Status.FAILED),
        (["sent", "expired", "expired"], Status.FAILED),
    ],
)
def test_a_status_only_climbs(words: list[str], last: Status, delivery: Delivery) -> None:
    for word in words:
        assert report(delivery, word) == 200

    delivery.refresh_from_db()
    assert delivery.status == last


def test_a_repeated_report_is_stored_once(delivery: Delivery, queued: QueuedTasks) -> None:
    with TestCase.captureOnCommitCallbacks(execute=True):
        assert [report(delivery, "failed", error="unreachable") for _ in range(3)] == [200] * 3

    assert events(delivery) == ["failed"]
    assert queued.fall_back == [delivery.pk]


def test_a_message_whose_answer_was_lost_is_found_by_its_report(delivery: Delivery) -> None:
    Delivery.objects.update(provider_message_id="")

    assert report(delivery, "sent") == 200

    delivery.refresh_from_db()
    assert (delivery.status, delivery.provider_message_id) == (Status.SENT, str(delivery.pk))


def test_another_senders_delivery_is_out_of_reach(delivery: Delivery) -> None:
    make_sender(project_id=_project_of(delivery), signing_secret=OTHER_SECRET)

    assert report(delivery, "delivered", secret=OTHER_SECRET) == 200

    delivery.refresh_from_db()
    assert delivery.status == Status.ACCEPTED
    assert events(delivery) == []


def _project_of(delivery: Delivery) -> uuid.UUID:
    return Challenge.objects.get(pk=delivery.challenge_id).project_id


def test_a_failure_that_blames_the_gateway_is_followed_by_the_next_sender(
    delivery: Delivery, queued: QueuedTasks, providers: Providers
) -> None:
    """As for other providers of SMS."""
    factories.make_sender("sms", name="next", priority=2)
    with TestCase.captureOnCommitCallbacks(execute=True):
        assert report(delivery, "failed", error="payment_required") == 200
    queued.run()

    assert path_of(delivery.challenge_id) == [("gateway", "start"), ("next", "failover")]
    assert len(providers.codes) == 1  # the same code
    delivery.refresh_from_db()
    assert (delivery.reason, delivery.provider_code) == (FailureReason.PAYMENT, "payment_required")


def test_a_handset_that_is_off_is_followed_by_no_other_sender(
    delivery: Delivery, queued: QueuedTasks
) -> None:
    with TestCase.captureOnCommitCallbacks(execute=True):
        assert report(delivery, "expired") == 200
    queued.run()

    assert path_of(delivery.challenge_id) == [("gateway", "start")]


# At once ----------------------------------------------------------------------------------------------


@pytest.mark.django_db(transaction=True)
def test_reports_that_race_end_with_the_higher_status(delivery: Delivery) -> None:
    for _ in range(8):
        DeliveryEvent.objects.exclude(status=Status.ACCEPTED).delete()
        Delivery.objects.update(status=Status.ACCEPTED, reason="", provider_code="")
        LocalStore.clear_all()

        words = ("delivered", "failed", "delivered", "sent")
        results = at_once([partial(report, delivery, word) for word in words])

        assert results == [200] * 4
        delivery.refresh_from_db()
        assert (delivery.status, delivery.reason) == (Status.DELIVERED, "")
        assert sorted(events(delivery)) == ["delivered", "failed", "sent"]


# Refused ----------------------------------------------------------------------------------------------


def refused(sender: Sender) -> int:
    row = SenderReports.objects.filter(sender=sender).first()
    return row.refused if row else 0


def test_a_wrong_secret_is_counted_for_the_sender_of_the_delivery(sender: Sender, delivery: Delivery) -> None:
    other = make_sender(project_id=_project_of(delivery), signing_secret="another")

    assert report(delivery, "delivered", secret=OTHER_SECRET) == 401

    assert (refused(sender), refused(other)) == (1, 0)
    delivery.refresh_from_db()
    assert delivery.status == Status.ACCEPTED


@pytest.mark.parametrize("age", [301, -301])
def test_a_clock_that_is_wrong_and_a_replay_are_counted_alike(
    age: int, sender: Sender, delivery: Delivery
) -> None:
    body = json.dumps({"id": str(delivery.pk), "status": "delivered"}).encode()

    assert post(body, age=age).status_code == 401

    assert refused(sender) == 1
    delivery.refresh_from_db()
    assert delivery.status == Status.ACCEPTED


def test_a_replay_within_its_time_changes_nothing(delivery: Delivery) -> None:
    body = json.dumps({"id": str(delivery.pk), "status": "sent"}).encode()
    header = gateway_signature("signing-secret-of-acme", body, at=int(time.time()))

    assert [post(body, header=header).status_code for _ in range(3)] == [200] * 3
    assert events(delivery) == ["sent"]


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{",
        b'{"id": "gw-1"}',
        b'{"id": "------------------------------------"}',
        b'{"id": "01890000-0000-7000-8000-00000000ffff"}',
    ],
)
def test_a_stranger_can_blame_no_sender(body: bytes, sender: Sender, delivery: Delivery) -> None:
    assert post(body, secret="guessed").status_code == 401
    assert not SenderReports.objects.exists()


def test_only_the_beginning_of_a_body_is_searched(sender: Sender, delivery: Delivery) -> None:
    body = json.dumps({"padding": "x" * 1000, "id": str(delivery.pk)}).encode()

    assert post(body, secret="guessed").status_code == 401
    assert refused(sender) == 0


def test_a_delivery_of_another_provider_blames_nobody(
    sender: Sender, start: Start, queued: QueuedTasks, providers: Providers
) -> None:
    challenge_id = start()
    queued.run()
    whatsapp = Delivery.objects.get(challenge_id=challenge_id)

    assert report(whatsapp, "delivered", secret="guessed") == 401
    assert report(whatsapp, "delivered") == 200
    assert not SenderReports.objects.filter(refused__gt=0).exists()
    whatsapp.refresh_from_db()
    assert whatsapp.status == Status.ACCEPTED
