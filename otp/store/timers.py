"""The timers of deliveries (otp.models.Timer): which have gone off, and which those that were handled have next."""

import uuid
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from core import sql
from otp.models import Delivery, Timer

# So many are looked at: most are of logins that came through, and in an outage several sweeps share what is due.
_LOOKED_AT = 256
_DUE = sql.load(Path(__file__).with_name("due_timers.sql"), looked_at=_LOOKED_AT)
_REMOVE = sql.load(Path(__file__).with_name("remove_timers.sql"))
# A plan that was made while the tables were small, and is kept, would read them from end to end.
_PLAN_ANEW = "SET LOCAL plan_cache_mode = force_custom_plan"

type Key = tuple[datetime, uuid.UUID]  # of a timer: its time and its delivery


@dataclass(frozen=True, kw_only=True)
class Fired:
    due: list[Key]  # the freshest first
    settled: int  # timers that were moved or removed, because their delivery is due later or never


def settle_fired(*, now: datetime) -> Fired:
    """Of the freshest timers that have gone off: settle those whose delivery is not due, give the others. It is called
    within a transaction."""
    if not sql.is_postgres():
        return _portable(now)
    sql.run(_PLAN_ANEW, {})
    rows = sql.tuples(_DUE, {"now": now}, columns=("settled", "at", "delivery_id"))
    due = sorted(((at, key) for _, at, key in rows if key), reverse=True)
    return Fired(due=due, settled=rows[0][0])


def _portable(now: datetime) -> Fired:
    fired = list(
        Timer.objects.filter(at__lte=now).order_by("-at").values_list("at", "delivery_id")[:_LOOKED_AT]
    )
    waiting = Delivery.objects.filter(id__in=[key for _, key in fired], due_at__isnull=False)
    due_at = dict(waiting.values_list("id", "due_at"))
    later = {key: at for key, at in due_at.items() if at and at > now}
    settled = [(at, key) for at, key in fired if key in later or key not in due_at]
    remove(settled)
    for key, at in later.items():
        add([key], at=at)
    due = [(at, key) for at, key in fired if key in due_at and key not in later]
    return Fired(due=sorted(due, reverse=True), settled=len(settled))


def add(delivery_ids: Iterable[uuid.UUID], *, at: datetime) -> None:
    Timer.objects.bulk_create((Timer(at=at, delivery_id=key) for key in delivery_ids), ignore_conflicts=True)


def remove(keys: Collection[Key]) -> None:
    if not keys:
        return
    if sql.is_postgres():
        times, ids = zip(*keys, strict=True)
        sql.run(_REMOVE, {"times": list(times), "ids": list(ids)})
    else:
        Timer.objects.filter(pk__in=keys).delete()
