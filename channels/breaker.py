"""The health of a sender: when it is skipped, probed and slowed down. Values in, values out; time is passed in.

Two things speak about a sender. The answers to our calls come at once; reports about accepted messages come later, and
for some faults (payment) only they tell. Each counts its own failures in a row, and an open breaker is closed by good
news of the kind that opened it.
"""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum

from channels.errors import MEANINGS
from channels.types import FailureReason

# Failures in a row that open the breaker.
THRESHOLD = 5

# How long an open breaker waits for its first probe; doubles with each probe that fails.
FIRST_OPEN = timedelta(seconds=5)
LONGEST_OPEN = timedelta(minutes=5)
# A probe whose outcome nobody reported (its worker died, no report came) is followed by another after this.
PROBE_LEASE = timedelta(seconds=15)

# The gap between two messages of a sender after its provider said "too fast".
FIRST_PACE = timedelta(milliseconds=100)
LONGEST_PACE = timedelta(seconds=2)
# Answers to calls that were under way together are one "too fast".
PACE_STEP = timedelta(seconds=1)

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
    opened_by: str = ""  # Source; "": closed
    open_until: datetime | None = None  # the next probe
    openings: int = 0  # in a row
    probing: bool = False  # a probe is under way
    pace: timedelta = timedelta(0)
    paced_at: datetime | None = None  # the last "too fast"
    next_at: datetime | None = None  # when the pace lets the next message go
    reason: str = ""  # the last failure, and the provider's number for it
    provider_code: str = ""
    since: datetime | None = None  # when the present trouble began
    failed_at: datetime | None = None
    alert: bool = False  # an operator has to know
    mending: str = ""  # Source whose good news ends an alert that a change of the sender interrupted

    @property
    def is_clean(self) -> bool:
        """Nothing is left worth remembering."""
        left = (self.call_failures, self.report_failures, self.opened_by, self.pace, self.alert, self.mending)
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
    calls, reports = health.call_failures, health.report_failures
    if source is Source.CALL:
        calls = min(calls + 1, THRESHOLD)
    else:
        reports = min(reports + 1, THRESHOLD)
    health = replace(
        health,
        call_failures=calls,
        report_failures=reports,
        reason=reason.value,
        provider_code=provider_code[:20],
        since=health.since or now,
        failed_at=now,
        alert=health.alert or MEANINGS[reason].alert,
    )
    due = calls >= THRESHOLD if source is Source.CALL else reports >= THRESHOLD
    health = _open(health, source, now) if due else health
    return replace(health, mending="") if health.alert else health  # told anew


def _open(health: Health, source: Source, now: datetime) -> Health:
    if health.opened_by and not health.probing:
        return health  # a straggler from before it opened: the wait is not made longer by it
    wait = min(FIRST_OPEN * 2 ** min(health.openings, 10), LONGEST_OPEN)
    return replace(
        health,
        opened_by=health.opened_by or source.value,
        open_until=now + wait,
        openings=health.openings + 1,
        probing=False,
        alert=True,
    )


def succeeded(health: Health, *, source: Source, now: datetime) -> Health:
    """After good news: the provider answered as it should, or a message is on its way."""
    if source is Source.CALL:
        health = replace(health, call_failures=0, pace=_faster(health.pace))
    else:
        health = replace(health, report_failures=0)
    if health.mending == source.value:
        health = replace(health, mending="")
    if health.opened_by == source.value:
        health = replace(health, opened_by="", open_until=None, openings=0, probing=False)
    if health.opened_by or (health.failed_at and now - health.failed_at < ALERT_KEPT):
        return health
    return replace(health, alert=False, reason="", provider_code="", since=None, failed_at=None)


def changed(health: Health) -> Health:
    """After its settings were changed: what was known of it says nothing any more. Whoever was alarmed is still to be
    told once it is seen to work, by news of the kind that raised the alarm."""
    if not health.alert:
        return Health(mending=health.mending)
    by_report = health.opened_by == Source.REPORT or (not health.opened_by and health.report_failures > 0)
    return Health(mending=(Source.REPORT if by_report else Source.CALL).value)


def _faster(pace: timedelta) -> timedelta:
    shorter = pace * 0.8
    return shorter if shorter >= FIRST_PACE / 2 else timedelta(0)


def slowed(health: Health, *, now: datetime) -> Health:
    """After the provider said that we send too fast."""
    if health.paced_at and now - health.paced_at < PACE_STEP:
        pace = health.pace or FIRST_PACE
        paced_at = health.paced_at
    else:
        pace = min(max(health.pace * 2, FIRST_PACE), LONGEST_PACE)
        paced_at = now
    return replace(health, pace=pace, paced_at=paced_at, next_at=now + pace)


def gate(health: Health, *, now: datetime) -> tuple[Gate, Health]:
    """Whether a message may go through the sender now, and the health after that."""
    match state(health, now=now):
        case State.OPEN:
            return Gate(verdict=Verdict.SKIP), health
        case State.HALF_OPEN:
            return Gate(verdict=Verdict.GO), replace(health, open_until=now + PROBE_LEASE, probing=True)
    if not health.pace:
        return Gate(verdict=Verdict.GO), health
    if health.next_at and now < health.next_at:
        return Gate(verdict=Verdict.WAIT, at=health.next_at), health
    return Gate(verdict=Verdict.GO), replace(health, next_at=now + health.pace)
