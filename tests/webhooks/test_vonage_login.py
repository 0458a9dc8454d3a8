"""A whole login: WhatsApp cannot deliver, Vonage's SMS takes over, its signed report arrives, the code is right.

Over real HTTP: the simulator plays Meta and Vonage, and what it posts is given to our webhook byte for byte.
"""

from collections.abc import Iterator

import pytest
from django.test import Client
from pytest_django import Settings

from channels.types import Channel, FailureReason, Status
from otp.models import Delivery
from simulator.accounts import Accounts
from simulator.vonage.messages import ACCOUNT
from tests import factories
from tests.otp.conftest import QueuedTasks, Start, project, queued, start
from tests.simulator.support import Receiver, receiving
from tests.simulator_client import RunningSimulator
from tests.simulator_client import start as start_simulator

__all__ = ["project", "queued", "start"]  # fixtures
pytestmark = pytest.mark.django_db


@pytest.fixture(scope="module")
def receiver() -> Iterator[Receiver]:
    with receiving() as receiver:
        yield receiver


@pytest.fixture
def simulator(receiver: Receiver, settings: Settings) -> Iterator[RunningSimulator]:
    receiver.start_test()
    with start_simulator(webhook_url=f"{receiver.url}/whatsapp/webhook") as running:
        settings.PROVIDER_API_URLS = {"whatsapp": running.graph_url, "vonage": running.url}
        settings.AUTHSVC_PUBLIC_URL = receiver.url
        yield running


@pytest.fixture(autouse=True)
def _senders(db: None) -> None:
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
    factories.make_sender(
        "sms",
        provider="vonage",
        api_key=ACCOUNT.api_key,
        api_secret=ACCOUNT.api_secret,
        signature_secret=ACCOUNT.signature_secret,
        from_number=f"+{ACCOUNT.from_number}",
    )


def hand_over(receiver: Receiver, count: int) -> None:
    """Give our webhooks what was posted."""
    for item in receiver.wait(count)[:count]:
        names = {"x-hub-signature-256": "X-Hub-Signature-256", "authorization": "Authorization"}
        headers = {name: item.headers[key] for key, name in names.items() if key in item.headers}
        answer = Client().post(item.path, item.body, content_type="application/json", headers=headers)
        assert answer.status_code == 200


def test_an_sms_of_vonage_carries_the_login_when_whatsapp_cannot(
    simulator: RunningSimulator, receiver: Receiver, start: Start, queued: QueuedTasks
) -> None:
    with simulator.client() as handsets:
        handsets.set_handset(factories.PHONE, whatsapp="not_on_whatsapp_sync")
        challenge_id = start()
        queued.run()
        code = handsets.wait_for_code(factories.PHONE, channel="sms")
    hand_over(receiver, 2)

    whatsapp, sms = Delivery.objects.filter(challenge_id=challenge_id).order_by("id")
    assert (whatsapp.status, whatsapp.reason) == (Status.FAILED, FailureReason.NOT_ON_CHANNEL)
    assert (sms.channel, sms.status) == (Channel.SMS, Status.DELIVERED)
    assert code == factories.code_of(challenge_id)


def test_a_report_of_vonage_that_fails_is_stored_with_its_reason(
    simulator: RunningSimulator, receiver: Receiver, start: Start, queued: QueuedTasks
) -> None:
    with simulator.client() as handsets:
        handsets.set_handset(factories.PHONE, sms="undelivered")
        challenge_id = start(channel=Channel.SMS)
        queued.run()
    hand_over(receiver, 2)

    delivery = Delivery.objects.get(challenge_id=challenge_id, channel="sms")
    assert (delivery.status, delivery.reason, delivery.provider_code) == (
        Status.FAILED,
        FailureReason.UNREACHABLE,
        "1260",
    )
