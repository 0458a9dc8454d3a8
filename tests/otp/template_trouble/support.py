"""A sender at Meta, and what happened at it."""

import uuid
from collections.abc import Callable

from django.test import Client

from channels import health
from channels.breaker import State
from channels.models import Sender
from channels.types import Channel, Status
from simulator.accounts import Accounts
from tests import factories
from tests.simulator.support import Received, Receiver, wait_until
from tests.simulator_client import SimulatorClient

WHATSAPP, SMS = Channel.WHATSAPP, Channel.SMS
NAME = "one_time_password"
type LogIn = Callable[..., uuid.UUID]


def make_sender(languages: list[str]) -> Sender:
    account = Accounts().whatsapp[0]
    return factories.make_sender(
        "whatsapp",
        provider="meta",
        phone_number_id=account.phone_number_id,
        business_account_id=account.business_account_id,
        access_token=account.access_token,
        app_secret=account.app_secret,
        verify_token=account.verify_token,
        template_name=NAME,
        template_languages=languages,
    )


def hand_over(item: Received) -> None:
    """Give our webhook what Meta has posted, byte for byte."""
    headers = {"X-Hub-Signature-256": item.headers["x-hub-signature-256"]}
    answer = Client().post(item.path, item.body, content_type="application/json", headers=headers)
    assert answer.status_code == 200


def hand_over_event(receiver: Receiver) -> None:
    """The next event of the account; reports of messages that lie before it are left."""

    def events() -> list[Received]:
        return [item for item in list(receiver.received) if '"field":"messages"' not in item.body.decode()]

    wait_until(lambda: bool(events()), what="an event of the account")
    hand_over(events()[0])
    receiver.received.clear()


def hand_over_failure(receiver: Receiver) -> None:
    def failures() -> list[Received]:
        return [item for item in list(receiver.received) if '"failed"' in item.body.decode()]

    wait_until(lambda: bool(failures()), what="a failed message")
    hand_over(failures()[0])
    receiver.received.clear()


def went_by(challenge_id: uuid.UUID) -> list[tuple[Channel, Status]]:
    return [(Channel(item.channel), Status(item.status)) for item in factories.deliveries(challenge_id)]


def languages_of(challenge_id: uuid.UUID) -> list[str]:
    return [item.template_language for item in factories.deliveries(challenge_id)]


def sender_state() -> State:
    return {channel: state for _, channel, state in health.states()}[WHATSAPP]


def outcomes(meta: SimulatorClient) -> list[tuple[str, int | None]]:
    return [(item["outcome"], item["error"]) for item in meta.sends(channel="whatsapp")]
