"""SMS of Twilio that are there on both sides: ours in the database, Twilio's in a simulator over HTTP."""

import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from django.utils import timezone

from channels.models import Sender
from channels.types import Channel
from core import http
from otp.models import Delivery
from projects.config import ProjectConfig
from simulator.accounts import TwilioAccount
from simulator.handsets.handset import Channel as HandsetChannel
from simulator.twilio.callbacks import TwilioMessage
from stats import reported_prices
from stats.models import PriceReading
from tests import factories
from tests.simulator_client import RunningSimulator
from tests.stats.support import HK, login, message

HOUR, MINUTE = timedelta(hours=1), timedelta(minutes=1)


class CountedCalls(http.HttpClient):
    """A client that keeps what was asked."""

    def __init__(self) -> None:
        super().__init__(http.lists()._limits)
        self.urls: list[str] = []

    def get(self, url: str, *, headers: Mapping[str, str]) -> http.Answer:
        self.urls.append(url)
        return super().get(url, headers=headers)


def make_sender(account: TwilioAccount | None = None, **fields: Any) -> Sender:
    account = account or TwilioAccount()
    known = {
        "account_sid": account.account_sid,
        "auth_token": account.auth_token,
        "from_number": account.from_number,
    }
    return factories.make_sender("sms", provider="twilio", **(known | fields))


@dataclass
class Twilio:
    """What is asked of it, and what it holds."""

    running: RunningSimulator
    project: ProjectConfig
    client: CountedCalls = field(default_factory=CountedCalls)

    def sms(
        self,
        sender: Sender,
        *,
        age: timedelta = HOUR,
        account: TwilioAccount | None = None,
        status: str = "delivered",
        **fields: Any,
    ) -> Delivery:
        """An SMS that was sent so long ago. `status` is Twilio's."""
        at = timezone.now() - age
        account = account or self.running.simulator.state.accounts.twilio[0]
        sms_id = f"SM{secrets.token_hex(16)}"
        challenge = login(
            self.project,
            message(Channel.SMS, provider_message_id=sms_id, sender=sender, **fields),
            at=at,
            verified_after=9,
        )
        self.running.simulator.state.add_message(
            TwilioMessage(
                id=sms_id, channel=HandsetChannel.SMS, provider="twilio", to=HK, shown_from=account.from_number,
                text="482913 is your code", code="482913", status=status, created_at=at, updated_at=at,
                account=account, from_number=account.from_number, messaging_service_sid=None, callback_url=None,
            )
        )  # fmt: skip
        return Delivery.objects.get(challenge=challenge)

    def costs(self, amount: str | None, unit: str | None = "USD") -> None:
        """What every SMS costs from now on, None: that is not known."""
        with self.running.client() as control:
            price = {"amount": amount, "unit": unit, "after_seconds": 0}
            control.http.put("/facts", json={"sms_price": price}).raise_for_status()

    def fails(self, outage: str | None) -> None:
        with self.running.client() as control:
            control.set_faults(sms_outage=outage)

    def read(self, seconds: float = 20) -> int:
        return reported_prices.read(seconds=seconds, client=self.client)

    @property
    def calls(self) -> int:
        return len(self.client.urls)


def price_of(delivery: Delivery) -> tuple[int | None, str]:
    columns = ("price_micros", "price_currency")
    micros, currency = Delivery.objects.values_list(*columns).get(id=delivery.id)
    return micros, currency


def waits() -> list[timedelta]:
    """For how long each account is left alone."""
    now: datetime = timezone.now()
    return [row.due_at - now for row in PriceReading.objects.order_by("id")]
