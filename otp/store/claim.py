"""Claim before calling out, and what the call came to. A claim is written before the provider is called, so a crash
in between costs at most one repeated message with the same code."""

import json
import uuid
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from django.db import transaction
from django.db.models import F

from channels.models import SenderHealth
from channels.types import Channel, FailureReason, Status
from core import sql
from otp import policy
from otp.models import Delivery, DeliveryEvent, PhoneRecord


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
    request_id: str  # of the request that asked for it; "": none
    purpose: str  # otp.models.Purpose
    phone: str = field(repr=False)
    key_id: str
    code_length: int
    is_test: bool  # no provider gets it
    language: str
    origin: str
    created_at: datetime  # when the delivery was queued
    expires_at: datetime
    is_unhealthy: bool  # its sender failed lately: ask channels.health before sending
    not_on_whatsapp: bool  # lately; False for other channels, and where the user chose the channel


@dataclass(frozen=True, kw_only=True)
class Acceptance:
    """A provider took a message. `message_id` "": it gave none, or its answer was lost."""

    delivery_id: uuid.UUID
    message_id: str
    template_language: str = ""
    at: datetime
    due_at: datetime  # when silence is noticed


# Columns in the portable form.
_OF_DELIVERY = ("challenge_id", "sender_id", "channel", "chosen", "tries", "request_id", "created_at")
_OF_CHALLENGE = (
    "project_id", "purpose", "phone", "key_id", "code_length", "is_test", "language", "origin", "expires_at",
)  # fmt: skip
_CLAIM = sql.load(Path(__file__).with_name("claim.sql"))
_CLAIM_WAITING = "\n".join(
    (
        sql.load(Path(__file__).with_name("claim_waiting.sql")),
        _CLAIM[_CLAIM.index("RETURNING") :],
    )
)
_ACCEPT = sql.load(Path(__file__).with_name("accept.sql"))
_ACCEPT_SEVERAL = sql.load(Path(__file__).with_name("accept_several.sql"))
_STATUSES = {
    "sending": Status.SENDING.value,
    "accepted": Status.ACCEPTED.value,
    "sent": Status.SENT.value,
}


def claim(*, delivery_id: uuid.UUID, now: datetime, lease: timedelta) -> Claimed | None:
    """The delivery, now `sending` until the lease ends; None when it is not to be sent (any more, or yet)."""
    if not sql.is_postgres():
        return _portable_claim(delivery_id, now, lease)
    rows = sql.rows(_CLAIM, _parameters(now, lease) | {"id": delivery_id}, make=_claimed)
    return rows[0] if rows else None


def claim_waiting(*, most: int, now: datetime, lease: timedelta) -> list[Claimed]:
    """At most so many of those that wait, the freshest first; fewer: nothing else waits.

    What has waited for longer than `policy.LONGEST_WAIT` is left to the sweep.
    """
    since = now - policy.LONGEST_WAIT
    if not sql.is_postgres():
        return _portable_claim_waiting(most, now, since, lease)
    return sql.rows(_CLAIM_WAITING, _parameters(now, lease) | {"most": most, "since": since}, make=_claimed)


def _parameters(now: datetime, lease: timedelta) -> dict[str, Any]:
    return {
        "now": now,
        "lease": now + lease,
        "queued": Status.QUEUED.value,
        "sending": Status.SENDING.value,
        "whatsapp": Channel.WHATSAPP.value,
        "not_on_whatsapp_since": now - policy.NOT_ON_WHATSAPP_KEPT,
    }


def _claimed(*, channel: str, **columns: Any) -> Claimed:  # noqa: ANN401 # columns of Claimed
    return Claimed(channel=Channel(channel), **columns)


@transaction.atomic
def _portable_claim(delivery_id: uuid.UUID, now: datetime, lease: timedelta) -> Claimed | None:
    waiting = Delivery.objects.filter(
        id=delivery_id,
        status=Status.QUEUED,
        send_after__lte=now,
        challenge__verified_at=None,
        challenge__ended_at=None,
        challenge__expires_at__gt=now,
    )
    if not Delivery.objects.filter(id__in=waiting.values("id")).update(
        status=Status.SENDING, status_at=now, due_at=now + lease, tries=F("tries") + 1
    ):
        return None
    delivery = Delivery.objects.select_related("challenge").get(id=delivery_id)
    return _claimed(
        delivery_id=delivery_id,
        **{name: getattr(delivery, name) for name in _OF_DELIVERY},
        **{name: getattr(delivery.challenge, name) for name in _OF_CHALLENGE},
        is_unhealthy=SenderHealth.objects.filter(sender__in=[delivery.sender_id]).exists(),
        not_on_whatsapp=_not_on_whatsapp(delivery, now),
    )


def _portable_claim_waiting(most: int, now: datetime, since: datetime, lease: timedelta) -> list[Claimed]:
    waiting = Delivery.objects.filter(
        status=Status.QUEUED,
        due_at__isnull=False,
        accepted_at__isnull=True,
        send_after__lte=now,
        send_after__gt=since,
        challenge__verified_at=None,
        challenge__ended_at=None,
        challenge__expires_at__gt=now,
    )
    ids = list(waiting.order_by("-send_after").values_list("id", flat=True)[:most])
    if not ids:
        return []  # without the lock on the file that a transaction takes
    with transaction.atomic():
        claims = [_portable_claim(delivery_id, now, lease) for delivery_id in ids]
    return [claimed for claimed in claims if claimed]


def _not_on_whatsapp(delivery: Delivery, now: datetime) -> bool:
    if delivery.channel != Channel.WHATSAPP or delivery.chosen:
        return False
    challenge, since = delivery.challenge, now - policy.NOT_ON_WHATSAPP_KEPT
    records = PhoneRecord.objects.filter(project_id=challenge.project_id, phone=challenge.phone)
    return records.filter(not_on_whatsapp_at__gt=since).exists()


def accept(acceptances: Sequence[Acceptance]) -> set[uuid.UUID]:
    """Providers took these messages, each another delivery's; the ids of those that are written. Reports may have come
    first: a status only climbs, and then its timer stays.

    It waits for no lock: a delivery that somebody else holds is left for `accept_one`.
    """
    if not sql.is_postgres():
        return {item.delivery_id for item in acceptances if _portable_accept(item)}
    rows = [_parameters_of(item) for item in acceptances]
    parameters = _STATUSES | {"acceptances": json.dumps(rows, default=str)}
    return {key for (key,) in sql.tuples(_ACCEPT_SEVERAL, parameters, columns=("id",))}


def accept_one(acceptance: Acceptance) -> None:
    """The same of one, for which it waits."""
    if sql.is_postgres():
        sql.run(_ACCEPT, _STATUSES | _parameters_of(acceptance))
    else:
        _portable_accept(acceptance)


def _parameters_of(item: Acceptance) -> dict[str, Any]:
    return {
        "id": item.delivery_id,
        "message_id": item.message_id,
        "template_language": item.template_language[:20],
        "at": item.at,
        "due_at": item.due_at,
    }


@transaction.atomic
def _portable_accept(item: Acceptance) -> bool:
    """Whether there is such a delivery."""
    delivery = Delivery.objects.filter(id=item.delivery_id)
    named = {"provider_message_id": item.message_id} if item.message_id else {}
    if not delivery.update(accepted_at=item.at, template_language=item.template_language[:20], **named):
        return False
    delivery.filter(status__in=(Status.SENDING, Status.ACCEPTED, Status.SENT)).update(due_at=item.due_at)
    delivery.filter(status__lt=Status.ACCEPTED).update(status=Status.ACCEPTED, status_at=item.at)
    event = DeliveryEvent(
        delivery_id=item.delivery_id,
        status=Status.ACCEPTED,
        provider_message_id=item.message_id,
        occurred_at=item.at,
        recorded_at=item.at,
    )
    DeliveryEvent.objects.bulk_create([event], ignore_conflicts=True)
    return True


def deliver(*, delivery_id: uuid.UUID, now: datetime) -> None:
    """It has arrived as soon as it was taken: a rehearsal plays it so."""
    with transaction.atomic(savepoint=False):
        arrived = Delivery.objects.filter(id=delivery_id, status__lt=Status.DELIVERED)
        if arrived.update(status=Status.DELIVERED, status_at=now, due_at=None):
            record_event(delivery_id=delivery_id, status=Status.DELIVERED, reason=None, now=now)


def requeue(*, delivery_id: uuid.UUID, now: datetime, at: datetime, was_called: bool) -> None:
    """Back to the queue until `at`, unless a report has moved it meanwhile. `was_called`: the try counts."""
    Delivery.objects.filter(id=delivery_id, status=Status.SENDING).update(
        status=Status.QUEUED,
        status_at=now,
        send_after=at,
        due_at=at,
        tries=F("tries") - (0 if was_called else 1),
    )


def fail(
    *,
    delivery_id: uuid.UUID,
    reason: FailureReason,
    provider_code: str,
    now: datetime,
    due_at: datetime | None,
) -> bool:
    """It did not go out. False when a report says otherwise. `due_at`: when the sweep looks for the next channel."""
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
