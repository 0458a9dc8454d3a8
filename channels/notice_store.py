"""The notices of senders in the database. Bad news raises the configuration version when it changes what is sent.

Languages that are skipped are read along with the senders (`channels.senders`), so a healthy sender costs nothing.
Callers that notify people wrap these in a transaction of their own and get what changed (events.sender_events).
"""

import uuid
from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import asdict, dataclass, fields
from datetime import datetime
from functools import partial

import structlog
from django.db import transaction
from django.db.models import Q, QuerySet
from django.utils import timezone

from channels import notices
from channels.findings import TemplateSeen
from channels.models import Sender, SenderNotice
from channels.notices import Notice, NoticeUpdate, Subject, Topic
from channels.providers import PROVIDERS
from channels.types import TemplateRefusal
from core.config_models import ConfigVersion

log = structlog.get_logger(__name__)

_FIELDS = tuple(field.name for field in fields(Notice))


@dataclass(frozen=True, kw_only=True)
class NoticeChange:
    """A notice that operators have to know: it began, changed its reason, or (`notice.reason` is empty) ended."""

    sender: Sender
    subject: Subject
    notice: Notice


def read(row: SenderNotice) -> Notice:
    return Notice(**{name: getattr(row, name) for name in _FIELDS})


def subject_of(row: SenderNotice) -> Subject:
    return Subject(topic=Topic(row.topic), template=row.template, language=row.language)


def templates_refused(
    sender_id: uuid.UUID, refusals: Collection[TemplateRefusal], *, at: datetime
) -> list[NoticeChange]:
    """The provider did not send in these languages. `at`: when the call began, as good news since then counts."""
    seen = [(item.language, item.reason.value, item.provider_code) for item in refusals]
    return _change(sender_id, lambda template: _of_template(template, seen), partial(_after, at=at))


def template_works(sender_id: uuid.UUID, language: str, *, at: datetime) -> list[NoticeChange]:
    """A message in a language that was in trouble went out, or a check saw it approved."""
    return _change(
        sender_id, lambda template: _of_template(template, [(language, "", "")]), partial(_after, at=at)
    )


def templates_checked(
    sender_id: uuid.UUID, seen: Collection[TemplateSeen], *, at: datetime
) -> list[NoticeChange]:
    """The provider was just asked about the sender's templates. `at`: before it was asked."""
    states = [(item.language, item.reason or "", item.word) for item in seen]

    def step(notice: Notice, update: NoticeUpdate) -> Notice:
        """What was well stays unwritten."""
        return _after(notice, update, at=at) if notice.reason or update.reason else notice

    return _change(sender_id, lambda template: _of_template(template, states), step)


def account_event(
    sender_id: uuid.UUID, updates: Sequence[NoticeUpdate], *, at: datetime
) -> list[NoticeChange]:
    """An authenticated event of the sender's business account. Other templates than its own are left out.

    Events carry whole seconds, so good news counts to the end of its second: in doubt a language is tried.
    """
    if not updates:
        return []
    at = min(at, timezone.now())
    step = partial(_after, at=at, good_at=at.replace(microsecond=999_999))
    return _change(sender_id, lambda _: updates, step)


def changed(sender: Sender) -> None:
    """Its settings were changed: what is still configured is tried again, and the rest is forgotten."""
    rows = SenderNotice.objects.filter(sender_id=sender.pk)
    kept = Q(topic=Topic.TEMPLATE, template=_template_name(sender), language__in=_languages(sender))
    rows.exclude(kept).delete()
    rows.update(skipped_until=None)


def in_trouble(*, now: datetime) -> QuerySet[SenderNotice]:
    """The notices of active senders that an operator has to see, oldest first. Topics of a newer version, which was
    rolled back, are left out."""
    lasting = Q(topic=Topic.TEMPLATE) | Q(since__gt=now - notices.SHOWN_FOR)
    return (
        SenderNotice.objects.exclude(reason="")
        .filter(lasting, sender__is_active=True, topic__in=list(Topic))
        .select_related("sender__project")
        .order_by("since", "pk")
    )


def unhealthy_languages() -> dict[uuid.UUID, dict[str, datetime | None]]:
    """By sender the languages of its template that had trouble, and until when each is skipped."""
    by_sender: dict[uuid.UUID, dict[str, datetime | None]] = {}
    rows = SenderNotice.objects.filter(topic=Topic.TEMPLATE, sender__provider__in=list(PROVIDERS))
    for row in rows.exclude(reason="").select_related("sender").defer("sender__secrets"):
        if row.template == _template_name(row.sender):
            by_sender.setdefault(row.sender_id, {})[row.language] = row.skipped_until
    return by_sender


def _template_name(sender: Sender) -> str:
    return str(getattr(sender.typed_without_secrets(), "template_name", ""))


def _languages(sender: Sender) -> set[str]:
    languages: Iterable[str] = getattr(sender.typed_without_secrets(), "template_languages", ())
    return {notices.normal_language(language) for language in languages}


def _of_template(template: str, states: Iterable[tuple[str, str, str]]) -> list[NoticeUpdate]:
    """Of the sender's own template: language, reason ("": it can be sent), the provider's word."""
    return [
        NoticeUpdate(
            subject=Subject(
                topic=Topic.TEMPLATE, template=template, language=notices.normal_language(language)
            ),
            reason=reason,
            word=word,
        )
        for language, reason, word in states
    ]


def _is_used(sender: Sender, subject: Subject) -> bool:
    """Templates and languages that a sender does not use are left out, so that rows cannot pile up."""
    is_own = subject.template == _template_name(sender) and subject.language in _languages(sender)
    return is_own or not subject.topic.is_of_template


def _after(notice: Notice, update: NoticeUpdate, *, at: datetime, good_at: datetime | None = None) -> Notice:
    if not update.reason:
        return notices.ended(notice, at=good_at or at)
    skips = update.subject.topic is Topic.TEMPLATE
    return notices.raised(notice, reason=update.reason, provider_code=update.word, at=at, skips=skips)


def _change(
    sender_id: uuid.UUID,
    updates_of: Callable[[str], Iterable[NoticeUpdate]],
    step: Callable[[Notice, NoticeUpdate], Notice],
) -> list[NoticeChange]:
    """Write down the updates that `updates_of` makes for the name of a sender's template, one caller at a time."""
    changes: list[NoticeChange] = []
    with transaction.atomic(savepoint=False):
        sender = Sender.locked(sender_id)
        if sender is None:
            return []  # deleted meanwhile
        known = SenderNotice.objects.filter(sender_id=sender_id, topic__in=list(Topic))
        rows = {subject_of(row): row for row in known}
        is_visible = False
        for update in updates_of(_template_name(sender)):
            subject = update.subject
            before = read(rows[subject]) if subject in rows else Notice()
            after = step(before, update)
            if after == before or not _is_used(sender, subject):
                continue
            rows[subject] = _write(sender_id, subject, after)
            is_visible |= _seen(before) != _seen(after)
            if before.reason != after.reason:
                changes.append(NoticeChange(sender=sender, subject=subject, notice=after))
        if is_visible:
            ConfigVersion.bump()
    _log(changes)
    return changes


def _seen(notice: Notice) -> tuple[bool, datetime | None]:
    """What other processes have to know."""
    return notice.reason != "", notice.skipped_until


def _write(sender_id: uuid.UUID, subject: Subject, notice: Notice) -> SenderNotice:
    row = SenderNotice(sender_id=sender_id, **asdict(subject), **asdict(notice))
    SenderNotice.objects.bulk_create(
        [row],
        update_conflicts=True,
        unique_fields=["sender", "topic", "template", "language"],
        update_fields=_FIELDS,
    )
    return row


def _log(changes: Sequence[NoticeChange]) -> None:
    for item in changes:
        words = {
            "sender_id": str(item.sender.id),
            "topic": item.subject.topic.value,
            "template": item.subject.template,
            "language": item.subject.language,
        }
        if item.notice.reason:
            log.error(
                "sender.notice", **words, reason=item.notice.reason, provider_code=item.notice.provider_code
            )
        else:
            log.warning("sender.notice_over", **words)
