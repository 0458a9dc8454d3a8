"""Keeping the rollups: which hours are counted again when. The counting itself is `stats.store`."""

import time
from collections.abc import Mapping
from datetime import datetime, timedelta

import structlog
from django.db import connection, transaction
from django.utils import timezone

from core.ids import time_of
from otp.models import Challenge
from otp.retention import CHALLENGES_KEPT
from stats import merge, store
from stats.models import CountedHour
from stats.store import HOUR

log = structlog.get_logger(__name__)

# Reports and prices that come later than this after the end of their hour are not counted any more.
LATE = timedelta(hours=48)
# The purge may be at work while an hour is counted: none is that is about to be deleted.
MARGIN = HOUR
# An hour is counted again after an eighth of its age, and not before this.
OFTEN = timedelta(seconds=50)
# A large installation's hour may take longer than any statement of a login.
_STATEMENT_TIMEOUT_MS = 120_000


def keep(*, seconds: float) -> int:
    """Count the hours that are due, the newest first, for at most `seconds`; how many. Repeating it is harmless."""
    deadline = time.monotonic() + seconds
    counted = 0
    oldest = _oldest(now := timezone.now())
    for hour in due_hours(_known(now), oldest=oldest, now=now):
        counted += count(hour)
        if time.monotonic() > deadline:
            return counted
    # Only of days all of whose hours were counted.
    merge.merge_days(now, oldest=oldest, closed_after=LATE, until=deadline)
    CountedHour.objects.filter(is_merged=True, hour__lt=now - 2 * CHALLENGES_KEPT).delete()
    return counted


def due_hours(
    counted: Mapping[datetime, datetime | None], *, oldest: datetime, now: datetime
) -> list[datetime]:
    """Of the hours since `oldest` those to be counted, the newest first. `counted`: when each was, so far."""
    hour, due = hour_of(now), []
    while hour >= oldest:
        if is_due(hour, counted.get(hour), now=now):
            due.append(hour)
        hour -= HOUR
    return due


def is_due(hour: datetime, counted_at: datetime | None, *, now: datetime) -> bool:
    """Young hours often, older ones more and more rarely, and each once more when nothing can come any more."""
    if counted_at is None:
        return True
    closes_at = hour + HOUR + LATE
    if counted_at >= closes_at:
        return False
    return now >= closes_at or now - counted_at >= max(OFTEN, (now - hour - HOUR) / 8)


def count(hour: datetime) -> bool:
    """Count one hour, all or nothing. False: another process is counting it, or it is over for good."""
    CountedHour.objects.bulk_create([CountedHour(hour=hour)], ignore_conflicts=True)
    with transaction.atomic():
        row = CountedHour.objects.select_for_update(skip_locked=True).filter(hour=hour).first()
        if row is None or row.is_merged:
            return False
        if connection.vendor == "postgresql":
            with connection.cursor() as cursor:
                cursor.execute(f"SET LOCAL statement_timeout = {_STATEMENT_TIMEOUT_MS}")
        row.counted_at = timezone.now()  # what comes from here on may not be counted
        store.count(hour)
        row.save(update_fields=["counted_at"])
    log.debug("stats.counted", hour=hour.isoformat())
    return True


def hour_of(moment: datetime) -> datetime:
    return moment.replace(minute=0, second=0, microsecond=0)


def _oldest(now: datetime) -> datetime:
    """The first hour whose challenges are all there: older rollups stay as they are."""
    kept = hour_of(now - CHALLENGES_KEPT + MARGIN) + HOUR
    first = Challenge.objects.order_by("id").values_list("id", flat=True).first()
    return max(kept, hour_of(time_of(first))) if first else hour_of(now)


def _known(now: datetime) -> dict[datetime, datetime | None]:
    rows = CountedHour.objects.filter(hour__gte=now - CHALLENGES_KEPT)
    return dict(rows.values_list("hour", "counted_at"))
