"""An HTTP gateway need not report: it is missed only once it has."""

import json
import time
import uuid

import pytest
from django.test import Client

from channels import alerts
from channels.models import Sender, SenderReports
from channels.senders import senders
from channels.types import FailureReason, Status
from otp.models import Delivery
from projects.config import ProjectConfig
from tests import factories
from tests.clock import later
from tests.otp.conftest import Providers, QueuedTasks, Start
from tests.otp.missing_reports.support import SMS, Logins, doctor, is_missing, sweep
from tests.webhooks.support import gateway_signature

SECRET = "signing-secret-of-acme"


@pytest.fixture
def sender(db: None) -> Sender:
    return factories.make_sender(
        "sms", provider="http", url="https://gateway.example/send", signing_secret=SECRET
    )


@pytest.fixture
def project(sender: Sender) -> ProjectConfig:
    """Its SMS go by the gateway, which the fixture `providers` stands for."""
    return factories.make_project()


@pytest.fixture
def logins(sender: Sender, start: Start, queued: QueuedTasks, providers: Providers) -> Logins:
    count = iter(range(1000))

    def log_in(people: int) -> list[uuid.UUID]:
        begun = []
        for nth in [next(count) for _ in range(people)]:
            begun.append(start(f"+8525123{nth:04}", address=f"198.51.{nth}.1", channel=SMS))
            queued.run()
        return begun

    return log_in


def report(challenge_id: uuid.UUID, *, secret: str = SECRET) -> int:
    delivery = factories.deliveries(challenge_id)[0]
    body = json.dumps({"id": str(delivery.pk), "status": "delivered"}).encode()
    headers = {"X-Authsvc-Signature": gateway_signature(secret, body, at=int(time.time()))}
    return Client().post("/sms/http/status", body, "application/json", headers=headers).status_code


def test_one_that_never_reports_is_never_missed(
    sender: Sender, logins: Logins, queued: QueuedTasks, providers: Providers
) -> None:
    begun = logins(6)

    for seconds in (61, 300, 3600):
        with later(seconds):
            sweep(queued)
            assert not is_missing()
            assert alerts.current() == []
            ((line,), code) = doctor()
            assert (line["check"], line["status"], code) == ("reports", "ok", 0)
            assert "no report yet, and none is overdue" in line["detail"]
            assert sender.pk not in senders.get().unreported

    assert len(providers.sent) == 6  # nothing was sent again
    for challenge_id in begun:
        (delivery,) = factories.deliveries(challenge_id)
        assert (delivery.status, delivery.reason) == (Status.EXPIRED, FailureReason.NO_REPORT)


def test_posts_with_a_wrong_signature_make_none_missing(logins: Logins, queued: QueuedTasks) -> None:
    """They explain a lack and never decide it: anybody can send them."""
    begun = logins(4)
    for challenge_id in begun:
        assert report(challenge_id, secret="wrong") == 401
    assert SenderReports.objects.get().refused > 0

    with later(61):
        sweep(queued)
        assert not is_missing()


def test_from_its_first_signed_report_on_it_is_missed(
    sender: Sender, logins: Logins, queued: QueuedTasks
) -> None:
    begun = logins(1)
    assert report(begun[0]) == 200
    with later(10):
        begun = logins(3)

    with later(10 + 61):
        sweep(queued)
        assert is_missing()
        assert sender.pk in senders.get().unreported
        (alert,) = alerts.current()
        assert alert.problem == "The gateway's reports do not arrive any more"
        ((line,), code) = doctor()
        assert (line["status"], code) == ("fail", 1)
        assert "delete this sender and add it anew" in line["remedy"]

        assert report(begun[0]) == 200
        assert not is_missing()
        assert alerts.current() == []


def test_the_reports_of_one_gateway_say_nothing_about_another(
    sender: Sender, logins: Logins, queued: QueuedTasks
) -> None:
    """The other has a secret of its own, and reports."""
    other = factories.make_sender(
        "sms", provider="http", url="https://other.example/", signing_secret="its-own", priority=9
    )
    begun = logins(1)
    Delivery.objects.update(sender=other)
    assert report(begun[0], secret="its-own") == 200
    logins(4)

    with later(61):
        sweep(queued)
        assert not is_missing()
    assert [row.pk for row in SenderReports.objects.exclude(reported_at=None)] == [other.pk]


def test_a_sender_that_is_made_anew_need_not_report_again(
    sender: Sender, logins: Logins, queued: QueuedTasks
) -> None:
    begun = logins(1)
    assert report(begun[0]) == 200
    sender.delete()
    factories.make_sender("sms", provider="http", url="https://gateway.example/send", signing_secret=SECRET)

    with later(10):
        logins(3)
    with later(10 + 61):
        sweep(queued)
        assert not is_missing()
