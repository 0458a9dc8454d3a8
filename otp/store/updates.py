"""Providers' reports, set-wise: one statement for a batch, in any order, repeated or not. Status only climbs."""

import uuid
from collections.abc import Iterable, Sequence
from datetime import datetime
from operator import itemgetter
from pathlib import Path
from typing import Any, NamedTuple

import structlog
from django.db import IntegrityError, OperationalError, connection, transaction
from psycopg.errors import DeadlockDetected

from channels.models import SenderHealth
from channels.types import Channel, FailureReason, Status, StatusUpdate
from core import sql
from otp.models import Challenge, Delivery, DeliveryEvent, PhoneRecord

log = structlog.get_logger(__name__)


class Alike(NamedTuple):
    """Deliveries that reports moved to the same. A batch of a thousand has a few groups: what is counted and noted of
    its members is done once for each."""

    channel: Channel
    sender_id: uuid.UUID
    status: Status
    reason: FailureReason | None
    provider_code: str
    template_language: str  # what they were sent in; empty: unknown, or not a template
    is_unhealthy: bool  # their sender failed lately
    # Of each of them, in the same order.
    delivery_ids: Sequence[str]
    challenge_ids: Sequence[str]
    times: Sequence[float]  # when it reached the status, in Unix seconds


type _Row = tuple[Any, ...]  # of those columns, or of those of a report

_delivery_id = itemgetter(1)  # of a report

# What a report may write of its delivery in the portable form.
_WRITTEN = (
    "status", "status_at", "reason", "provider_code", "price_category", "provider_message_id", "due_at",
)  # fmt: skip
_WORDS = {
    "delivered": Status.DELIVERED.value,
    "failed": Status.FAILED.value,
    "whatsapp": Channel.WHATSAPP.value,
    "not_on_channel": FailureReason.NOT_ON_CHANNEL.value,
}
_EMPTY = '{""}'


def _statement(*names: str) -> str:
    return "\n".join(sql.load(Path(__file__).with_name(f"{name}.sql")) for name in names)


# Reports that each name another delivery and raise its status, as nearly all do; and any.
_RECORD_RAISED = _statement("record_reports", "record_raised", "record_moved", "record_events", "record")
_RECORD_ANY = _statement("record_reports", "record_any", "record_moved", "record")


def record(updates: Sequence[StatusUpdate], *, now: datetime) -> list[Alike]:
    """Store the reports and give the deliveries that they moved. Reports about unknown deliveries and repeats change
    nothing.

    A number that WhatsApp says it does not know is remembered, one that it reached is forgotten.
    """
    if not sql.is_postgres():
        return _portable(updates, now=now) if updates else []
    # One row for every sender that a report may be of.
    rows = [(sender_id, *update[1:]) for update in updates for sender_id in update.sender_ids]
    groups: list[Alike] = []
    if rows and len(rows) == len(updates) and _are_different(rows):
        rows.sort(key=_delivery_id)
        groups = _raise(rows, now)
        moved = {delivery_id for group in groups for delivery_id in group.delivery_ids}
        rows = [row for row in rows if _delivery_id(row) not in moved] if len(moved) < len(rows) else []
    return groups + _run(_RECORD_ANY, rows, now) if rows else groups


def _are_different(rows: Sequence[_Row]) -> bool:
    """Whether all name a delivery, each another."""
    names = set(map(_delivery_id, rows))
    return len(names) == len(rows) and None not in names


def _raise(rows: Sequence[_Row], now: datetime) -> list[Alike]:
    """Store those that raise the status of their delivery; nothing where that fails, or inside a transaction where any
    raises nothing: it would hold locks of some while it waits for others, in no order."""
    try:
        if not connection.in_atomic_block:
            return _run(_RECORD_RAISED, rows, now)
        with transaction.atomic():
            groups = _run(_RECORD_RAISED, rows, now)
            if sum(len(group.delivery_ids) for group in groups) == len(rows):
                return groups
            transaction.set_rollback(True)
    except IntegrityError:
        log.warning("reports.status_was_lowered", received=len(rows))
    except OperationalError as error:
        if not isinstance(error.__cause__, DeadlockDetected):
            raise  # the planner may join small tables in another order than that of the arrays
    return []


def _run(statement: str, rows: Sequence[_Row], now: datetime) -> list[Alike]:
    parameters = _as_arrays(rows) | _WORDS | {"now": now}
    return [_alike(row) for row in sql.tuples(statement, parameters, columns=Alike._fields)]


def _as_arrays(rows: Sequence[_Row]) -> dict[str, object]:
    """An array of each column, of one where all say the same."""
    senders, deliveries, messages, statuses, times, reasons, codes, categories = zip(*rows, strict=True)
    return {
        "sender_ids": _plain(item.hex for item in _once(senders)),
        "delivery_ids": _plain(item or "NULL" for item in deliveries),
        "message_ids": sql.array(messages),
        "statuses": _plain(map(int.__repr__, _once(statuses))),
        "times": _plain(repr(item.timestamp()) for item in _once(times)),
        "reasons": sql.array([item or "" for item in _once(reasons)]) if any(reasons) else _EMPTY,
        "codes": sql.array([item[:20] for item in _once(codes)]) if any(codes) else _EMPTY,
        "categories": sql.array([item[:32] for item in _once(categories)]) if any(categories) else _EMPTY,
    }


def _once[Value](values: Sequence[Value]) -> Sequence[Value]:
    """The first alone when all are the same."""
    return values if values.count(values[0]) < len(values) else values[:1]


def _plain(values: Iterable[str]) -> str:
    """As `sql.array`, of what needs no quotes."""
    return f"{{{','.join(values)}}}"


def _alike(row: _Row) -> Alike:
    """What each of them has comes as words, in the same order."""
    channel, sender_id, status, reason, code, language, is_unhealthy, delivery_ids, challenge_ids, times = row
    return Alike(
        Channel(channel), uuid.UUID(sender_id), Status(status), FailureReason(reason) if reason else None,
        code, language, is_unhealthy, delivery_ids.split(), challenge_ids.split(), [*map(float, times.split())],
    )  # fmt: skip


def _portable(updates: Sequence[StatusUpdate], *, now: datetime) -> list[Alike]:
    moved: dict[uuid.UUID, Delivery] = {}
    with transaction.atomic():
        # Of the whole batch before any of it is stored: a message id that one report brings finds nothing for another.
        matches = [(update, key) for update in updates for key in _matching(update)]
        deliveries = Delivery.objects.select_related("challenge").in_bulk([key for _, key in matches])
        categories: dict[uuid.UUID, str] = {}
        for update, key in matches:
            categories[key] = max(categories.get(key, ""), update.price_category[:32])
        for update, key in matches:
            delivery = deliveries[key]
            _append(key, update, now)
            if delivery.status < update.status:
                _climb(delivery, update, now, categories[key])
                moved[key] = delivery
        _remember(moved.values(), now)
        unhealthy = set(SenderHealth.objects.values_list("sender_id", flat=True))
    groups: dict[_Row, list[Delivery]] = {}
    for item in moved.values():
        groups.setdefault((*_shared(item), item.sender_id in unhealthy), []).append(item)
    return [
        Alike._make(
            (
                *shared,
                [str(item.id) for item in members],
                [str(item.challenge_id) for item in members],
                [item.status_at.timestamp() for item in members],
            )
        )
        for shared, members in groups.items()
    ]


def _shared(item: Delivery) -> _Row:
    """The first fields of its `Alike`."""
    reason = FailureReason(item.reason) if item.reason else None
    channel, status = Channel(item.channel), Status(item.status)
    return channel, item.sender_id, status, reason, item.provider_code, item.template_language


def _matching(update: StatusUpdate) -> Iterable[uuid.UUID]:
    """The ids of the deliveries that a report is about."""
    deliveries = Delivery.objects.filter(sender_id__in=update.sender_ids).values_list("id", flat=True)
    if update.delivery_id:
        return deliveries.filter(id=update.delivery_id)
    message_id = update.provider_message_id
    return deliveries.filter(provider_message_id=message_id).exclude(provider_message_id="")


def _remember(moved: Iterable[Delivery], now: datetime) -> None:
    ours = [item for item in moved if item.channel == Channel.WHATSAPP]
    arrived = {_number(item) for item in ours if item.status >= Status.DELIVERED}
    for item in ours:
        is_missing = item.status == Status.FAILED and item.reason == FailureReason.NOT_ON_CHANNEL
        if is_missing and _number(item) not in arrived:
            remember_missing(challenge_id=item.challenge_id, now=now)
    for item in ours:
        if item.status >= Status.DELIVERED:
            project_id, phone = _number(item)
            PhoneRecord.objects.filter(
                project_id=project_id, phone=phone, not_on_whatsapp_at__isnull=False
            ).update(not_on_whatsapp_at=None, updated_at=now)


def _number(delivery: Delivery) -> tuple[uuid.UUID, str]:
    return delivery.challenge.project_id, delivery.challenge.phone


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
