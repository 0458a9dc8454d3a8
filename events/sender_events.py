"""Changes of a sender's health, stored in one transaction with the events that report them to projects.

Every project that uses the sender gets the event.
"""

import uuid
from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import datetime

from django.db import transaction
from django.utils import timezone

from channels import alerts, health, notice_store, report_counts
from channels.breaker import Source
from channels.findings import TemplateSeen
from channels.health import AlertChange
from channels.models import Sender
from channels.notice_store import NoticeChange
from channels.notices import NoticeUpdate
from channels.types import FailureReason, TemplateRefusal
from events import services
from events.models import EventType
from projects.models import Project


def failed(sender_id: uuid.UUID, *, source: Source, reason: FailureReason, provider_code: str = "") -> None:
    """As `channels.health.failed`."""
    with transaction.atomic():
        _record_health(health.failed(sender_id, source=source, reason=reason, provider_code=provider_code))


def succeeded(sender_id: uuid.UUID, *, source: Source, arrived: bool = True) -> None:
    """As `channels.health.succeeded`."""
    with transaction.atomic():
        _record_health(health.succeeded(sender_id, source=source, arrived=arrived))


def templates_refused(sender_id: uuid.UUID, refusals: Collection[TemplateRefusal], *, at: datetime) -> None:
    """As `channels.notice_store.templates_refused`."""
    with transaction.atomic():
        _record_notices(notice_store.templates_refused(sender_id, refusals, at=at))


def template_works(sender_id: uuid.UUID, language: str, *, at: datetime) -> None:
    """As `channels.notice_store.template_works`."""
    with transaction.atomic():
        _record_notices(notice_store.template_works(sender_id, language, at=at))


def templates_checked(sender_id: uuid.UUID, seen: Collection[TemplateSeen], *, at: datetime) -> None:
    """As `channels.notice_store.templates_checked`."""
    if seen:
        with transaction.atomic():
            _record_notices(notice_store.templates_checked(sender_id, seen, at=at))


def account_event(sender_ids: Iterable[uuid.UUID], updates: Sequence[NoticeUpdate], *, at: datetime) -> None:
    """A verified event of the business account of these senders; `at` is when it happened."""
    for sender_id in sender_ids:
        with transaction.atomic():
            _record_notices(notice_store.account_event(sender_id, updates, at=at))


def reports_arrived(sender_ids: Iterable[uuid.UUID]) -> None:
    """Signed reports of these senders have arrived and been stored."""
    now = timezone.now()
    for sender_id in report_counts.unwritten(sender_ids, now=now):
        with transaction.atomic():
            sender = report_counts.arrived(sender_id, now=now)
            if sender:
                _record(sender, {"reason": report_counts.REASON}, is_over=True)
        report_counts.remember(sender_id, now=now)


def report_refused(sender_ids: Iterable[uuid.UUID]) -> None:
    """A post that names these senders has a wrong signature."""
    report_counts.refused(sender_ids, now=timezone.now())


def reports_missing(sender_id: uuid.UUID, *, first: datetime, now: datetime) -> None:
    """No report has arrived for the messages since `first`."""
    with transaction.atomic():
        missing = report_counts.went_missing(sender_id, first=first, now=now)
        if missing:
            sender, row = missing
            words = alerts.report_words(provider=sender.provider, refused=report_counts.is_refused(row))
            _record(sender, _alert(report_counts.REASON, "", words), is_over=False)


def _record_health(change: AlertChange | None) -> None:
    if change is None:
        return
    sender, current = change.sender, change.health
    data: dict[str, object] = {}
    if current.alert:
        words = alerts.words(
            provider=sender.provider, reason=current.reason, provider_code=current.provider_code
        )
        data = _alert(current.reason, current.provider_code, words)
    _record(sender, data, is_over=not current.alert)


def _record_notices(changes: Iterable[NoticeChange]) -> None:
    for change in changes:
        subject, notice = change.subject, change.notice
        data: dict[str, object] = {"topic": subject.topic.value}
        if subject.topic.is_of_template:
            data |= {"template": subject.template, "language": subject.language}
        if notice.reason:
            data |= _alert(
                notice.reason, notice.provider_code, alerts.notice_words(change.sender, subject, notice)
            )
        _record(change.sender, data, is_over=not notice.reason)


def _alert(reason: str, provider_code: str, words: tuple[object, object]) -> dict[str, object]:
    problem, remedy = words
    return {"reason": reason, "provider_code": provider_code, "problem": str(problem), "remedy": str(remedy)}


def _record(sender: Sender, data: Mapping[str, object], *, is_over: bool) -> None:
    services.record(
        type=EventType.SENDER_ALERT_OVER if is_over else EventType.SENDER_ALERT,
        project_ids=_projects_of(sender),
        data={"sender_id": str(sender.id), "channel": sender.channel, **data},
    )


def _projects_of(sender: Sender) -> Iterable[uuid.UUID]:
    """Its project; for a shared sender, all projects without a sender of their own for its channel."""
    if sender.project_id:
        return [sender.project_id]
    own = Sender.objects.filter(channel=sender.channel, is_active=True, project__isnull=False)
    return Project.objects.exclude(id__in=own.values("project_id")).values_list("id", flat=True)
