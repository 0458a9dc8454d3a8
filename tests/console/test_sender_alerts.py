"""Every page of the admin says which senders need somebody, and what to do."""

from datetime import timedelta

import pytest
from django.test import Client
from django.utils import timezone

from channels import alerts, health
from channels.breaker import Source
from channels.models import Sender, SenderHealth
from channels.types import Channel, FailureReason
from tests import factories
from users.models import User


@pytest.fixture
def staff(client: Client, db: None) -> Client:
    client.force_login(User.objects.create_superuser(username="root", password="a-long-password-1"))
    return client


@pytest.fixture
def sender(db: None) -> Sender:
    factories.make_sender("whatsapp", provider="meta")
    factories.make_project()
    return Sender.objects.get(channel="whatsapp")


def fail(sender: Sender, reason: FailureReason, code: str = "", times: int = 1) -> None:
    for _ in range(times):
        health.failed(sender.id, source=Source.CALL, reason=reason, provider_code=code)


@pytest.mark.parametrize(
    ("reason", "code", "problem"),
    [
        (FailureReason.MISCONFIGURED, "190", "The access token is expired or not valid"),
        (FailureReason.MISCONFIGURED, "10", "The provider refuses this sender"),
        (FailureReason.PAYMENT, "131042", "The provider cannot charge the account"),
        (FailureReason.ACCOUNT_BLOCKED, "131031", "The provider has restricted the account"),
        (FailureReason.HELD, "paused", "holds them back"),
    ],
)
def test_a_page_says_what_is_wrong_and_where(
    reason: FailureReason, code: str, problem: str, sender: Sender, staff: Client
) -> None:
    fail(sender, reason, code)

    page = staff.get("/admin/users/user/").content.decode()

    assert problem in page
    assert f"({code})" in page
    assert f"/admin/channels/sender/{sender.pk}/change/" in page
    assert 'role="alert"' in page


def test_a_provider_that_is_down_is_told_once_it_is_skipped(sender: Sender, staff: Client) -> None:
    fail(sender, FailureReason.UNAVAILABLE, times=4)
    assert alerts.current() == []

    fail(sender, FailureReason.UNAVAILABLE)
    (alert,) = alerts.current()
    assert (alert.skipped, alert.channel) == (True, Channel.WHATSAPP)
    assert "New logins skip it" in staff.get("/admin/").content.decode()


def test_all_well_says_nothing(sender: Sender, staff: Client) -> None:
    assert 'role="alert"' not in staff.get("/admin/").content.decode()


def test_a_sender_that_is_switched_off_raises_no_alert(sender: Sender) -> None:
    fail(sender, FailureReason.MISCONFIGURED)
    Sender.objects.filter(pk=sender.pk).update(is_active=False)

    assert alerts.current() == []


def test_nobody_learns_it_before_logging_in(sender: Sender, client: Client) -> None:
    fail(sender, FailureReason.MISCONFIGURED, "190")

    assert "access token" not in client.get("/admin/login/").content.decode()


def test_the_oldest_trouble_comes_first(sender: Sender) -> None:
    sms = Sender.objects.get(channel="sms")
    fail(sms, FailureReason.PAYMENT)
    fail(sender, FailureReason.MISCONFIGURED)
    SenderHealth.objects.filter(sender=sender).update(since=timezone.now() - timedelta(hours=1))

    assert [alert.sender_id for alert in alerts.current()] == [sender.id, sms.id]


@pytest.mark.parametrize(
    ("change", "condition"),
    [
        ({}, "Healthy"),
        ({"alert": True, "reason": "payment"}, "failing"),
        ({"throttle": timedelta(seconds=1)}, "Throttled"),
        ({"opened_by": "call", "open_until": timezone.now() + timedelta(hours=1)}, "Skipped (failing)"),
    ],
)
def test_the_list_of_senders_tells_their_condition(
    change: dict[str, object], condition: str, sender: Sender, staff: Client
) -> None:
    if change:
        SenderHealth.objects.create(sender=sender, **change)

    assert condition in staff.get("/admin/channels/sender/?channel__exact=whatsapp").content.decode()
