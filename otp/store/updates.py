"""Providers' reports, set-wise: one statement for a batch, in any order, repeated or not. Status only climbs."""

import json
import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from django.db import transaction
from django.db.models import Q

from channels.models import SenderHealth
from channels.types import Channel, FailureReason, Status, StatusUpdate
from otp.models import Challenge, Delivery, DeliveryEvent, PhoneRecord
from otp.store.sql import is_postgres, rows


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
    troubled: bool  # its sender had trouble lately


# A report may change a delivery only of a sender whose secret signed it (one row per such sender). Rows are locked in
# the order of their keys first, so that two batches about the same messages wait for each other and never deadlock.
_RECORD = """
WITH u AS (
  SELECT sender_id, delivery_id, message_id, status, to_timestamp(at) AS at, reason, code
  FROM json_to_recordset(%(reports)s::json) AS u(
    sender_id uuid, delivery_id uuid, message_id text, status smallint, at float8, reason text, code text)
), m AS (
  SELECT d.id, u.message_id, u.status, u.at, u.reason, u.code FROM u JOIN otp_delivery d
    ON d.id = u.delivery_id AND d.sender_id = u.sender_id
  UNION
  SELECT d.id, u.message_id, u.status, u.at, u.reason, u.code FROM u JOIN otp_delivery d
    ON d.provider_message_id = u.message_id AND d.provider_message_id <> '' AND d.sender_id = u.sender_id
    WHERE u.delivery_id IS NULL
), events AS (
  INSERT INTO otp_deliveryevent
  (delivery_id, status, reason, provider_code, provider_message_id, occurred_at, recorded_at)
  SELECT DISTINCT ON (id, message_id, status) id, status, reason, code, message_id, at, %(now)s
  FROM m ORDER BY id, message_id, status, at
  ON CONFLICT DO NOTHING
), best AS (
  SELECT DISTINCT ON (id) * FROM m ORDER BY id, status DESC, at
), locked AS (
  SELECT best.* FROM best JOIN otp_delivery d ON d.id = best.id ORDER BY d.id FOR UPDATE OF d
), moved AS (
  UPDATE otp_delivery d SET
  status = b.status, status_at = LEAST(b.at, %(now)s), reason = b.reason, provider_code = b.code,
  provider_message_id = CASE WHEN d.provider_message_id = '' THEN b.message_id ELSE d.provider_message_id END,
  due_at = CASE WHEN b.status >= %(delivered)s THEN NULL WHEN b.status = %(failed)s THEN %(now)s ELSE d.due_at END
  FROM locked b WHERE d.id = b.id AND d.status < b.status
  RETURNING d.id, d.challenge_id, d.channel, d.sender_id, d.status, d.reason, d.provider_code, d.status_at
), missing AS (
  INSERT INTO otp_phonerecord AS r (project_id, phone, wrong_guesses, blocked_until, not_on_whatsapp_at, updated_at)
  SELECT DISTINCT c.project_id, c.phone, 0, NULL::timestamptz, %(now)s, %(now)s
  FROM moved JOIN otp_challenge c ON c.id = moved.challenge_id
  WHERE moved.channel = 'whatsapp' AND moved.status = %(failed)s AND moved.reason = 'not_on_channel'
  ON CONFLICT (project_id, phone)
  DO UPDATE SET not_on_whatsapp_at = EXCLUDED.not_on_whatsapp_at, updated_at = EXCLUDED.updated_at
), found AS (
  UPDATE otp_phonerecord r SET not_on_whatsapp_at = NULL, updated_at = %(now)s
  FROM moved JOIN otp_challenge c ON c.id = moved.challenge_id
  WHERE moved.channel = 'whatsapp' AND moved.status >= %(delivered)s AND r.project_id = c.project_id
    AND r.phone = c.phone AND r.not_on_whatsapp_at IS NOT NULL
)
SELECT moved.*, EXISTS (SELECT FROM channels_senderhealth h WHERE h.sender_id = moved.sender_id) FROM moved
"""


def record(updates: Sequence[StatusUpdate], *, now: datetime) -> list[Moved]:
    """Store the reports and say what they moved. Reports about unknown deliveries and repeats change nothing.

    A number that WhatsApp says it does not know is remembered, one that it reached is forgotten.
    """
    if not updates:
        return []
    if not is_postgres():
        return _portable(updates, now=now)
    # One text: a thousand UUIDs, times and strings cost the driver more than they cost the database.
    reports = [
        {
            "sender_id": str(sender_id),
            "delivery_id": str(update.delivery_id) if update.delivery_id else None,
            "message_id": update.provider_message_id,
            "status": int(update.status),
            "at": update.occurred_at.timestamp(),
            "reason": update.reason or "",
            "code": update.provider_code[:20],
        }
        for update in updates
        for sender_id in update.sender_ids
    ]
    found = rows(
        _RECORD,
        {
            "reports": json.dumps(reports),
            "now": now,
            "delivered": int(Status.DELIVERED),
            "failed": int(Status.FAILED),
        },
    )
    return [_moved(*row) for row in found]


def _moved(
    delivery_id: uuid.UUID,
    challenge_id: uuid.UUID,
    channel: str,
    sender_id: uuid.UUID,
    status: int,
    reason: str,
    provider_code: str,
    status_at: datetime,
    troubled: bool,
) -> Moved:
    return Moved(
        delivery_id=delivery_id,
        challenge_id=challenge_id,
        channel=Channel(channel),
        sender_id=sender_id,
        status=Status(status),
        reason=FailureReason(reason) if reason else None,
        provider_code=provider_code,
        status_at=status_at,
        troubled=troubled,
    )


def _portable(updates: Sequence[StatusUpdate], *, now: datetime) -> list[Moved]:
    moved: dict[uuid.UUID, Delivery] = {}
    with transaction.atomic():
        for update in updates:
            named = (
                Q(id=update.delivery_id)
                if update.delivery_id
                else Q(provider_message_id=update.provider_message_id) & ~Q(provider_message_id="")
            )
            for delivery in Delivery.objects.filter(named, sender_id__in=update.sender_ids):
                _append(delivery.id, update, now)
                if delivery.status < update.status:
                    _climb(delivery, update, now)
                    moved[delivery.id] = delivery
        for delivery in moved.values():
            _remember(delivery, now)
        troubled = set(SenderHealth.objects.values_list("sender_id", flat=True))
    return [
        _moved(
            item.id, item.challenge_id, item.channel, item.sender_id, item.status, item.reason, item.provider_code,
            item.status_at, item.sender_id in troubled,
        )
        for item in moved.values()
        if item.sender_id
    ]  # fmt: skip


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
    found = Challenge.objects.filter(id=challenge_id).values("project_id", "phone").first()
    if found:
        PhoneRecord.objects.update_or_create(**found, defaults={"not_on_whatsapp_at": now, "updated_at": now})


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


def _climb(delivery: Delivery, update: StatusUpdate, now: datetime) -> None:
    delivery.status = update.status
    delivery.status_at = min(update.occurred_at, now)
    delivery.reason = update.reason or ""
    delivery.provider_code = update.provider_code[:20]
    delivery.provider_message_id = delivery.provider_message_id or update.provider_message_id
    if update.status >= Status.DELIVERED:
        delivery.due_at = None
    elif update.status == Status.FAILED:
        delivery.due_at = now
    delivery.save(
        update_fields=["status", "status_at", "reason", "provider_code", "provider_message_id", "due_at"]
    )
