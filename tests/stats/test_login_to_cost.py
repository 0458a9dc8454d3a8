"""From a login by SMS to its cost in the dashboard: the simulator plays Twilio, over real HTTP, and tells the price when
it is asked for it later."""

from collections.abc import Iterator

import pytest
from django.test import Client
from django.utils import timezone
from pytest_django import Settings

from channels.models import Sender
from channels.types import Channel, Status
from otp.models import Delivery
from simulator.accounts import TwilioAccount
from stats import report, rollup, tasks
from stats.report import FIGURES
from stats.span import Span
from tests import factories
from tests.clock import later
from tests.oidc.conftest import staff
from tests.otp.conftest import QueuedTasks, Start, project, queued, start, verify
from tests.simulator.support import Receiver, receiving
from tests.simulator_client import RunningSimulator
from tests.simulator_client import start as start_simulator
from tests.stats.priced import make_sender

__all__ = ["project", "queued", "staff", "start"]  # fixtures
pytestmark = [pytest.mark.django_db, pytest.mark.stores]

FORTY_MINUTES, TWO_HOURS = 2_400, 7_200


@pytest.fixture(scope="module")
def receiver() -> Iterator[Receiver]:
    with receiving() as receiver:
        yield receiver


@pytest.fixture
def simulator(receiver: Receiver, settings: Settings) -> Iterator[RunningSimulator]:
    receiver.start_test()
    with start_simulator(webhook_url=f"{receiver.url}/whatsapp/webhook") as running:
        settings.PROVIDER_API_URLS = {"twilio": running.url}
        settings.AUTHSVC_PUBLIC_URL = receiver.url
        yield running


def login_by_sms(
    simulator: RunningSimulator, receiver: Receiver, start: Start, queued: QueuedTasks
) -> Delivery:
    challenge_id = start(channel=Channel.SMS)
    queued.run()
    with simulator.client() as handsets:
        code = handsets.wait_for_code(factories.PHONE, channel="sms")
    for item in receiver.wait(2):
        headers = {"X-Twilio-Signature": item.headers["x-twilio-signature"]}
        answer = Client().post(
            item.path, item.body, content_type="application/x-www-form-urlencoded", headers=headers
        )
        assert answer.status_code == 200
    assert verify(challenge_id, code)
    return Delivery.objects.get(challenge_id=challenge_id)


def costs() -> list[report.Row]:
    today = timezone.now().date()
    return list(FIGURES["costs"].rows(report.load(Span(first=today.replace(day=1), last=today))))


def test_a_login_by_sms_has_its_cost(
    simulator: RunningSimulator, receiver: Receiver, start: Start, queued: QueuedTasks
) -> None:
    Sender.objects.filter(channel="sms").delete()
    make_sender()
    sent = login_by_sms(simulator, receiver, start, queued)
    assert sent.status == Status.DELIVERED
    rollup.keep(seconds=20)
    assert [row[5:] for row in costs()] == [(1, 0, 1, None, "")]  # no price known

    with later(FORTY_MINUTES):
        tasks.read_prices()
    with later(TWO_HOURS):
        rollup.keep(seconds=20)
        (row,) = costs()

    assert row[:4] == ("HK", "sms", "twilio", "")
    assert row[5:] == (1, 1, 0, report.money(7_900), "USD")
    assert report.money(7_900) == row[8]


def test_the_dashboard_shows_it(
    simulator: RunningSimulator, receiver: Receiver, start: Start, queued: QueuedTasks, staff: Client
) -> None:
    Sender.objects.filter(channel="sms").delete()
    make_sender(TwilioAccount(), name="hongkong")
    with simulator.client() as control:
        price = {"amount": "-0.05210", "unit": "EUR"}
        control.http.put("/facts", json={"sms_price": price}).raise_for_status()
    login_by_sms(simulator, receiver, start, queued)

    with later(FORTY_MINUTES):
        tasks.read_prices()
        rollup.keep(seconds=20)
        page = staff.get("/admin/?figure=costs").content.decode()

    assert "0.0521" in page
    assert "EUR" in page
