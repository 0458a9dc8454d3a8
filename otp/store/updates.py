"""Providers' reports, set-wise: one statement for a batch, in any order, repeated or not. Status only climbs."""

import json
import uuid
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from django.db import transaction

from channels.models import SenderHealth
from channels.types import Channel, FailureReason, Status, StatusUpdate
from core import sql
from otp.models import Challenge, Delivery, DeliveryEvent, PhoneRecord


@dataclass(frozen=True, kw_only=True)
class Moved:
    """A delivery whose status a report has raised."""

    delivery_id: uuid.UUID
    challenge_id: uuid.UUID
    channel: Channel
    sender_id: uuid.UUID
    status: Status
    reason: FailureReason | None
    provider_code: str
    status_at: datetime
    template_language: str  # what it was sent in; empty: unknown, or not a template
    is_unhealthy: bool  # its sender failed lately


# Columns of the delivery in the portable form.
_COPIED = (
    "challenge_id", "channel", "sender_id", "status", "reason", "provider_code", "status_at", "template_language",
)  # fmt: skip
# And those that a report may write.
_WRITTEN = (
    "status", "status_at", "reason", "provider_code", "price_category", "provider_message_id", "due_at",
)  # fmt: skip
_WORDS = {
    "delivered": Status.DELIVERED.value,
    "failed": Status.FAILED.value,
    "whatsapp": Channel.WHATSAPP.value,
    "not_on_channel": FailureReason.NOT_ON_CHANNEL.value,
}
_RECORD = sql.load(Path(__file__).with_name("record.sql"))


def record(updates: Sequence[StatusUpdate], *, now: datetime) -> list[Moved]:
    """Store the reports and give the deliveries that they moved. Reports about unknown deliveries and repeats change
    nothing.

    A number that WhatsApp says it does not know is remembered, one that it reached is forgotten.
    """
    if not updates:
        return []
    if not sql.is_postgres():
        return _portable(updates, now=now)
    parameters = {"reports": json.dumps([row for update in updates for row in _as_json(update)]), "now": now}
    return sql.rows(_RECORD, parameters | _WORDS, make=_moved)


def _as_json(update: StatusUpdate) -> list[dict[str, object]]:
    """All reports are one text: a thousand UUIDs, times and strings cost the driver more than the database."""
    return [
        {
            "sender_id": str(sender_id),
            "delivery_id": str(update.delivery_id) if update.delivery_id else None,
            "message_id": update.provider_message_id,
            "status": update.status.value,
            "at": update.occurred_at.timestamp(),
            "reason": update.reason or "",
            "code": update.provider_code[:20],
            "category": update.price_category[:32],
        }
        for sender_id in update.sender_ids
    ]


def _moved(*, channel: str, status: int, reason: str, **columns: Any) -> Moved:  # noqa: ANN401 # columns of Moved
    return Moved(
        channel=Channel(channel),
        status=Status(status),
        reason=FailureReason(reason) if reason else None,
        **columns,
    )


def _portable(updates: Sequence[StatusUpdate], *, now: datetime) -> list[Moved]:
    moved: dict[uuid.UUID, Delivery] = {}
    with transaction.atomic():
        # Of the whole batch before any of it is stored: a message id that one report brings finds nothing for another.
        matches = [(update, key) for update in updates for key in _matching(update)]
        deliveries = Delivery.objects.in_bulk([key for _, key in matches])
        categories: dict[uuid.UUID, str] = {}
        for update, key in matches:
            categories[key] = max(categories.get(key, ""), update.price_category[:32])
        for update, key in matches:
            delivery = deliveries[key]
            _append(key, update, now)
            if delivery.status < update.status:
                _climb(delivery, update, now, categories[key])
                moved[key] = delivery
        for delivery in moved.values():
            _remember(delivery, now)
        unhealthy = set(SenderHealth.objects.values_list("sender_id", flat=True))
    return [
        _moved(
            delivery_id=item.id,
            **{name: getattr(item, name) for name in _COPIED},
            is_unhealthy=item.sender_id in unhealthy,
        )
        for item in moved.values()
    ]


def _matching(update: StatusUpdate) -> Iterable[uuid.UUID]:
    """The ids of the deliveries that a report is about."""
    deliveries = Delivery.objects.filter(sender_id__in=update.sender_ids).values_list("id", flat=True)
    if update.delivery_id:
        return deliveries.filter(id=update.delivery_id)
    message_id = update.provider_message_id
    return deliveries.filter(provider_message_id=message_id).exclude(provider_message_id="")


def _remember(delivery: Delivery, now: datetime) -> None:
    if delivery.channel != Channel.WHATSAPP:
        return
    if delivery.status == Status.FAILED and delivery.reason == FailureReason.NOT_ON_CHANNEL:
        remember_missing(challenge_id=delivery.challenge_id, now=now)
    elif delivery.status >= Status.DELIVERED:
        challenge = delivery.challenge
        PhoneRecord.objects.filter(
            project_id=challenge.project_id, phone=challenge.phone, not_on_whatsapp_at__isnull=False
        ).update(not_on_whatsapp_at=None, updated_at=now)


def remember_missing(*, challenge_id: uuid.UUID, now: datetime) -> None:
    """WhatsApp does not know the number of this challenge: its next ones begin with an SMS for a while."""
    number = Challenge.objects.filter(id=challenge_id).values("project_id", "phone").first()
    if number:
        PhoneRecord.objects.update_or_create(
            **number, defaults={"not_on_whatsapp_at": now, "updated_at": now}
        )


def _append(delivery_id: uuid.UUID, update: StatusUpdate, now: datetime) -> None:
    event = DeliveryEvent(
        delivery_id=delivery_id,
        status=update.status,
        reason=update.reason or "",
        provider_code=update.provider_code[:20],
        provider_message_id=update.provider_message_id,
        occurred_at=update.occurred_at,
        recorded_at=now,
    )
    DeliveryEvent.objects.bulk_create([event], ignore_conflicts=True)


def _climb(delivery: Delivery, update: StatusUpdate, now: datetime, category: str) -> None:
    delivery.status = update.status
    delivery.status_at = min(max(update.occurred_at, delivery.accepted_at or delivery.created_at), now)
    delivery.reason = update.reason or ""
    delivery.provider_code = update.provider_code[:20]
    delivery.price_category = category or delivery.price_category
    delivery.provider_message_id = delivery.provider_message_id or update.provider_message_id
    if update.status >= Status.DELIVERED:
        delivery.due_at = None
    elif update.status == Status.FAILED:
        delivery.due_at = now
    delivery.save(update_fields=_WRITTEN)
