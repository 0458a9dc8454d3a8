"""A sender whose provider is the simulator over real HTTP, and staff who look at its set-up page."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest
from django.test import Client
from pytest_django import Settings

from channels.models import Sender
from projects.config import ProjectConfig
from simulator.accounts import Accounts
from tests import factories
from tests.otp.conftest import queued
from tests.simulator.support import Receiver, receiving
from tests.simulator_client import RunningSimulator, SimulatorClient
from tests.simulator_client import start as start_simulator
from users.models import User

__all__ = ["queued"]  # a fixture
META, TWILIO = Accounts().whatsapp[0], Accounts().twilio[0]
RIGHT: dict[str, Any] = {
    "phone_number_id": META.phone_number_id,
    "business_account_id": META.business_account_id,
    "access_token": META.access_token,
    "app_secret": META.app_secret,
    "verify_token": META.verify_token,
    "template_name": META.template,
    "template_languages": ["en", "es"],
}


@pytest.fixture(scope="session")
def receiver() -> Iterator[Receiver]:
    with receiving() as receiver:
        yield receiver


@pytest.fixture
def simulator(receiver: Receiver, settings: Settings) -> Iterator[RunningSimulator]:
    """Our public address is the receiver's: it answers Meta's verification and keeps what is posted."""
    receiver.start_test()
    with start_simulator(webhook_url=f"{receiver.url}/whatsapp/webhook") as running:
        settings.PROVIDER_API_URLS = {
            "whatsapp": running.graph_url,
            "twilio": running.url,
            "vonage": running.url,
        }
        settings.AUTHSVC_PUBLIC_URL = receiver.url
        yield running


@pytest.fixture
def provider(simulator: RunningSimulator) -> Iterator[SimulatorClient]:
    with simulator.client() as client:
        yield client


@pytest.fixture
def project(db: None) -> ProjectConfig:
    return factories.make_project(senders=False)


@dataclass
class SetupPage:
    """The set-up page of one sender, in the browser of one member of staff."""

    client: Client
    sender: Sender

    @property
    def address(self) -> str:
        return f"/admin/channels/sender/{self.sender.pk}/setup/"

    def text(self, **query: str) -> str:
        answer = self.client.get(self.address, query)
        assert answer.status_code == 200
        return answer.content.decode()

    def press(self, action: str, **form: object) -> Any:
        return self.client.post(self.address, {"action": action, **form}, follow=True)

    def lines(self, step: str, level: str) -> str:
        """What the last check of a step found, as one text: each finding with its remedy."""
        page = self.client.get(self.address).context["page"]
        card = next(card for card in page.cards if card.step.name == step)
        lines = [*card.lines, *filter(None, [card.arrivals])]
        return "\n".join(f"{line.text} → {line.remedy}" for line in lines if line.level == level)

    def level(self, step: str) -> str:
        page = self.client.get(self.address).context["page"]
        return str(next(card.level for card in page.cards if card.step.name == step))


def make_meta(**fields: Any) -> Sender:
    return factories.make_sender("whatsapp", provider="meta", **(RIGHT | fields))


def make_twilio(**fields: Any) -> Sender:
    known = {
        "account_sid": TWILIO.account_sid,
        "auth_token": TWILIO.auth_token,
        "from_number": TWILIO.from_number,
    }
    return factories.make_sender("sms", provider="twilio", **(known | fields))


@pytest.fixture
def staff(client: Client, db: None) -> Client:
    client.force_login(User.objects.create_superuser(username="root", password="a-long-password-1"))
    return client


@pytest.fixture
def meta(staff: Client, project: ProjectConfig, simulator: RunningSimulator) -> SetupPage:
    return SetupPage(staff, make_meta())


@pytest.fixture
def twilio(staff: Client, project: ProjectConfig, simulator: RunningSimulator) -> SetupPage:
    return SetupPage(staff, make_twilio())
