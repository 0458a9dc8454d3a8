"""Whether providers report what became of messages, as `manage.py doctor` sees it: by what came, not by settings."""

from collections.abc import Iterator
from datetime import datetime

from django.utils import timezone

from channels import alerts, report_counts
from channels.findings import Finding, about, fail, ok
from channels.models import Sender, SenderReports
from otp import missing_reports


def arrivals() -> Iterator[Finding]:
    """For each active sender whose provider reports."""
    senders = (
        Sender.objects.filter(is_active=True, provider__in=report_counts.REPORTING)
        .defer("secrets")
        .select_related("project", "reports")
        .order_by("id")
    )
    now = timezone.now()
    missing = missing_reports.missing([sender.pk for sender in senders], now=now)
    for sender in senders:
        row: SenderReports | None = getattr(sender, "reports", None)
        if sender.pk in missing:
            refused = row is not None and report_counts.is_refused(row)
            problem, remedy = alerts.report_words(provider=sender.provider, refused=refused)
            yield about(sender, fail(str(problem), str(remedy)))
        else:
            yield about(sender, ok(_last(row, now)))
    if not senders:
        yield ok("no sender's provider reports")


def _last(row: SenderReports | None, now: datetime) -> str:
    if row is None or row.reported_at is None:
        return "no report yet, and none is overdue"
    return f"the last report came {max((now - row.reported_at).total_seconds(), 0):.0f} s ago"
