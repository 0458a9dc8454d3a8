"""What an operator has to know about senders, with a remedy."""

import uuid
from dataclasses import dataclass
from datetime import datetime

from django.utils import timezone
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from channels import breaker, health, notice_store, report_counts
from channels.breaker import State
from channels.models import Sender, SenderHealth, SenderNotice, SenderReports
from channels.notices import Notice, Subject
from channels.provider import Words
from channels.providers import PROVIDERS
from channels.types import Channel, FailureReason


@dataclass(frozen=True, kw_only=True)
class Alert:
    """One sender in trouble. `skipped`: new logins skip it where the project has another channel."""

    sender_id: uuid.UUID
    sender: str
    channel: Channel
    problem: str | Promise
    remedy: str | Promise
    provider_code: str
    since: datetime | None
    skipped: bool


_BY_REASON: dict[str, Words] = {
    FailureReason.UNAVAILABLE: (
        _("The provider does not answer, or answers with errors"),
        _("Look at the provider's status page. It is tried again by itself."),
    ),
    FailureReason.MISCONFIGURED: (
        _("The provider refuses this sender"),
        _("Check its credentials and permissions. The number of the error tells more."),
    ),
    FailureReason.PAYMENT: (_("The provider cannot charge the account"), _("Check its payment method.")),
    FailureReason.ACCOUNT_BLOCKED: (
        _("The provider has restricted the account"),
        _("Look for a notice in the provider's console and appeal there."),
    ),
    FailureReason.HELD: (
        _("The provider takes messages but holds them back"),
        _("Look at the quality of number and template in WhatsApp Manager."),
    ),
}
_BY_REASON |= dict.fromkeys(
    (FailureReason.UNKNOWN, FailureReason.BAD_REQUEST),
    (
        _("The provider refuses one message after the other, and its code does not say why"),
        _("Look the code up in the provider's list of errors, or ask its support."),
    ),
)
_UNKNOWN = (_("Messages fail"), _("The delivery log tells more."))


def current() -> list[Alert]:
    """The alerts of all active senders, oldest first."""
    now = timezone.now()
    rows = SenderHealth.objects.filter(alert=True, sender__is_active=True).select_related("sender__project")
    alerts = [_of_health(row, now) for row in rows]
    alerts += [_of_notice(row) for row in notice_store.in_trouble(now=now)]
    alerts += [_of_reports(row) for row in report_counts.missing()]
    return sorted(alerts, key=lambda alert: (alert.since or now, str(alert.sender_id)))


def labels() -> list[tuple[uuid.UUID, str, str]]:
    """(sender, channel, reason) of everything that an operator has to see to, each once, for monitoring."""
    labels = {
        (row.sender_id, row.sender.channel, row.reason) for row in notice_store.in_trouble(now=timezone.now())
    }
    labels |= {(row.pk, row.sender.channel, report_counts.REASON) for row in report_counts.missing()}
    return sorted(labels | set(health.alerts()))


def words(*, provider: str, reason: str, provider_code: str) -> Words:
    """Problem and remedy. A reason of a newer version, which was rolled back, is in the table as little as a code."""
    known = PROVIDERS.get(provider)
    by_code = known.words_by_code.get(provider_code) if known else None
    return by_code or _BY_REASON.get(reason or FailureReason.UNKNOWN, _UNKNOWN)


def notice_words(sender: Sender, subject: Subject, notice: Notice) -> Words:
    """Problem and remedy of what a provider tells of a sender."""
    provider = PROVIDERS.get(sender.provider)
    templates = provider.templates if provider else None
    return templates.words(subject, notice) if templates else _UNKNOWN


def report_words(*, provider: str, refused: bool) -> Words:
    """Problem and remedy of a sender whose reports are missing. `refused`: posts arrive that are signed otherwise."""
    known = PROVIDERS.get(provider)
    reports = known.reports if known else None
    if reports is None:
        return _UNKNOWN
    return reports.refused if refused else reports.missing


def _of_health(row: SenderHealth, now: datetime) -> Alert:
    return _alert(
        row.sender,
        words(provider=row.sender.provider, reason=row.reason, provider_code=row.provider_code),
        since=row.since,
        provider_code=row.provider_code,
        skipped=breaker.state(health.read(row), now=now) is not State.CLOSED,
    )


def _of_notice(row: SenderNotice) -> Alert:
    texts = notice_words(row.sender, notice_store.subject_of(row), notice_store.read(row))
    return _alert(row.sender, texts, since=row.since, provider_code=row.provider_code)


def _of_reports(row: SenderReports) -> Alert:
    texts = report_words(provider=row.sender.provider, refused=report_counts.is_refused(row))
    return _alert(row.sender, texts, since=row.missing_since)


def _alert(
    sender: Sender, texts: Words, *, since: datetime | None, provider_code: str = "", skipped: bool = False
) -> Alert:
    problem, remedy = texts
    return Alert(
        sender_id=sender.pk,
        sender=str(sender),
        channel=Channel(sender.channel),
        problem=problem,
        remedy=remedy,
        provider_code=provider_code,
        since=since,
        skipped=skipped,
    )
