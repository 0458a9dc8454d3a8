"""Prices that providers tell later: which messages have none yet, and one statement that stores a page of them."""

import uuid
from collections.abc import Sequence
from datetime import datetime, timedelta
from pathlib import Path

from django.db import transaction
from django.db.models import QuerySet

from channels.prices import ReportedPrice
from core import sql
from core.ids import oldest_id_at, time_of
from otp.models import Delivery

_PRICED = sql.load(Path(__file__).with_name("priced.sql"))


def unpriced_span(
    sender_ids: Sequence[uuid.UUID], *, first: datetime, end: datetime, longest: timedelta
) -> tuple[datetime, datetime] | None:
    """When the oldest message without a price was made, from `first` to before `end`, and the last one within `longest`
    of it. None: each has one.

    Messages whose provider gave no id are left out: they cannot be looked for. Read by key, which is the time.
    """
    oldest = _unpriced(sender_ids, first, end).order_by("id").values_list("id", flat=True).first()
    if oldest is None:
        return None
    begin = time_of(oldest)
    span = _unpriced(sender_ids, begin, min(begin + longest, end))
    last = span.order_by("-id").values_list("id", flat=True).first()
    return begin, time_of(last or oldest)


def _unpriced(sender_ids: Sequence[uuid.UUID], first: datetime, end: datetime) -> QuerySet[Delivery]:
    made = Delivery.objects.filter(id__gte=oldest_id_at(first), id__lt=oldest_id_at(end))
    return made.filter(sender_id__in=sender_ids, price_micros=None).exclude(provider_message_id="")


def record(prices: Sequence[ReportedPrice], *, sender_ids: Sequence[uuid.UUID]) -> int:
    """Store the prices of messages of these senders that have none; of how many. Repeats and messages that are not ours
    change nothing."""
    if not prices:
        return 0
    if not sql.is_postgres():
        return _portable(prices, sender_ids)
    parameters = {
        "message_ids": [item.provider_message_id for item in prices],
        "micros": [item.micros for item in prices],
        "currencies": [item.currency for item in prices],
        "senders": list(sender_ids),
    }
    return sql.run(_PRICED, parameters)


def _portable(prices: Sequence[ReportedPrice], sender_ids: Sequence[uuid.UUID]) -> int:
    """A statement for each amount, of which a page has few."""
    amounts: dict[tuple[int, str], list[str]] = {}
    for item in prices:
        amounts.setdefault((item.micros, item.currency), []).append(item.provider_message_id)
    unpriced = Delivery.objects.filter(sender_id__in=sender_ids, price_micros=None)
    with transaction.atomic():
        return sum(
            unpriced.filter(provider_message_id__in=ids).update(price_micros=micros, price_currency=currency)
            for (micros, currency), ids in amounts.items()
        )
