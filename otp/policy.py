"""Decisions. Values in, values out: no database, no clock (time is passed in)."""

from collections.abc import Collection, Sequence
from datetime import datetime, timedelta

from channels.errors import MEANINGS
from channels.types import Channel, FailureReason, Status
from otp.types import Cause, State

# When a delivery is looked at again -----------------------------------------------------------------

# The sweep sends a queued delivery that no worker has claimed by then: its task was lost.
ENQUEUE_GRACE = timedelta(seconds=3)
# Workers that are asked to send look back this far. What has waited for longer, the sweep has found by then.
LONGEST_WAIT = timedelta(seconds=10)
# How long a worker may hold a delivery: the provider call (5 s) and a margin. Then the worker counts as dead.
LEASE = timedelta(seconds=8)
# A delivery may cost this many workers their life: one message at most twice.
MAX_CRASHES = 2
# Likewise the sweep looks for the next channel when no worker has done so by then.
FALLBACK_GRACE = timedelta(seconds=3)
# An SMS without news for this long is shown as such; many routes never report.
SMS_WINDOW = timedelta(seconds=60)

# A sender whose reports are missing: so many messages are older than this, and none was reported since the first.
UNREPORTED_SENDS = 3
REPORT_WAIT = timedelta(seconds=60)

# Waits between retries on one channel. With another channel waiting there is one quick retry and no more.
RETRIES_BEFORE_FALLBACK = (timedelta(milliseconds=400),)
RETRIES_ALONE = (timedelta(seconds=1), timedelta(seconds=2), timedelta(seconds=4))
# Meta wants waits of 4^X seconds after "too many messages to this recipient".
RETRIES_OF_PAIR = (timedelta(seconds=4), timedelta(seconds=16), timedelta(seconds=64))
# A user who has another channel waits this long in all for a throttled sender.
PATIENCE = timedelta(seconds=2)
# A message that waits for a throttled sender asks again after at most this.
LONGEST_POSTPONEMENT = timedelta(seconds=30)

# A number that WhatsApp did not know gets its SMS first for this long.
NOT_ON_WHATSAPP_KEPT = timedelta(days=7)

# What the user may do ------------------------------------------------------------------------------

MAX_SENDS = 5  # that the user asked for, within one challenge
DOUBLE_SUBMIT = timedelta(seconds=5)  # the same request again within this time is the same request
REPEATED_VERIFY = timedelta(seconds=10)  # likewise for a right code

# Strangers' wrong guesses in a row for one number, across challenges: every tenth makes strangers wait before they
# begin anything more for it, doubling to a cap. A challenge that is open stays so: its right code always opens it.
GUESSES_PER_STEP = 10
FIRST_GUESS_WAIT = timedelta(seconds=60)
LONGEST_GUESS_WAIT = timedelta(minutes=15)
# The most in a row that NIST SP 800-63B-4 3.2.2 allows. From here on a challenge takes one code: the owner of the phone
# needs no more, and an attacker pays a message for each guess.
MOST_WRONG_GUESSES = 100
ATTEMPTS_AFTER_MOST = 1


def guess_wait(wrong_guesses: int) -> timedelta | None:
    """How long strangers must wait once a number has this many wrong guesses in a row; None: not at all."""
    if wrong_guesses == 0 or wrong_guesses % GUESSES_PER_STEP:
        return None
    doublings = min(wrong_guesses // GUESSES_PER_STEP - 1, 16)
    wait: timedelta = FIRST_GUESS_WAIT * 2**doublings
    return min(wait, LONGEST_GUESS_WAIT)


def resend_wait(*, resend_after_seconds: int, sends: int) -> timedelta:
    """The wait after the `sends`-th message: 30, 60, 120 seconds … for a base of 30."""
    return timedelta(seconds=resend_after_seconds * 2 ** min(max(sends - 1, 0), 5))


def first_channel(
    *, promised: Sequence[Channel], available: Collection[Channel], failing: Collection[Channel]
) -> Channel | None:
    """The first promised channel that has a sender; None: nothing can be sent.

    One whose sender fails for everybody is skipped while there is another.
    """
    usable = [channel for channel in promised if channel in available]
    return next((channel for channel in usable if channel not in failing), usable[0] if usable else None)


def window(*, channel: Channel, wait_seconds: int) -> timedelta:
    """How long an accepted message may stay without a delivery report."""
    return SMS_WINDOW if channel is Channel.SMS else timedelta(seconds=wait_seconds)


def fallback_channel(
    *,
    promised: Sequence[Channel],
    falls_back: bool,
    failed: Channel,
    chosen: bool,
    used: Collection[Channel],
    reason: FailureReason | None,
) -> Channel | None:
    """Which channel takes over from a delivery that did not succeed; None: no other may.

    A channel that the user chose is never turned into another, a channel that was used already is not used again
    by us, and a number that may be in other hands gets nothing more. Silence after an SMS is none: many routes never
    report.
    """
    if not falls_back or chosen or (reason is not None and MEANINGS[reason].revoke):
        return None
    if failed is Channel.SMS and reason is FailureReason.NO_REPORT:
        return None
    return next((channel for channel in promised if channel is not failed and channel not in used), None)


# Beside what counts against a sender's health: it may not be used now, or not as fast.
_OF_THE_SENDER = (FailureReason.SKIPPED, FailureReason.RATE_LIMITED)


def may_fail_over(*, reason: FailureReason | None, causes: Collection[Cause]) -> bool:
    """Whether another sender of the same channel may take over from a delivery that failed.

    Only when the sender failed, not the recipient; and once for each channel of a challenge, so that a person whose
    next channel works waits for one more call at most. `causes`: why the channel's deliveries exist.
    """
    if reason is None or Cause.FAILOVER in causes:
        return False
    meaning = MEANINGS[reason]
    return meaning.sender or meaning.template or reason in _OF_THE_SENDER


def retry_after_failure(*, reason: FailureReason, tries: int, can_fall_back: bool) -> timedelta | None:
    """How long after the `tries`-th provider call the queue tries the same channel again; None: not at all."""
    waits: Sequence[timedelta] = RETRIES_BEFORE_FALLBACK if can_fall_back else RETRIES_ALONE
    if reason is FailureReason.PAIR_LIMITED:
        waits = () if can_fall_back else RETRIES_OF_PAIR
    if not MEANINGS[reason].retry or not waits:
        return None
    if reason is FailureReason.RATE_LIMITED and not can_fall_back:
        return waits[min(tries, len(waits)) - 1]  # not lost: as long as the code is good
    return waits[tries - 1] if tries <= len(waits) else None


def postponement(*, at: datetime, waited: timedelta, now: datetime, share: float) -> datetime:
    """When a message that waits for a throttled sender asks again; `share` is a random number from 0 to 1.

    The longer it has waited, the wider it is spread: a long queue asks a bounded number of times in all.
    """
    spread = min(max(waited, timedelta(milliseconds=500)), LONGEST_POSTPONEMENT)
    return max(at, now) + spread * share


def is_over(status: Status) -> bool:
    """No channel is working on it any more, and it did not arrive."""
    return status in (Status.EXPIRED, Status.FAILED)


def state_of(
    *,
    verified_at: datetime | None,
    ended_at: datetime | None,
    expires_at: datetime,
    attempts_left: int,
    now: datetime,
) -> State:
    """The state of a challenge. The only place that derives one."""
    if verified_at:
        return State.VERIFIED
    if attempts_left <= 0:
        return State.LOCKED
    return State.EXPIRED if ended_at or expires_at <= now else State.PENDING
