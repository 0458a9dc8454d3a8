"""A history of logins with keys of their time, as the product writes them."""

import uuid
from datetime import UTC, datetime, timedelta
from typing import Any

from channels.models import Sender
from channels.types import Channel, Status
from core.ids import oldest_id_at
from otp.models import Challenge, Delivery, DeliveryEvent
from projects.config import ProjectConfig

HOUR = datetime(2026, 11, 20, 9, tzinfo=UTC)
HK, CO = "+85251234567", "+573001234567"


def _key(at: datetime) -> uuid.UUID:
    return uuid.UUID(int=oldest_id_at(at).int | uuid.uuid4().int >> 70)


def login(
    project: ProjectConfig,
    *messages: dict[str, Any],
    at: datetime = HOUR + timedelta(minutes=5),
    verified_after: float | None = None,
    **fields: Any,
) -> Challenge:
    """A challenge that began at `at`, with these messages; succeeded after so many seconds, or not at all."""
    challenge = Challenge.objects.create(
        id=_key(at), project_id=project.id, created_at=at, expires_at=at + timedelta(minutes=10), resend_at=at,
        verified_at=None if verified_after is None else at + timedelta(seconds=verified_after),
        **{"phone": HK, "country": "HK", "key_id": "k1", "code_length": 6, "language": "en",
           "origin": "https://login.acme.example", "max_attempts": 5} | fields,
    )  # fmt: skip
    for nth, message in enumerate(messages):
        _message(challenge, nth, **message)
    return challenge


def _message(
    challenge: Challenge,
    nth: int,
    *,
    status: Status = Status.DELIVERED,
    delivered_after: float | None = 2.0,
    after: float = 0.0,
    channel: str = "whatsapp",
    **fields: Any,
) -> Delivery:
    at = challenge.created_at + timedelta(seconds=after)
    is_accepted = status in (Status.ACCEPTED, Status.SENT, Status.EXPIRED) or status >= Status.DELIVERED
    sender = Sender.objects.filter(channel=channel).first()
    delivery = Delivery.objects.create(
        id=_key(at + timedelta(milliseconds=nth)), challenge=challenge, channel=channel, created_at=at, send_after=at,
        status_at=at, status=status, number=nth + 1,
        **{"sender": sender, "cause": "start" if nth == 0 else "fallback",
           "accepted_at": at if is_accepted else None} | fields,
    )  # fmt: skip
    if status >= Status.DELIVERED and delivered_after is not None:
        DeliveryEvent.objects.create(
            delivery=delivery, status=Status.DELIVERED, provider_message_id=f"m-{delivery.id.hex}",
            occurred_at=at + timedelta(seconds=delivered_after), recorded_at=at,
        )  # fmt: skip
    return delivery


def message(channel: Channel | str = Channel.WHATSAPP, **fields: Any) -> dict[str, Any]:
    return {"channel": str(channel), **fields}
