"""The one timer: takes the deliveries that are due, moves them on and says what is to be done with each. Several may
run at once."""

import uuid
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime

from django.db import transaction
from django.db.models import F

from channels.types import FailureReason, Status
from otp import news, policy
from otp.models import Delivery, DeliveryEvent
from otp.store.sql import is_postgres


@dataclass(kw_only=True)
class Due:
    """What one batch found: the deliveries to be sent, and those whose next channel is to be seen to."""

    taken: int = 0
    send: list[uuid.UUID] = field(default_factory=list)
    fall_back: list[uuid.UUID] = field(default_factory=list)
    cases: dict[str, int] = field(default_factory=dict)  # what was the matter, and how often


def take_due(*, now: datetime, batch: int) -> Due:
    """Look at `batch` deliveries that are due. Rows that another sweep holds are passed over.

    The freshest first: when there are more than can be sent, whoever began a moment ago is still there to be helped.
    """
    with transaction.atomic():
        waiting = Delivery.objects.filter(due_at__lte=now).select_related("challenge").order_by("-due_at")
        if is_postgres():
            waiting = waiting.select_for_update(skip_locked=True, of=("self",))
        deliveries = list(waiting[:batch])
        due = Due(taken=len(deliveries))
        groups: dict[str, list[Delivery]] = {}
        for delivery in deliveries:
            groups.setdefault(_case(delivery, now), []).append(delivery)
        for case, members in groups.items():
            _CASES[case](members, now, due)
            due.cases[case] = len(members)
    return due


def _case(delivery: Delivery, now: datetime) -> str:
    challenge = delivery.challenge
    status = Status(delivery.status)
    if challenge.verified_at or challenge.ended_at or challenge.expires_at <= now:
        return "over"
    if status is Status.QUEUED:
        return "unrung"
    if status is Status.SENDING:
        return "crashed" if delivery.crashes + 1 >= policy.MAX_CRASHES else "abandoned"
    if policy.is_over(status):
        return "unfollowed"
    return "silent" if status < Status.DELIVERED else "done"


def _update(members: Iterable[Delivery], **values: object) -> list[uuid.UUID]:
    ids = [delivery.id for delivery in members]
    Delivery.objects.filter(id__in=ids).update(**values)
    return ids


def _append_events(members: Iterable[Delivery], status: Status, reason: FailureReason, now: datetime) -> None:
    DeliveryEvent.objects.bulk_create(
        DeliveryEvent(delivery_id=item.id, status=status, reason=reason, occurred_at=now, recorded_at=now)
        for item in members
    )


def _over(members: list[Delivery], now: datetime, _due: Due) -> None:
    """Its challenge is over: nobody waits for it any more."""
    _update(members, due_at=None)
    unsent = [item for item in members if item.status < Status.ACCEPTED and not item.challenge.verified_at]
    _update(unsent, status=Status.EXPIRED, status_at=now)


def _unrung(members: list[Delivery], now: datetime, due: Due) -> None:
    """Queued, and no worker came: the bell was lost, or this is a retry whose time has come."""
    due.send += _update(members, due_at=now + policy.RING_GRACE)


def _abandoned(members: list[Delivery], now: datetime, due: Due) -> None:
    """A worker died holding it. The message may be out; once more is allowed, with the same code."""
    due.send += _update(
        members,
        status=Status.QUEUED,
        status_at=now,
        send_after=now,
        due_at=now + policy.RING_GRACE,
        crashes=F("crashes") + 1,
    )


def _crashed(members: list[Delivery], now: datetime, due: Due) -> None:
    """Two workers died over it: the next channel, please."""
    due.fall_back += _update(
        members,
        status=Status.FAILED,
        status_at=now,
        crashes=F("crashes") + 1,
        reason=FailureReason.CRASHED,
        due_at=now + policy.FOLLOW_UP_GRACE,
    )
    _append_events(members, Status.FAILED, FailureReason.CRASHED, now)
    news.deliveries_failed(news.failure_of(item, reason=FailureReason.CRASHED, at=now) for item in members)


def _silent(members: list[Delivery], now: datetime, due: Due) -> None:
    """Taken by the provider, and no news within the window."""
    due.fall_back += _update(
        members,
        status=Status.EXPIRED,
        status_at=now,
        reason=FailureReason.NO_NEWS,
        due_at=now + policy.FOLLOW_UP_GRACE,
    )
    _append_events(members, Status.EXPIRED, FailureReason.NO_NEWS, now)


def _unfollowed(members: list[Delivery], now: datetime, due: Due) -> None:
    """It did not arrive and nobody has seen to the next channel yet."""
    due.fall_back += _update(members, due_at=now + policy.FOLLOW_UP_GRACE)


def _done(members: list[Delivery], _now: datetime, _due: Due) -> None:
    _update(members, due_at=None)


_CASES = {
    "over": _over,
    "unrung": _unrung,
    "abandoned": _abandoned,
    "crashed": _crashed,
    "silent": _silent,
    "unfollowed": _unfollowed,
    "done": _done,
}
