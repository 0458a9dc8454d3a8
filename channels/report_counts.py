"""Whether a sender's provider reports at all: what the webhook saw of it, kept for each sender.

A report costs nothing here but once every few seconds: the last one is written down when the one before is old enough.
A post whose signature fails is only counted, to explain why none is there; it decides nothing (otp.missing_reports).
Who has to tell people of it calls these inside a transaction of their own (events.sender_events).
"""

import uuid
from collections.abc import Iterable
from datetime import datetime, timedelta

import structlog
from django.db import transaction
from django.db.models import F, Q

from channels.models import Sender, SenderReports
from channels.providers import PROVIDERS
from core.config_models import ConfigVersion
from core.redis import LocalStore

log = structlog.get_logger(__name__)

# Providers that post reports.
REPORTING = frozenset(provider.name for provider in PROVIDERS.values() if provider.reports)
# Those of them whose senders are expected to report only once they have.
OPTIONAL = frozenset(
    provider.name for provider in PROVIDERS.values() if provider.reports and provider.reports.is_optional
)
# In each process, for each sender.
WRITTEN_EVERY = timedelta(seconds=5)
REASON = "reports_missing"
_MOST_REFUSED = 1_000_000_000  # the column ends soon after

# By sender: when this process last wrote down a report or a refused post, and how many were refused since.
_arrivals: LocalStore[uuid.UUID, datetime] = LocalStore(max_entries=10_000)
_refusals: LocalStore[uuid.UUID, tuple[datetime | None, int]] = LocalStore(max_entries=10_000)


def _is_due(last: datetime | None, now: datetime) -> bool:
    return last is None or not timedelta(0) <= now - last < WRITTEN_EVERY  # a clock may be set back


def unwritten(sender_ids: Iterable[uuid.UUID], *, now: datetime) -> list[uuid.UUID]:
    """Those of the senders whose report of this moment is to be written down."""
    return sorted({key for key in sender_ids if _is_due(_arrivals.get(key), now)})


def arrived(sender_id: uuid.UUID, *, now: datetime) -> Sender | None:
    """A signed report came: written down. Gives the sender when that is the first one after they were missing."""
    well = SenderReports.objects.filter(sender_id=sender_id, missing_since=None)
    return None if well.update(reported_at=now, refused=0) else _arrived_at_last(sender_id, now)


def remember(sender_id: uuid.UUID, *, now: datetime) -> None:
    """It is written down and committed."""
    with _arrivals.lock:
        _arrivals.put(sender_id, now)


def _arrived_at_last(sender_id: uuid.UUID, now: datetime) -> Sender | None:
    """The first report of all, or the first after they were missing."""
    with transaction.atomic(savepoint=False):
        sender = _locked(sender_id)
        if sender is None:
            return None
        row = SenderReports.objects.filter(sender_id=sender_id).first()
        was_missing = row is not None and row.missing_since is not None
        SenderReports.objects.filter(sender_id=sender_id).update(
            reported_at=now, missing_since=None, refused=0
        )
        if was_missing:
            ConfigVersion.bump()
    if was_missing:
        log.warning("sender.alert_over", sender_id=str(sender_id), reason=REASON)
    return sender if was_missing else None


def _locked(sender_id: uuid.UUID) -> Sender | None:
    """As `Sender.locked`, with a row to write to."""
    sender = Sender.locked(sender_id)
    if sender:
        SenderReports.objects.bulk_create([SenderReports(sender_id=sender_id)], ignore_conflicts=True)
    return sender


def went_missing(
    sender_id: uuid.UUID, *, first: datetime, now: datetime
) -> tuple[Sender, SenderReports] | None:
    """No report came since the message of `first`: written down, unless one has come meanwhile. Gives the sender when
    that is news."""
    with transaction.atomic(savepoint=False):
        sender = _locked(sender_id)
        if sender is None:
            return None
        silent = SenderReports.objects.filter(sender_id=sender_id, missing_since=None)
        silent = silent.filter(Q(reported_at=None) | Q(reported_at__lt=first))
        if not silent.update(missing_since=now):
            return None
        ConfigVersion.bump()
        row = SenderReports.objects.get(sender_id=sender_id)
    log.error("sender.alert", sender_id=str(sender_id), reason=REASON, refused=is_refused(row))
    return sender, row


def refused(sender_ids: Iterable[uuid.UUID], *, now: datetime) -> None:
    """A post that names these senders carries a signature that is not theirs. Anybody can send one: it is a number
    in one row, written every few seconds."""
    due: list[tuple[uuid.UUID, int]] = []
    with _refusals.lock:
        for sender_id in set(sender_ids):
            last, count = _refusals.get(sender_id, (None, 0))
            is_due = _is_due(last, now)
            if is_due:
                due.append((sender_id, count + 1))
            _refusals.put(sender_id, (now, 0) if is_due else (last, count + 1))
    for sender_id, count in sorted(due):
        _write_refused(sender_id, count, now)


def _write_refused(sender_id: uuid.UUID, count: int, now: datetime) -> None:
    rows = SenderReports.objects.filter(sender_id=sender_id, refused__lt=_MOST_REFUSED)
    if not rows.update(refused=F("refused") + count, refused_at=now):
        with transaction.atomic(savepoint=False):
            if _locked(sender_id):
                rows.update(refused=F("refused") + count, refused_at=now)


def is_refused(row: SenderReports) -> bool:
    """Whether posts arrive for it, with signatures that are not its own."""
    return row.refused_at is not None and (row.reported_at is None or row.reported_at < row.refused_at)


def rows(sender_ids: Iterable[uuid.UUID]) -> dict[uuid.UUID, SenderReports]:
    return {row.pk: row for row in SenderReports.objects.filter(sender_id__in=list(sender_ids))}


def missing() -> list[SenderReports]:
    """Of active senders, those whose reports do not arrive; the longest first."""
    affected = SenderReports.objects.filter(missing_since__isnull=False, sender__is_active=True)
    return list(affected.select_related("sender__project").order_by("missing_since"))
