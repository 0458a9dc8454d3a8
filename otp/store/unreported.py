"""Accepted messages of which no report has come: one statement for all senders, over an index by acceptance."""

import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

from django.db.models import Exists, Max, OuterRef

from channels.types import Status
from core import sql
from core.ids import oldest_id_at
from otp.models import Delivery, DeliveryEvent

# A message is reported on within this time of its making; used only to look at few rows.
_LIFE = timedelta(minutes=15)

# So many of a sender's messages after its last report are looked at. What came right after that one was written down
# may be reported: a thousand a second for `channels.report_counts.WRITTEN_EVERY`.
_LOOKED_AT = 5000

_SENDS = sql.load(
    Path(__file__).with_name("unreported.sql"),
    accepted=Status.ACCEPTED,
    expired=Status.EXPIRED,
    looked_at=_LOOKED_AT,
)


@dataclass(frozen=True, kw_only=True)
class _Send:
    sender_id: uuid.UUID
    accepted_at: datetime


def sends(
    since: Mapping[uuid.UUID, datetime | None], *, until: datetime, most: int
) -> dict[uuid.UUID, list[datetime]]:
    """For each sender: when its first messages after `since` were accepted, at most so many.

    Messages without a provider's id are left out: the answer was lost, so they may not exist.
    """
    times: dict[uuid.UUID, list[datetime]] = {sender_id: [] for sender_id in since}
    if not since:
        return times
    if sql.is_postgres():
        parameters = {"senders": list(since), "since": list(since.values()), "until": until, "most": most}
        for send in sql.rows(_SENDS, parameters, make=_Send):
            times[send.sender_id].append(send.accepted_at)
        return times
    for sender_id, after in since.items():
        times[sender_id] = _portable(sender_id, after, until=until, most=most)
    return times


def _portable(sender_id: uuid.UUID, after: datetime | None, *, until: datetime, most: int) -> list[datetime]:
    accepted = Delivery.objects.filter(sender_id=sender_id, accepted_at__lte=until)
    accepted = accepted.filter(accepted_at__gt=after) if after else accepted
    first = accepted.exclude(provider_message_id="").order_by("accepted_at")[:_LOOKED_AT]
    reports = DeliveryEvent.objects.filter(delivery=OuterRef("pk"), status__gt=Status.ACCEPTED)
    unreported = Delivery.objects.filter(
        ~Exists(reports.exclude(provider_message_id="")),
        id__in=first.values("id"),
        status__in=(Status.ACCEPTED, Status.EXPIRED),
    )
    times = unreported.order_by("accepted_at").values_list("accepted_at", flat=True)[:most]
    return [at for at in times if at]


def last_report(sender_id: uuid.UUID, *, after: datetime, until: datetime) -> datetime:
    """When the last report between the two was recorded; `after` if there was none."""
    events = DeliveryEvent.objects.filter(
        delivery__sender_id=sender_id,
        delivery_id__gte=oldest_id_at(after - _LIFE),
        delivery_id__lt=oldest_id_at(until),
        status__gt=Status.ACCEPTED,
        recorded_at__gt=after,
        recorded_at__lte=until,
    ).exclude(provider_message_id="")
    last: datetime | None = events.aggregate(last=Max("recorded_at"))["last"]
    return last or after
