"""What a check of a sender or of the installation finds: values, and the comparison of clocks."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from enum import StrEnum

from django.utils import timezone

from channels.types import FailureReason

# A clock further off than this breaks signatures, codes and cookies.
_CLOCK_SECONDS = 10.0


class Level(StrEnum):
    OK = "ok"
    WARN = "warn"  # works, but needs a look
    FAIL = "fail"


@dataclass(frozen=True, kw_only=True)
class TemplateSeen:
    """A template in one language as its provider has it now. `reason` is None when it can be sent."""

    language: str
    reason: FailureReason | None
    word: str = ""  # the provider's
    minutes: int | None = None  # that a code lives, as it says


@dataclass(frozen=True, kw_only=True)
class Finding:
    """One line of a check. `remedy` says what to do, for all that is not OK. `subject`: which sender, project or client
    it is about; empty: the installation."""

    level: Level
    text: str
    remedy: str = ""
    subject: str = ""
    template: TemplateSeen | None = None  # what it tells of the sender's template in one language


def ok(text: str) -> Finding:
    return Finding(level=Level.OK, text=text)


def warn(text: str, remedy: str) -> Finding:
    return Finding(level=Level.WARN, text=text, remedy=remedy)


def fail(text: str, remedy: str) -> Finding:
    return Finding(level=Level.FAIL, text=text, remedy=remedy)


def about(subject: object, finding: Finding) -> Finding:
    return replace(finding, subject=str(subject))


def clock(date: str, *, now: datetime | None = None) -> Iterator[Finding]:
    """A finding when the provider's clock (an HTTP Date header) and ours differ."""
    try:
        theirs = parsedate_to_datetime(date)
    except ValueError:
        return  # no date, nothing to compare
    if theirs.tzinfo is None:  # RFC 9110: a date of HTTP is in UTC, whether it says so or not
        theirs = theirs.replace(tzinfo=UTC)
    seconds = ((now or timezone.now()) - theirs).total_seconds()
    if abs(seconds) > _CLOCK_SECONDS:
        yield fail(
            f"this machine's clock is {seconds:+.0f} s off the provider's", "Run a time service (chrony)."
        )
