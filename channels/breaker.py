"""The health of a sender: when it is skipped, probed and slowed down. Values in, values out; time is passed in.

Two things speak about a sender. The answers to our calls come at once; reports about accepted messages come later, and
for some faults (payment) only they tell. Each counts its own failures in a row, and an open breaker is closed by
successes of the kind that opened it.
"""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any

from channels.errors import MEANINGS
from channels.types import FailureReason

# Failures in a row that open the breaker.
THRESHOLD = 5

# Failures in a row whose cause is not known (`Meaning.unexplained`), with no success between them: so many different
# people are not the cause.
UNEXPLAINED_THRESHOLD = 10
# Among reports `sent` is no success yet: many routes say it of every message before they fail it, and others never say
# more. So a failure counts two and a `sent` takes one back: it is the sender when more than half of them fail.
UNEXPLAINED_FAILED, UNEXPLAINED_SENT = 2, 1
UNEXPLAINED_LIMIT = UNEXPLAINED_THRESHOLD * UNEXPLAINED_FAILED

# How long an open breaker waits for its first probe; doubles with each probe that fails.
FIRST_OPEN = timedelta(seconds=5)
LONGEST_OPEN = timedelta(minutes=5)
# Counted as far as this: the wait is the longest long before, and the column is a small integer.
_MOST_OPENINGS = 10
# A probe without an outcome (its worker died, no report came) is followed by another after this.
PROBE_LEASE = timedelta(seconds=15)

# The gap between two messages of a sender after its provider said "too fast".
FIRST_THROTTLE = timedelta(milliseconds=100)
LONGEST_THROTTLE = timedelta(seconds=2)
# Answers to calls that were under way together are one "too fast".
THROTTLE_STEP = timedelta(seconds=1)

# An alert stays for this long after the last failure, so that one template of several does not make it blink.
ALERT_KEPT = timedelta(minutes=10)


class Source(StrEnum):
    """Who spoke: the answer to a call, or a later report."""

    CALL = "call"
    REPORT = "report"


class State(StrEnum):
    CLOSED = "closed"
    OPEN = "open"
    HALF_OPEN = "half_open"  # the next message is a probe


class Verdict(StrEnum):
    GO = "go"
    SKIP = "skip"  # another channel, please
    WAIT = "wait"  # not before `at`


@dataclass(frozen=True, kw_only=True)
class Health:
    """What is known of a sender that had trouble. A sender without trouble is `Health()`."""

    call_failures: int = 0  # in a row, as far as THRESHOLD
    report_failures: int = 0
    unexplained_calls: int = 0  # in a row, as far as UNEXPLAINED_THRESHOLD
    unexplained_reports: int = 0  # weighed, as far as UNEXPLAINED_LIMIT
    opened_by: str = ""  # Source; "": closed
    open_until: datetime | None = None  # the next probe
    openings: int = 0  # in a row
    probing: bool = False  # a probe is under way
    throttle: timedelta = timedelta(0)
    throttled_at: datetime | None = None  # the last "too fast"
    next_at: datetime | None = None  # when the throttle lets the next message go
    reason: str = ""  # the last failure, and the provider's number for it
    provider_code: str = ""
    since: datetime | None = None  # when the present trouble began
    failed_at: datetime | None = None
    alert: bool = False  # an operator has to know
    recovery_source: str = ""  # Source whose good news ends an alert that a change of the sender interrupted

    @property
    def is_clean(self) -> bool:
        """Nothing is left worth remembering."""
        left = (
            self.call_failures, self.report_failures, self.unexplained_calls, self.unexplained_reports,
            self.opened_by, self.throttle, self.alert, self.recovery_source,
        )  # fmt: skip
        return not any(left)


@dataclass(frozen=True, kw_only=True)
class Gate:
    verdict: Verdict
    at: datetime | None = None


def state(health: Health, *, now: datetime) -> State:
    if not health.opened_by or health.open_until is None:
        return State.CLOSED
    return State.OPEN if now < health.open_until else State.HALF_OPEN


def failed(
    health: Health, *, source: Source, reason: FailureReason, provider_code: str, now: datetime
) -> Health:
    """After a failure that any recipient would have met."""
    name = "call_failures" if source is Source.CALL else "report_failures"
    count = min(getattr(health, name) + 1, THRESHOLD)
    changes: dict[str, Any] = {name: count, "alert": health.alert or MEANINGS[reason].alert}
    health = replace(health, **changes, **_cause(health, reason, provider_code, now))
    health = _open(health, source, now) if count >= THRESHOLD else health
    return replace(health, recovery_source="") if health.alert else health


def unexplained(
    health: Health, *, source: Source, reason: FailureReason, provider_code: str, now: datetime
) -> Health:
    """After a failure with more than one possible cause. Many of them in a row are the sender's."""
    name, step, limit = "unexplained_calls", 1, UNEXPLAINED_THRESHOLD
    if source is Source.REPORT:
        name, step, limit = "unexplained_reports", UNEXPLAINED_FAILED, UNEXPLAINED_LIMIT
    changes: dict[str, Any] = {name: min(getattr(health, name) + step, limit)}
    if changes[name] < limit:
        return replace(health, **changes)
    changes |= {"alert": True, "recovery_source": "", **_cause(health, reason, provider_code, now)}
    return _open(replace(health, **changes), source, now)


def _cause(health: Health, reason: FailureReason, provider_code: str, now: datetime) -> dict[str, Any]:
    return {
        "reason": reason.value,
        "provider_code": provider_code[:20],
        "since": health.since or now,
        "failed_at": now,
    }


def _open(health: Health, source: Source, now: datetime) -> Health:
    if health.opened_by and not health.probing:
        return health  # a straggler from before it opened: the wait is not made longer by it
    wait = min(FIRST_OPEN * 2 ** min(health.openings, _MOST_OPENINGS), LONGEST_OPEN)
    return replace(
        health,
        opened_by=health.opened_by or source.value,
        open_until=now + wait,
        openings=min(health.openings + 1, _MOST_OPENINGS),
        probing=False,
        alert=True,
    )


def succeeded(health: Health, *, source: Source, now: datetime, arrived: bool = True) -> Health:
    """After good news: the provider answered as it should, or a message is on its way, or it has arrived."""
    if source is Source.CALL:
        health = replace(health, call_failures=0, unexplained_calls=0, throttle=_faster(health.throttle))
    else:
        left = 0 if arrived else max(health.unexplained_reports - UNEXPLAINED_SENT, 0)
        health = replace(health, report_failures=0, unexplained_reports=left)
    if health.recovery_source == source.value:
        health = replace(health, recovery_source="")
    if health.opened_by == source.value:
        health = replace(health, opened_by="", open_until=None, openings=0, probing=False)
    if health.opened_by or (health.failed_at and now - health.failed_at < ALERT_KEPT):
        return health
    return replace(health, alert=False, reason="", provider_code="", since=None, failed_at=None)


def changed(health: Health) -> Health:
    """After its settings were changed: what was known of it says nothing any more. Whoever was alarmed still has
    to hear that it works, from the source that raised the alarm."""
    if not health.alert:
        return Health(recovery_source=health.recovery_source)
    reported = health.report_failures + health.unexplained_reports > 0
    by_report = health.opened_by == Source.REPORT or (not health.opened_by and reported)
    return Health(recovery_source=(Source.REPORT if by_report else Source.CALL).value)


def _faster(throttle: timedelta) -> timedelta:
    shorter = throttle * 0.8
    return shorter if shorter >= FIRST_THROTTLE / 2 else timedelta(0)


def slowed(health: Health, *, now: datetime) -> Health:
    """After the provider said that we send too fast."""
    if health.throttled_at and now - health.throttled_at < THROTTLE_STEP:
        throttle = health.throttle or FIRST_THROTTLE
        throttled_at = health.throttled_at
    else:
        throttle = min(max(health.throttle * 2, FIRST_THROTTLE), LONGEST_THROTTLE)
        throttled_at = now
    return replace(health, throttle=throttle, throttled_at=throttled_at, next_at=now + throttle)


def gate(health: Health, *, now: datetime) -> tuple[Gate, Health]:
    """Whether a message may go through the sender now, and the health after that."""
    match state(health, now=now):
        case State.OPEN:
            return Gate(verdict=Verdict.SKIP), health
        case State.HALF_OPEN:
            return Gate(verdict=Verdict.GO), replace(health, open_until=now + PROBE_LEASE, probing=True)
    if not health.throttle:
        return Gate(verdict=Verdict.GO), health
    if health.next_at and now < health.next_at:
        return Gate(verdict=Verdict.WAIT, at=health.next_at), health
    return Gate(verdict=Verdict.GO), replace(health, next_at=now + health.throttle)
