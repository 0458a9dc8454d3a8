"""Providers' reports, set-wise: one statement for a batch, in any order, repeated or not. Status only climbs."""

import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from django.db import transaction
from django.db.models import Q

from channels.types import FailureReason, Status, StatusUpdate
from otp.models import Delivery, DeliveryEvent
from otp.store.sql import is_postgres, rows


@dataclass(frozen=True, kw_only=True)
class Climbed:
    """A delivery that a report moved."""

    delivery_id: uuid.UUID
    challenge_id: uuid.UUID
    status: Status
    reason: FailureReason | None


# A report may change a delivery only of a sender whose secret signed it (one row per such sender). Rows are locked in
# the order of their keys first, so that two batches about the same messages wait for each other and never deadlock.
_RECORD = """
WITH u AS (
  SELECT * FROM unnest(%(sender_ids)s::uuid[], %(delivery_ids)s::uuid[], %(message_ids)s::text[],
    %(statuses)s::smallint[], %(times)s::timestamptz[], %(reasons)s::text[], %(codes)s::text[])
    AS u(sender_id, delivery_id, message_id, status, at, reason, code)
), m AS (
  SELECT d.id, u.message_id, u.status, u.at, u.reason, u.code FROM u JOIN otp_delivery d
    ON d.id = u.delivery_id AND d.sender_id = u.sender_id
  UNION
  SELECT d.id, u.message_id, u.status, u.at, u.reason, u.code FROM u JOIN otp_delivery d
    ON d.provider_message_id = u.message_id AND d.provider_message_id <> '' AND d.sender_id = u.sender_id
    WHERE u.delivery_id IS NULL
), locked AS (
  SELECT id FROM otp_delivery WHERE id IN (SELECT id FROM m) ORDER BY id FOR UPDATE
), events AS (
  INSERT INTO otp_deliveryevent
  (delivery_id, status, reason, provider_code, provider_message_id, occurred_at, recorded_at)
  SELECT DISTINCT ON (id, message_id, status) id, status, reason, code, message_id, at, %(now)s
  FROM m ORDER BY id, message_id, status, at
  ON CONFLICT DO NOTHING
), best AS (
  SELECT DISTINCT ON (id) * FROM m ORDER BY id, status DESC, at
)
UPDATE otp_delivery d SET
  status = b.status, status_at = LEAST(b.at, %(now)s), reason = b.reason, provider_code = b.code,
  provider_message_id = CASE WHEN d.provider_message_id = '' THEN b.message_id ELSE d.provider_message_id END,
  due_at = CASE WHEN b.status >= %(delivered)s THEN NULL WHEN b.status = %(failed)s THEN %(now)s ELSE d.due_at END
FROM best b JOIN locked ON locked.id = b.id
WHERE d.id = b.id AND d.status < b.status
RETURNING d.id, d.challenge_id, d.status, d.reason
"""


def record(updates: Sequence[StatusUpdate], *, now: datetime) -> list[Climbed]:
    """Store the reports and say what moved. Reports about unknown deliveries and repeats change nothing."""
    if not updates:
        return []
    if not is_postgres():
        return _portable(updates, now=now)
    flat = [(sender_id, update) for update in updates for sender_id in update.sender_ids]
    found = rows(
        _RECORD,
        {
            "sender_ids": [sender_id for sender_id, _ in flat],
            "delivery_ids": [update.delivery_id for _, update in flat],
            "message_ids": [update.provider_message_id for _, update in flat],
            "statuses": [int(update.status) for _, update in flat],
            "times": [update.occurred_at for _, update in flat],
            "reasons": [update.reason or "" for _, update in flat],
            "codes": [update.provider_code[:20] for _, update in flat],
            "now": now,
            "delivered": int(Status.DELIVERED),
            "failed": int(Status.FAILED),
        },
    )
    return [_climbed(*row) for row in found]


def _climbed(delivery_id: uuid.UUID, challenge_id: uuid.UUID, status: int, reason: str) -> Climbed:
    return Climbed(
        delivery_id=delivery_id,
        challenge_id=challenge_id,
        status=Status(status),
        reason=FailureReason(reason) if reason else None,
    )


def _portable(updates: Sequence[StatusUpdate], *, now: datetime) -> list[Climbed]:
    climbed: dict[uuid.UUID, Climbed] = {}
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
                    climbed[delivery.id] = _climbed(
                        delivery.id, delivery.challenge_id, delivery.status, delivery.reason
                    )
    return list(climbed.values())


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
