"""The set-up page of an HTTP gateway: the address for its reports, and what came of them."""

import json
import time
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from django.test import Client, TestCase
from django.utils import timezone
from pytest_django import Settings

from channels.models import SenderReports
from otp.models import Challenge, Delivery
from simulator.accounts import Accounts
from tests import factories
from tests.clock import later
from tests.console.sender_setup.conftest import SetupPage
from tests.otp.conftest import QueuedTasks
from tests.simulator.support import Receiver
from tests.simulator_client import RunningSimulator
from tests.webhooks.support import gateway_signature

pytestmark = pytest.mark.django_db
PATH = "/sms/http/status"
PHONE = "+85251234567"
SECRET = Accounts().gateway_secret


@pytest.fixture
def page(staff: Client, project: Any, simulator: RunningSimulator, receiver: Receiver) -> SetupPage:
    """Of the simulator's gateway, which reports to the receiver."""
    state = simulator.simulator.state
    state.accounts = replace(state.accounts, gateway_reports_url=f"{receiver.url}{PATH}")
    url = f"{simulator.url}/gateway/messages"
    return SetupPage(staff, factories.make_sender("sms", provider="http", url=url, signing_secret=SECRET))


def card(page: SetupPage) -> Any:
    cards = page.client.get(page.address).context["page"].cards
    return next(item for item in cards if item.step.name == "reports")


def arrivals(page: SetupPage) -> tuple[str, str]:
    line = card(page).arrivals
    return line.level, str(line.text)


def send_code(page: SetupPage, queued: QueuedTasks) -> Delivery:
    factories.make_sender("whatsapp")  # the project promises both
    with TestCase.captureOnCommitCallbacks(execute=True):
        page.press("test_code", phone=PHONE, channel="sms")
    queued.run()
    return Delivery.objects.get(challenge=Challenge.objects.get(), sender=page.sender)


def hand_over(receiver: Receiver, count: int) -> list[int]:
    return [
        Client()
        .post(
            item.path,
            item.body,
            content_type="application/json",
            headers={"X-Authsvc-Signature": item.headers["x-authsvc-signature"]},
        )
        .status_code
        for item in receiver.wait(count)[:count]
    ]


# Before anything came -----------------------------------------------------------------------------------


def test_the_card_has_the_callback_url_and_no_verify_token(page: SetupPage, settings: Settings) -> None:
    text = page.text()

    assert f'value="{settings.AUTHSVC_PUBLIC_URL}{PATH}"' in text
    assert "Callback URL" in text
    assert "Make a new verify token" not in text
    assert "Subscribe" not in text


def test_without_reports_nothing_is_to_be_fixed(page: SetupPage) -> None:
    """It need not report."""
    assert arrivals(page) == ("", "no signed event has arrived yet")
    assert (card(page).level, str(card(page).label)) == ("", "Not checked")
    assert "need not report" in page.text()
    assert ">info<" in page.text()

    page.press("check", step="reports")
    assert [line.level for line in card(page).lines] == ["warn", "ok"]
    assert "is not https" in page.lines("reports", "warn")  # the address of this test
    assert "takes reports at /sms/http/status" in page.lines("reports", "ok")


@pytest.mark.parametrize("status", [404, 200, 502])
def test_a_proxy_that_does_not_hand_the_path_on_is_named(
    status: int, page: SetupPage, receiver: Receiver
) -> None:
    receiver.asked = status
    page.press("check", step="reports")

    assert page.level("reports") == "warn"
    assert f"answers {PATH} with {status}" in page.lines("reports", "warn")


def test_an_address_that_does_not_answer_is_named(page: SetupPage, settings: Settings) -> None:
    settings.AUTHSVC_PUBLIC_URL = "http://127.0.0.1:9"
    page.press("check", step="reports")

    assert "cannot be reached" in page.lines("reports", "fail")


def test_the_form_shows_the_address_and_the_secret_before(page: SetupPage, settings: Settings) -> None:
    text = page.client.get(f"/admin/channels/sender/{page.sender.pk}/change/").content.decode()

    assert f"{settings.AUTHSVC_PUBLIC_URL}{PATH}" in text
    assert "Callback URL for the gateway" in text
    assert "Previous signing secret" in text
    assert SECRET not in text


# What came ----------------------------------------------------------------------------------------------


def test_a_test_code_that_is_reported_turns_the_card_green(
    page: SetupPage, queued: QueuedTasks, receiver: Receiver
) -> None:
    delivery = send_code(page, queued)
    assert hand_over(receiver, 2) == [200, 200]

    level, text = arrivals(page)
    assert (level, page.level("reports")) == ("ok", "ok")
    assert "last signed event" in text
    assert "SMS: delivered" in page.text(challenge=str(delivery.challenge_id))


def test_another_secret_at_the_gateway_is_named(
    page: SetupPage, queued: QueuedTasks, receiver: Receiver, simulator: RunningSimulator
) -> None:
    with simulator.client() as provider:
        provider.set_faults(reports={"forge": True})
    send_code(page, queued)
    assert hand_over(receiver, 2) == [401, 401]

    level, text = arrivals(page)
    assert (level, page.level("reports")) == ("fail", "fail")
    assert "carry a signature that this signing secret does not match" in text
    assert "see that its clock is right" in page.text()


def test_a_clock_that_is_wrong_is_named(page: SetupPage, queued: QueuedTasks) -> None:
    delivery = send_code(page, queued)
    body = json.dumps({"id": str(delivery.pk), "status": "delivered"}).encode()
    header = gateway_signature(SECRET, body, at=int(time.time()) - 900)
    answer = Client().post(PATH, body, "application/json", headers={"X-Authsvc-Signature": header})

    assert answer.status_code == 401
    assert "more than five minutes away" in arrivals(page)[1]


def test_after_a_right_report_a_refused_one_of_before_is_forgotten(
    page: SetupPage, queued: QueuedTasks, receiver: Receiver
) -> None:
    send_code(page, queued)
    SenderReports.objects.create(
        sender=page.sender, refused=4, refused_at=timezone.now() - timedelta(seconds=9)
    )
    assert arrivals(page)[0] == "fail"

    assert hand_over(receiver, 2) == [200, 200]
    assert arrivals(page)[0] == "ok"


def test_reports_that_stay_away_later_are_named(page: SetupPage) -> None:
    now = timezone.now()
    SenderReports.objects.create(sender=page.sender, reported_at=now - timedelta(hours=1), missing_since=now)

    with later(1):
        level, text = arrivals(page)
    assert (level, text) == ("fail", "The gateway's reports do not arrive any more")
    assert "its reports do not arrive" in page.client.get("/admin/channels/sender/").content.decode()
