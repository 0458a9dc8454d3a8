"""What providers tell of a sender beside its messages: templates in trouble, quality, restrictions. Values in, values
out; time is passed in.

Bad and good news of one subject come in any order and late: calls under way, reports, posts that are repeated for days.
Each has the time at which it was true, and what is older than the opposite is not believed.
"""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum

# A template language in trouble is not tried for this long, unless somebody says earlier that it works.
SKIPPED_FOR = timedelta(minutes=15)
LONGEST_LANGUAGE = 20
# What nobody will ever take back (a violation, a warning) is shown for this long, or until the sender is saved.
SHOWN_FOR = timedelta(days=7)


class Topic(StrEnum):
    """What a notice is about. Each topic of a sender (and template, and language) has one state."""

    TEMPLATE = "template"  # whether it can be sent
    TEMPLATE_RISK = "template_risk"  # it can, and Meta warns of its end
    TEMPLATE_QUALITY = "template_quality"
    TEMPLATE_CATEGORY = "template_category"
    NUMBER_QUALITY = "number_quality"
    DISPLAY_NAME = "display_name"
    ACCOUNT = "account"
    ACCOUNT_REVIEW = "account_review"
    ACCOUNT_ALERT = "account_alert"

    @property
    def is_of_template(self) -> bool:
        return self.value.startswith("template")


@dataclass(frozen=True, kw_only=True)
class Subject:
    """What a state belongs to. Template and language are empty for what is about number or account."""

    topic: Topic
    template: str = ""
    language: str = ""


@dataclass(frozen=True, kw_only=True)
class Notice:
    """The state of one subject. All is well while `reason` is empty; then only the times are kept."""

    reason: str = ""  # FailureReason of a template that cannot be sent, else Meta's word
    provider_code: str = ""
    since: datetime | None = None
    skipped_until: datetime | None = None  # the language is not tried before
    bad_at: datetime | None = None  # when the last bad news was true
    good_at: datetime | None = None


@dataclass(frozen=True, kw_only=True)
class NoticeUpdate:
    """What a provider tells of one subject. `reason` is empty for good news; `word` is its own, for the operator."""

    subject: Subject
    reason: str = ""
    word: str = ""


def raised(notice: Notice, *, reason: str, provider_code: str, at: datetime, skips: bool) -> Notice:
    """After bad news that was true at `at`. While a language is being skipped its time is not made longer."""
    if notice.good_at and at < notice.good_at:
        return notice
    if notice.reason and notice.bad_at and at < notice.bad_at:
        return notice
    until = at + SKIPPED_FOR if skips else None
    still_skipped = notice.skipped_until is not None and at < notice.skipped_until
    return replace(
        notice,
        reason=reason[:40],
        provider_code=provider_code[:20],
        since=notice.since or at,
        skipped_until=notice.skipped_until if still_skipped else until,
        bad_at=at,
    )


def ended(notice: Notice, *, at: datetime) -> Notice:
    """After good news that was true at `at`."""
    if notice.bad_at and at < notice.bad_at:
        return notice
    good_at = max(at, notice.good_at) if notice.good_at else at
    return Notice(bad_at=notice.bad_at, good_at=good_at)


def is_skipped(until: datetime | None, *, now: datetime) -> bool:
    return until is not None and now < until


def normal_language(language: str) -> str:
    """Meta writes `es-MX` in some places and `es_MX` in others."""
    return language.replace("-", "_")[:LONGEST_LANGUAGE]
