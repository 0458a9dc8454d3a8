"""Days that are over for good: the rollups of their hours become those of the day, a twenty-fourth of the rows.

No figure is finer than a day, so nothing is lost.
"""

import time
from datetime import datetime, timedelta

from django.db import transaction
from django.db.models import Sum

from stats.models import CountedHour, DeliveryRollup, LoginRollup, Rollup, TimingRollup

_ROLLUPS: tuple[type[Rollup], ...] = (LoginRollup, DeliveryRollup, TimingRollup)
_HOUR, _DAY = timedelta(hours=1), timedelta(days=1)


def merge_days(now: datetime, *, oldest: datetime, closed_after: timedelta, until: float) -> int:
    """Merge the days whose hours were all counted for the last time, until `until` (of time.monotonic); how many.

    `closed_after`: so long after its end an hour is counted for the last time. Hours before `oldest` have no challenges
    any more and are never counted again. Call it when no older hour waits.
    """
    last = (now - closed_after).replace(hour=0, minute=0, second=0, microsecond=0)
    waiting = CountedHour.objects.filter(is_merged=False, hour__lt=last).values_list("hour", flat=True)
    merged = 0
    for day in sorted({hour.replace(hour=0) for hour in waiting}):
        if time.monotonic() > until:
            break
        merged += merge_day(day, oldest=oldest, closed_after=closed_after)
    return merged


def merge_day(day: datetime, *, oldest: datetime, closed_after: timedelta) -> bool:
    """All of it or nothing. False: it is merged already, or an hour of it may still change."""
    span = {"hour__gte": day, "hour__lt": day + _DAY}
    with transaction.atomic():
        hours = list(CountedHour.objects.select_for_update().filter(**span).order_by("hour"))
        if not all(_is_closed(row, oldest, closed_after) for row in hours):
            return False
        for rollup in _ROLLUPS:
            _merge(rollup, day, span)
        CountedHour.objects.filter(**span).update(is_merged=True)
    return bool(hours)


def _is_closed(row: CountedHour, oldest: datetime, closed_after: timedelta) -> bool:
    if row.is_merged:
        return False
    return row.hour < oldest or bool(row.counted_at and row.counted_at >= row.hour + _HOUR + closed_after)


def _merge(rollup: type[Rollup], day: datetime, span: dict[str, datetime]) -> None:
    keys = [
        field.attname
        for field in rollup._meta.concrete_fields
        if field.name not in ("id", "hour", *rollup.sums)
    ]
    hours = rollup._default_manager.filter(**span)
    totals = {f"sum_{name}": Sum(name) for name in rollup.sums}
    rows = [
        rollup(hour=day, **{name.removeprefix("sum_"): value for name, value in row.items()})
        for row in hours.values(*keys).annotate(**totals)
    ]
    hours.delete()
    rollup._default_manager.bulk_create(rows, batch_size=500)
