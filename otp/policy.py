"""Decisions. Values in, values out: no database, no clock (time is passed in)."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from channels.errors import MEANINGS
from channels.types import Channel, FailureReason, Status

# When a delivery is looked at again -----------------------------------------------------------------

# A queued delivery whose bell was lost is rung again after this.
RING_GRACE = timedelta(seconds=3)
# How long a worker may hold a delivery: the provider call (5 s) and a margin. Then the worker is thought dead.
LEASE = timedelta(seconds=8)
# A delivery may cost this many workers their life: one message at most twice.
MAX_CRASHES = 2
# Bells for "the next channel, please" are rung again after this.
FOLLOW_UP_GRACE = timedelta(seconds=3)
# An SMS without news for this long is shown as such; many routes never report.
SMS_WINDOW = timedelta(seconds=60)

# Waits between retries on one channel. With another channel waiting there is one quick retry and no more.
RETRIES_BEFORE_FALLBACK = (timedelta(milliseconds=400),)
RETRIES_ALONE = (timedelta(seconds=1), timedelta(seconds=2), timedelta(seconds=4))
# Meta wants waits of 4^X seconds after "too many messages to this recipient".
RETRIES_OF_PAIR = (timedelta(seconds=4), timedelta(seconds=16), timedelta(seconds=64))
# Somebody with another channel waits this long in all for a sender that has to slow down.
PATIENCE = timedelta(seconds=2)
# A message that waits for its sender's pace asks again after at most this.
LONGEST_POSTPONEMENT = timedelta(seconds=30)

# A number that WhatsApp did not know gets its SMS first for this long.
NOT_ON_WHATSAPP_KEPT = timedelta(days=7)

# What the user may do ------------------------------------------------------------------------------

MAX_SENDS = 5  # by the user's wish, within one challenge
DOUBLE_SUBMIT = timedelta(seconds=5)  # the same wish again within this time is the same wish
REPEATED_VERIFY = timedelta(seconds=10)  # likewise for a right code

# Wrong guesses in a row for one number, across challenges: every tenth makes the next one wait, doubling to a cap;
# a hundred are the most that NIST SP 800-63B-4 3.2.2 allows.
GUESSES_PER_STEP = 10
FIRST_GUESS_WAIT = timedelta(seconds=60)
LONGEST_GUESS_WAIT = timedelta(minutes=15)
MOST_WRONG_GUESSES = 100
FULL_STOP = timedelta(hours=24)


def guess_wait(wrong_guesses: int) -> timedelta | None:
    """How long guessing must wait once a number has this many wrong guesses in a row; None: not at all."""
    if wrong_guesses >= MOST_WRONG_GUESSES:
        return FULL_STOP
    if wrong_guesses == 0 or wrong_guesses % GUESSES_PER_STEP:
        return None
    doublings = min(wrong_guesses // GUESSES_PER_STEP - 1, 16)
    wait: timedelta = FIRST_GUESS_WAIT * 2**doublings
    return min(wait, LONGEST_GUESS_WAIT)


def resend_wait(*, resend_after_seconds: int, sends: int) -> timedelta:
    """The wait after the `sends`-th message: 30, 60, 120 seconds … for a base of 30."""
    return timedelta(seconds=resend_after_seconds * 2 ** min(max(sends - 1, 0), 5))


def round_wait(seconds: float) -> int:
    """A refusal's wait, coarse enough to tell nothing but the order: up to 5 s, to a minute, to an hour."""
    whole = max(1, int(-(-seconds // 1)))
    step = 5 if whole <= 60 else 60 if whole <= 3600 else 3600
    return -(-whole // step) * step


def first_channel(
    *, promised: Sequence[Channel], available: Collection[Channel], failing: Collection[Channel]
) -> Channel | None:
    """The first promised channel that has a sender; None: nothing can be sent.

    One whose sender fails for everybody is passed over while there is another.
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
    if failed is Channel.SMS and reason is FailureReason.NO_NEWS:
        return None
    return next((channel for channel in promised if channel is not failed and channel not in used), None)


@dataclass(frozen=True, kw_only=True)
class Retry:
    after: timedelta


def retry_after_failure(*, reason: FailureReason, tries: int, can_fall_back: bool) -> Retry | None:
    """Whether the queue tries the same channel again after the `tries`-th provider call failed with `reason`."""
    waits: Sequence[timedelta] = RETRIES_BEFORE_FALLBACK if can_fall_back else RETRIES_ALONE
    if reason is FailureReason.PAIR_LIMITED:
        waits = () if can_fall_back else RETRIES_OF_PAIR
    if not MEANINGS[reason].retry or not waits:
        return None
    if reason is FailureReason.RATE_LIMITED and not can_fall_back:
        return Retry(after=waits[min(tries, len(waits)) - 1])  # not lost: as long as the code is good
    return Retry(after=waits[tries - 1]) if tries <= len(waits) else None


def postponement(*, at: datetime, waited: timedelta, now: datetime, share: float) -> datetime:
    """When a message that has to wait for its sender's pace asks again; `share` is a random number from 0 to 1.

    The longer it has waited, the wider it is spread: a long queue asks a bounded number of times in all.
    """
    spread = min(max(waited, timedelta(milliseconds=500)), LONGEST_POSTPONEMENT)
    return max(at, now) + spread * share


def is_over(status: Status) -> bool:
    """No channel is working on it any more, and it did not arrive."""
    return status in (Status.EXPIRED, Status.FAILED)


def is_pending(
    *,
    verified_at: datetime | None,
    ended_at: datetime | None,
    expires_at: datetime,
    attempts_left: int,
    now: datetime,
) -> bool:
    """Whether a challenge can still be answered."""
    return verified_at is None and ended_at is None and expires_at > now and attempts_left > 0
