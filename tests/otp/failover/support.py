"""Several senders of one channel, of which some fail."""

import uuid
from dataclasses import dataclass, field
from typing import Any

from channels.base import SenderConfig
from channels.errors import SendError
from channels.types import FailureReason, Message, Receipt
from otp.models import Delivery

TOKEN = SendError(FailureReason.MISCONFIGURED, provider_code="190")


@dataclass
class Lines:
    """What each sender does with a message: raises its error, else takes it. `calls`: names, in order."""

    errors: dict[str, SendError] = field(default_factory=dict)
    calls: list[str] = field(default_factory=list)

    def send(self, *, message: Message, sender: SenderConfig[Any]) -> Receipt:
        self.calls.append(sender.name)
        if sender.name in self.errors:
            raise self.errors[sender.name]
        return Receipt(provider_message_id=f"id-{message.delivery_id.hex}")


def path_of(challenge_id: uuid.UUID) -> list[tuple[str, str]]:
    """Sender and cause of each delivery."""
    rows = Delivery.objects.filter(challenge_id=challenge_id).order_by("id")
    return [(row.sender.name if row.sender else "", row.cause) for row in rows.select_related("sender")]
