"""A whole login by an HTTP gateway that reports: from the send to delivered, and to failed.

Over real HTTP: the simulator plays Meta and the gateway, and what it posts is given to our webhook byte for byte.
"""

from collections.abc import Iterator
from dataclasses import replace

import pytest
from django.test import Client, TestCase
from pytest_django import Settings

from channels.models import Sender, SenderReports
from channels.types import Channel, FailureReason, Status
from otp.models import Delivery
from projects.config import projects
from projects.models import LoginMethods
from simulator.accounts import Accounts
from tests import factories
from tests.otp.conftest import QueuedTasks, Start, project, queued, start
from tests.simulator.support import Receiver, receiving
from tests.simulator_client import RunningSimulator, SimulatorClient
from tests.simulator_client import start as start_simulator

__all__ = ["project", "queued", "start"]  # fixtures
pytestmark = pytest.mark.django_db
PATH = "/sms/http/status"


@pytest.fixture(scope="module")
def receiver() -> Iterator[Receiver]:
    with receiving() as receiver:
        yield receiver


@pytest.fixture
def simulator(receiver: Receiver, settings: Settings) -> Iterator[RunningSimulator]:
    receiver.start_test()
    accounts = replace(Accounts(), gateway_reports_url=f"{receiver.url}{PATH}")
    with start_simulator(webhook_url=f"{receiver.url}/whatsapp/webhook", accounts=accounts) as running:
        settings.PROVIDER_API_URLS = {"whatsapp": running.graph_url}
        settings.AUTHSVC_PUBLIC_URL = receiver.url
        yield running


@pytest.fixture(autouse=True)
def gateway(db: None, simulator: RunningSimulator) -> Sender:
    meta = Accounts().whatsapp[0]
    factories.make_sender(
        "whatsapp",
        provider="meta",
        phone_number_id=meta.phone_number_id,
        business_account_id=meta.business_account_id,
        access_token=meta.access_token,
        app_secret=meta.app_secret,
        verify_token=meta.verify_token,
    )
    return factories.make_sender(
        "sms",
        provider="http",
        url=f"{simulator.url}/gateway/messages",
        signing_secret=Accounts().gateway_secret,
    )


@pytest.fixture
def handsets(simulator: RunningSimulator) -> Iterator[SimulatorClient]:
    with simulator.client() as client:
        yield client


def hand_over(receiver: Receiver, count: int, *, answer: int = 200) -> None:
    """Give our webhooks what was posted."""
    for item in receiver.wait(count)[:count]:
        names = {
            "x-hub-signature-256": "X-Hub-Signature-256",
            "x-authsvc-signature": "X-Authsvc-Signature",
        }
        headers = {name: item.headers[key] for key, name in names.items() if key in item.headers}
        response = Client().post(item.path, item.body, content_type="application/json", headers=headers)
        assert response.status_code == answer


def test_an_sms_of_the_gateway_carries_the_login_when_whatsapp_cannot(
    handsets: SimulatorClient, receiver: Receiver, start: Start, queued: QueuedTasks
) -> None:
    handsets.set_handset(factories.PHONE, whatsapp="not_on_whatsapp_sync")
    challenge_id = start()
    queued.run()
    code = handsets.wait_for_code(factories.PHONE, channel="sms")
    hand_over(receiver, 2)

    whatsapp, sms = Delivery.objects.filter(challenge_id=challenge_id).order_by("id")
    assert (whatsapp.status, whatsapp.reason) == (Status.FAILED, FailureReason.NOT_ON_CHANNEL)
    assert (sms.channel, sms.status) == (Channel.SMS, Status.DELIVERED)
    assert sms.provider_message_id.startswith("gw_")
    assert [Status(row.status) for row in sms.events.order_by("id")] == [
        Status.ACCEPTED,
        Status.SENT,
        Status.DELIVERED,
    ]
    assert code == factories.code_of(challenge_id)


@pytest.mark.parametrize(
    ("handset", "posts", "code"),
    [
        ({"sms": "undelivered"}, 2, "unreachable"),
        ({"sms": "late", "late_seconds": 3600}, 1, ""),
    ],
)
def test_a_report_that_fails_is_stored_with_its_reason(
    handset: dict[str, object],
    posts: int,
    code: str,
    handsets: SimulatorClient,
    receiver: Receiver,
    start: Start,
    queued: QueuedTasks,
) -> None:
    handsets.set_handset(factories.PHONE, **handset)
    challenge_id = start(channel=Channel.SMS)
    queued.run()
    if "late_seconds" in handset:
        handsets.report(factories.PHONE, channel="sms", status="failed")  # its validity is over
    hand_over(receiver, posts)

    delivery = Delivery.objects.get(challenge_id=challenge_id, channel="sms")
    assert (delivery.status, delivery.reason) == (Status.FAILED, FailureReason.UNREACHABLE)
    assert delivery.provider_code == code


def test_whatsapp_takes_over_from_an_sms_that_failed(
    handsets: SimulatorClient, receiver: Receiver, start: Start, queued: QueuedTasks
) -> None:
    """Where SMS comes first."""
    methods = LoginMethods.objects.get()
    methods.routing = [{"countries": ["HK"], "order": ["sms", "whatsapp"]}]
    methods.save()
    handsets.set_handset(factories.PHONE, sms="undelivered")
    challenge_id = start(project=projects.get().by_id[methods.project_id])
    queued.run()
    with TestCase.captureOnCommitCallbacks(execute=True):
        hand_over(receiver, 2)
    queued.run()

    assert factories.channels_of(challenge_id) == [Channel.SMS, Channel.WHATSAPP]
    assert handsets.wait_for_code(factories.PHONE, channel="whatsapp") == factories.code_of(challenge_id)


def test_forged_doubled_and_shuffled_reports(
    gateway: Sender, handsets: SimulatorClient, receiver: Receiver, start: Start, queued: QueuedTasks
) -> None:
    handsets.set_faults(reports={"forge": True})
    challenge_id = start(channel=Channel.SMS)
    queued.run()
    hand_over(receiver, 2, answer=401)
    delivery = Delivery.objects.get(challenge_id=challenge_id)
    assert delivery.status == Status.ACCEPTED
    assert SenderReports.objects.get(sender=gateway).refused > 0

    receiver.received.clear()
    handsets.set_faults(reports={"forge": False, "double": True, "shuffle": True, "unknown_fields": True})
    other = start(factories.OTHER_PHONE, channel=Channel.SMS)
    queued.run()
    hand_over(receiver, 4)
    delivery = Delivery.objects.get(challenge_id=other)
    assert delivery.status == Status.DELIVERED
    assert delivery.events.count() == 3
