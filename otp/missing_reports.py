"""What silence means: of one message that it did not arrive, of all messages of a sender that its reports are missing.

Only the absence of signed reports decides. While they are missing, silence sends nothing by itself: the messages
arrive, and each person would be paid for twice because of a wrong app secret. What is refused or fails for a reason
falls back as usual.
"""

import uuid
from collections.abc import Collection
from datetime import datetime, timedelta

from django.utils import timezone

from channels import report_counts
from channels.senders import senders
from core.redis import LocalStore
from events import sender_events
from otp import policy
from otp.store import unreported

# How often a process checks all senders. A silent message is checked whenever it is due.
CHECK_EVERY = timedelta(seconds=5)
_checked: LocalStore[str, datetime] = LocalStore(max_entries=1)


def missing(sender_ids: Collection[uuid.UUID], *, now: datetime) -> set[uuid.UUID]:
    """Those of the senders whose reports do not arrive, whether that was recorded yet or not."""
    written, since = _divide(sender_ids, now)
    return written | set(_first_unreported(since, now))


def check(*, now: datetime | None = None) -> None:
    """Record senders whose reports have gone missing, and alert. The sweep calls it: cheap when all is well."""
    now = now or timezone.now()
    last = _checked.get("last")
    if last and timedelta(0) <= now - last < CHECK_EVERY:
        return
    _checked.put("last", now)
    _, since = _divide(senders.get().by_id, now)
    for sender_id, first in sorted(_first_unreported(since, now).items()):
        sender_events.reports_missing(sender_id, first=first, now=now)


type _Since = dict[uuid.UUID, datetime | None]  # the last report that was written down


def _divide(sender_ids: Collection[uuid.UUID], now: datetime) -> tuple[set[uuid.UUID], _Since]:
    """Those that are known to be missing, and those whose last report is so long ago that they may be."""
    configured = senders.get().by_id
    reporting_ids = [
        key for key in sender_ids if key in configured and configured[key].provider in report_counts.REPORTING
    ]
    rows = report_counts.rows(reporting_ids) if reporting_ids else {}
    written = {key for key, row in rows.items() if row.missing_since}
    last = {key: rows[key].reported_at if key in rows else None for key in reporting_ids}
    suspects = {
        key: at
        for key, at in last.items()
        if key not in written and _may_be_missing(configured[key].provider, at, now)
    }
    return written, suspects


def _may_be_missing(provider: str, last: datetime | None, now: datetime) -> bool:
    """By the last report alone. A sender that need not report is not missed before its first one."""
    if last is None:
        return provider not in report_counts.OPTIONAL
    return last < now - policy.REPORT_WAIT


def _first_unreported(since: _Since, now: datetime) -> dict[uuid.UUID, datetime]:
    """Of the senders that have enough messages without any report since: when the first of them was accepted."""
    until, most = now - policy.REPORT_WAIT, policy.UNREPORTED_SENDS
    firsts = {}
    for sender_id, times in unreported.sends(since, until=until, most=most).items():
        last, sends = since[sender_id], times
        if last and len(sends) == most and sends[0] <= last + report_counts.WRITTEN_EVERY:
            # Reports that came right after the one that was written down may not have been.
            exact = unreported.last_report(sender_id, after=last, until=last + report_counts.WRITTEN_EVERY)
            sends = unreported.sends({sender_id: exact}, until=until, most=most)[sender_id]
        if len(sends) == most:
            firsts[sender_id] = sends[0]
    return firsts
