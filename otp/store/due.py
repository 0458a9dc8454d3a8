"""Takes the deliveries that are due, moves them on and decides what each needs. Several may run at once."""

import uuid
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime

from django.db import transaction
from django.db.models import F

from channels import report_counts
from channels.types import FailureReason, Status
from core import sql
from otp import missing_reports, policy, project_events
from otp.models import Delivery, DeliveryEvent
from otp.store import timers


@dataclass(kw_only=True)
class Due:
    """One batch: the deliveries to send, and those that may fall back."""

    taken: int = 0  # deliveries
    settled: int = 0  # timers of others, that are due later or never
    send: list[uuid.UUID] = field(default_factory=list)
    fall_back: list[uuid.UUID] = field(default_factory=list)
    cases: dict[str, int] = field(default_factory=dict)  # why they were due, and how many


def take_due(*, now: datetime, batch: int) -> Due:
    """Move `batch` deliveries that are due on. Rows that another sweep holds are skipped.

    The freshest first: when there are more than can be sent, the newest users are still waiting.
    """
    with transaction.atomic():
        fired = timers.settle_fired(now=now)
        deliveries = _locked([key for _, key in fired.due], now, batch) if fired.due else []
        due = Due(taken=len(deliveries), settled=fired.settled)
        taken = {item.id for item in deliveries}
        timers.remove([(at, key) for at, key in fired.due if key in taken])
        for case, members in _by_case(deliveries, now).items():
            _CASES[case](members, now, due)
            due.cases[case] = len(members)
    return due


def _locked(ids: Iterable[uuid.UUID], now: datetime, most: int) -> list[Delivery]:
    """Those that are due still. One that somebody else holds is passed over, and keeps its timer."""
    rows = (
        Delivery.objects.filter(id__in=ids, due_at__lte=now).select_related("challenge").order_by("-due_at")
    )
    if sql.is_postgres():
        rows = rows.select_for_update(skip_locked=True, of=("self",))
    return list(rows[:most])


def _case(delivery: Delivery, now: datetime) -> str:
    challenge = delivery.challenge
    status = Status(delivery.status)
    if challenge.verified_at or challenge.ended_at or challenge.expires_at <= now:
        return "challenge_ended"
    if status is Status.QUEUED:
        return "not_enqueued"
    if status is Status.SENDING:
        return "crashed" if delivery.crashes + 1 >= policy.MAX_CRASHES else "abandoned"
    if policy.is_over(status):
        return "fallback_pending"
    return "silent" if status < Status.DELIVERED else "done"


def _by_case(deliveries: Iterable[Delivery], now: datetime) -> dict[str, list[Delivery]]:
    """Silence of a sender whose reports are missing says nothing about the message: a case of its own.

    A message without an id stays `silent`: its answer was lost, so it may not exist.
    """
    groups: dict[str, list[Delivery]] = {}
    for delivery in deliveries:
        groups.setdefault(_case(delivery, now), []).append(delivery)
    silent = groups.pop("silent", [])
    senders = {item.sender_id for item in silent if item.sender_id and item.provider_message_id}
    missing = missing_reports.missing(senders, now=now) if senders else set()
    for item in silent:
        is_unreported = item.sender_id in missing and item.provider_message_id
        groups.setdefault("unreported" if is_unreported else "silent", []).append(item)
    return groups


def _update(members: Iterable[Delivery], *, due_at: datetime | None, **values: object) -> list[uuid.UUID]:
    ids = [delivery.id for delivery in members]
    Delivery.objects.filter(id__in=ids).update(due_at=due_at, **values)
    if due_at:
        timers.add(ids, at=due_at)
    return ids


def _append_events(members: Iterable[Delivery], status: Status, reason: str, now: datetime) -> None:
    DeliveryEvent.objects.bulk_create(
        DeliveryEvent(delivery_id=item.id, status=status, reason=reason, occurred_at=now, recorded_at=now)
        for item in members
    )


def _challenge_ended(members: list[Delivery], now: datetime, _due: Due) -> None:
    """Nothing more is sent for it."""
    unsent = [item for item in members if item.status < Status.ACCEPTED and not item.challenge.verified_at]
    _update(unsent, due_at=None, status=Status.EXPIRED, status_at=now)
    _update([item for item in members if item not in unsent], due_at=None)


def _not_enqueued(members: list[Delivery], now: datetime, due: Due) -> None:
    """Queued, and no worker claimed it: the task was lost, or this is a retry whose time has come."""
    due.send += _update(members, due_at=now + policy.ENQUEUE_GRACE)


def _abandoned(members: list[Delivery], now: datetime, due: Due) -> None:
    """A worker died holding it. The message may be out; once more is allowed, with the same code."""
    due.send += _update(
        members,
        status=Status.QUEUED,
        status_at=now,
        send_after=now,
        due_at=now + policy.ENQUEUE_GRACE,
        crashes=F("crashes") + 1,
    )


def _crashed(members: list[Delivery], now: datetime, due: Due) -> None:
    """Two workers died holding it: the next channel takes over."""
    due.fall_back += _update(
        members,
        status=Status.FAILED,
        status_at=now,
        crashes=F("crashes") + 1,
        reason=FailureReason.CRASHED,
        due_at=now + policy.FALLBACK_GRACE,
    )
    _append_events(members, Status.FAILED, FailureReason.CRASHED, now)
    project_events.deliveries_failed(
        project_events.failure_of(item, reason=FailureReason.CRASHED, at=now) for item in members
    )


def _silent(members: list[Delivery], now: datetime, due: Due) -> None:
    """Accepted by the provider, and no report within the window."""
    due.fall_back += _update(
        members,
        status=Status.EXPIRED,
        status_at=now,
        reason=FailureReason.NO_REPORT,
        due_at=now + policy.FALLBACK_GRACE,
    )
    _append_events(members, Status.EXPIRED, FailureReason.NO_REPORT, now)


def _unreported(members: list[Delivery], now: datetime, _due: Due) -> None:
    """As `_silent`, but without fallback: the message may well have arrived. The page offers the other channel."""
    _update(members, status=Status.EXPIRED, status_at=now, reason=FailureReason.NO_REPORT, due_at=None)
    _append_events(members, Status.EXPIRED, report_counts.REASON, now)


def _fallback_pending(members: list[Delivery], now: datetime, due: Due) -> None:
    """It did not arrive, and no worker has decided about the next channel yet."""
    due.fall_back += _update(members, due_at=now + policy.FALLBACK_GRACE)


def _done(members: list[Delivery], _now: datetime, _due: Due) -> None:
    _update(members, due_at=None)


_CASES = {
    "challenge_ended": _challenge_ended,
    "not_enqueued": _not_enqueued,
    "abandoned": _abandoned,
    "crashed": _crashed,
    "silent": _silent,
    "unreported": _unreported,
    "fallback_pending": _fallback_pending,
    "done": _done,
}
