"""Claim before calling out, and what the call came to. A claim is written before the provider is called, so a crash
in between costs at most one repeated message with the same code."""

import uuid
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from django.db import transaction
from django.db.models import F

from channels.models import SenderHealth
from channels.types import Channel, FailureReason, Status
from otp.models import Delivery, DeliveryEvent
from otp.store.sql import is_postgres, rows, run


@dataclass(frozen=True, kw_only=True)
class Claimed:
    """A delivery that this worker alone may send, and what it needs of its challenge."""

    delivery_id: uuid.UUID
    challenge_id: uuid.UUID
    project_id: uuid.UUID
    sender_id: uuid.UUID | None
    channel: Channel
    chosen: bool
    tries: int  # this call included
    purpose: str  # otp.models.Purpose
    phone: str = field(repr=False)
    key_id: str
    code_length: int
    language: str
    origin: str
    created_at: datetime  # when the delivery was queued
    expires_at: datetime
    troubled: bool  # its sender had trouble lately: ask channels.health before sending


_CLAIM = """
UPDATE otp_delivery d SET status = %(sending)s, status_at = %(now)s, due_at = %(lease)s, tries = tries + 1
FROM otp_challenge c
WHERE d.id = %(id)s AND d.status = %(queued)s AND d.send_after <= %(now)s AND c.id = d.challenge_id
  AND c.verified_at IS NULL AND c.ended_at IS NULL AND c.expires_at > %(now)s
RETURNING d.id, c.id, c.project_id, d.sender_id, d.channel, d.chosen, d.tries, c.purpose, c.phone, c.key_id,
  c.code_length, c.language, c.origin, d.created_at, c.expires_at,
  EXISTS (SELECT FROM channels_senderhealth h WHERE h.sender_id = d.sender_id)
"""


def claim(*, delivery_id: uuid.UUID, now: datetime, lease: timedelta) -> Claimed | None:
    """The delivery, now `sending` until the lease ends; None when it is not to be sent (any more, or yet)."""
    if is_postgres():
        parameters = {"id": delivery_id, "now": now, "lease": now + lease, "sending": 1, "queued": 0}
        found = rows(_CLAIM, parameters)
        return _claimed(found[0]) if found else None
    with transaction.atomic():
        waiting = Delivery.objects.filter(
            id=delivery_id,
            status=Status.QUEUED,
            send_after__lte=now,
            challenge__verified_at=None,
            challenge__ended_at=None,
            challenge__expires_at__gt=now,
        )
        changed = Delivery.objects.filter(id__in=waiting.values("id")).update(
            status=Status.SENDING, status_at=now, due_at=now + lease, tries=F("tries") + 1
        )
        if not changed:
            return None
        columns = (
            "id", "challenge_id", "challenge__project_id", "sender_id", "channel", "chosen", "tries",
            "challenge__purpose", "challenge__phone", "challenge__key_id", "challenge__code_length",
            "challenge__language", "challenge__origin", "created_at", "challenge__expires_at",
        )  # fmt: skip
        row = Delivery.objects.values_list(*columns).get(id=delivery_id)
        return _claimed((*row, SenderHealth.objects.filter(sender_id=row[3]).exists()))


def _claimed(row: tuple[object, ...]) -> Claimed:
    names = (
        "delivery_id", "challenge_id", "project_id", "sender_id", "channel", "chosen", "tries", "purpose", "phone",
        "key_id", "code_length", "language", "origin", "created_at", "expires_at", "troubled",
    )  # fmt: skip
    values = dict(zip(names, row, strict=True))
    return Claimed(**values | {"channel": Channel(str(values["channel"]))})  # type: ignore[arg-type] # columns in order


_ACCEPT = """
WITH accepted AS (
  UPDATE otp_delivery SET
    status = GREATEST(status, %(accepted)s),
    status_at = CASE WHEN status < %(accepted)s THEN %(now)s ELSE status_at END,
    provider_message_id = CASE WHEN %(message_id)s <> '' THEN %(message_id)s ELSE provider_message_id END,
    accepted_at = %(now)s,
    due_at = CASE WHEN status IN (1, 2, 3) THEN %(due_at)s ELSE due_at END
  WHERE id = %(id)s RETURNING id
)
INSERT INTO otp_deliveryevent
  (delivery_id, status, reason, provider_code, provider_message_id, occurred_at, recorded_at)
SELECT id, %(accepted)s, '', '', %(message_id)s, %(now)s, %(now)s FROM accepted ON CONFLICT DO NOTHING
"""


def accept(*, delivery_id: uuid.UUID, message_id: str, now: datetime, due_at: datetime) -> None:
    """The provider took it. A report may have come first: the status only climbs, and then its timer stays."""
    if is_postgres():
        parameters = {
            "id": delivery_id,
            "message_id": message_id,
            "now": now,
            "due_at": due_at,
            "accepted": 2,
        }
        run(_ACCEPT, parameters)
        return
    with transaction.atomic():
        rows_ = Delivery.objects.filter(id=delivery_id)
        rows_.update(accepted_at=now, **({"provider_message_id": message_id} if message_id else {}))
        rows_.filter(status__in=(Status.SENDING, Status.ACCEPTED, Status.SENT)).update(due_at=due_at)
        rows_.filter(status__lt=Status.ACCEPTED).update(status=Status.ACCEPTED, status_at=now)
        event = DeliveryEvent(
            delivery_id=delivery_id,
            status=Status.ACCEPTED,
            provider_message_id=message_id,
            occurred_at=now,
            recorded_at=now,
        )
        DeliveryEvent.objects.bulk_create([event], ignore_conflicts=True)


def reschedule(*, delivery_id: uuid.UUID, now: datetime, at: datetime) -> None:
    """A passing failure: back to the queue until `at`, unless a report has moved it meanwhile."""
    Delivery.objects.filter(id=delivery_id, status=Status.SENDING).update(
        status=Status.QUEUED, status_at=now, send_after=at, due_at=at
    )


def postpone(*, delivery_id: uuid.UUID, now: datetime, at: datetime) -> None:
    """Claimed, but its provider was not called: back to the queue until `at`, and the try was none."""
    Delivery.objects.filter(id=delivery_id, status=Status.SENDING).update(
        status=Status.QUEUED, status_at=now, send_after=at, due_at=at, tries=F("tries") - 1
    )


def fail(
    *,
    delivery_id: uuid.UUID,
    reason: FailureReason,
    provider_code: str,
    now: datetime,
    due_at: datetime | None,
) -> bool:
    """It did not go out. False when a report says otherwise. `due_at`: when the next channel must have been seen to."""
    with transaction.atomic(savepoint=False):
        changed = Delivery.objects.filter(id=delivery_id, status__lt=Status.FAILED).update(
            status=Status.FAILED,
            status_at=now,
            reason=reason,
            provider_code=provider_code[:20],
            due_at=due_at,
        )
        record_event(
            delivery_id=delivery_id, status=Status.FAILED, reason=reason, provider_code=provider_code, now=now
        )
    return bool(changed)


def record_event(
    *,
    delivery_id: uuid.UUID,
    status: Status,
    reason: FailureReason | None,
    provider_code: str = "",
    now: datetime,
) -> None:
    """A step of ours, for the timeline."""
    DeliveryEvent.objects.create(
        delivery_id=delivery_id,
        status=status,
        reason=reason or "",
        provider_code=provider_code[:20],
        occurred_at=now,
        recorded_at=now,
    )
