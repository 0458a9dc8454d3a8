"""Judging a typed code: charged, counted, judged, consumed."""

import uuid
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager

import structlog
from django.conf import settings
from django.db import transaction
from django.utils import timezone
from structlog.contextvars import bind_contextvars

from events import services as events
from events.models import EventType
from otp import codes, limiter, limits, news, policy
from otp.errors import (
    ChallengeConsumed,
    ChallengeExpired,
    ChallengeLocked,
    ChallengeNotFound,
    OtpError,
    RateLimited,
    Unavailable,
    UserBlocked,
    WrongCode,
)
from otp.store import verify as store
from otp.types import Proven, Verified
from projects import metrics
from projects.config import projects
from projects.ids import new_id
from users.phones import digits

log = structlog.get_logger(__name__)


def verify_challenge(
    *,
    challenge_id: uuid.UUID,
    code: str,
    address: str,
    phone_key: str = "",
    then: Callable[[Verified], None] = lambda _verified: None,
) -> Verified:
    """Judge a typed code (any digits, spaces and dashes). Counted before it is judged, consumed exactly once.

    `then` runs in the same transaction as the consumption: a login is there whole or not at all.

    Raises ChallengeNotFound, ChallengeExpired, ChallengeConsumed, ChallengeLocked, WrongCode, RateLimited, UserBlocked.
    """
    with _counted(challenge_id):
        guess = _guess(challenge_id, digits(code), address=address, phone_key=phone_key, signs_in=True)
        told = events.is_wanted(EventType.LOGIN_SUCCEEDED)
        with transaction.atomic():
            judged = store.judge(guess)
            if judged and judged.person and judged.person.is_active:
                verified = _verified(guess, judged, judged.person)
                then(verified)
                if told:
                    news.logged_in(judged, verified)
                _note_success(verified)
                log.info("challenge.verified", new_user=verified.is_new)
                return verified
        if judged and judged.person:
            log.info("challenge.user_blocked")
            raise UserBlocked
        raise _refusal(judged, guess)


def prove_number(*, challenge_id: uuid.UUID, code: str, address: str, phone_key: str = "") -> Proven:
    """The same for somebody who only wants to know that the number is proven: nobody signs in, and no user is made,
    touched or asked whether they may.

    Raises what `verify_challenge` raises but UserBlocked.
    """
    with _counted(challenge_id):
        guess = _guess(challenge_id, digits(code), address=address, phone_key=phone_key, signs_in=False)
        with transaction.atomic():
            judged = store.judge(guess)
            if judged and judged.counted and judged.right:
                proven = _proven(guess, judged)
                _note_success(proven)
                log.info("challenge.proven")
                return proven
        raise _refusal(judged, guess)


@contextmanager
def _counted(challenge_id: uuid.UUID) -> Iterator[None]:
    bind_contextvars(challenge_id=str(challenge_id))
    try:
        yield
    except OtpError as error:
        metrics.GUESSES.labels(error.code).inc()
        raise


def _note_success(proven: Proven) -> None:
    """Counted once it is committed."""

    def count() -> None:
        metrics.GUESSES.labels("right").inc()
        metrics.ENDED.labels("verified").inc()
        metrics.reached(stage="verified", channel="any", challenge_id=proven.challenge_id, at=proven.at)

    transaction.on_commit(count)


def _charge(*, address: str, phone_key: str) -> int | None:
    """Charge a guess; the version of the configuration, when the limiter read it along."""
    try:
        return limiter.charge(limits.guess_charges(number=phone_key, address=address)).version
    except Unavailable:
        # Guesses are counted in the database as well; only paid sends depend on the limiter's store.
        log.warning("verify.without_limiter")
        return None


def _guess(
    challenge_id: uuid.UUID, typed: str, *, address: str, phone_key: str, signs_in: bool
) -> store.Guess:
    """A typed code, charged."""
    version = _charge(address=address, phone_key=phone_key)
    now = timezone.now()
    key_ids: Sequence[str] = ()
    if 6 <= len(typed) <= 10:
        key_ids = codes.matching_keys(code=typed, challenge_id=challenge_id, keys=settings.AUTHSVC_OTP_KEYS)
    test_phones = [
        phone
        for project in projects.get(version).by_id.values()
        for phone, number in project.test_numbers.items()
        if number.code == typed and number.until >= now.date()
    ]
    return store.Guess(
        challenge_id=challenge_id,
        length=len(typed),
        key_ids=key_ids,
        test_phones=test_phones,
        new_user_id=new_id() if signs_in else None,
        now=now,
    )


def _proven(guess: store.Guess, judged: store.Judged) -> Proven:
    return Proven(
        challenge_id=guess.challenge_id,
        phone=judged.phone,
        is_test=judged.is_test,
        sms_sent=judged.sms_sent,
        at=guess.now,
    )


def _verified(guess: store.Guess, judged: store.Judged, person: store.Person) -> Verified:
    return Verified(
        challenge_id=guess.challenge_id,
        user_id=person.user_id,
        session_salt=person.session_salt,
        is_new=person.is_new,
        phone=judged.phone,
        is_test=judged.is_test,
        sms_sent=judged.sms_sent,
        at=guess.now,
    )


def _refusal(judged: store.Judged | None, guess: store.Guess) -> OtpError:
    if judged is None:
        return ChallengeNotFound()
    if not judged.counted:
        # What stood beside the refused guess may be older than the refusal: read again to say why.
        judged = store.judge(guess) or judged
    left = judged.max_attempts - judged.attempts
    if judged.counted and not left:
        metrics.ENDED.labels("locked").inc()
    if judged.counted:
        return WrongCode(attempts_left=left) if left else ChallengeLocked()
    if judged.verified_at:
        repeated = judged.right and guess.now - judged.verified_at <= policy.REPEATED_VERIFY
        return ChallengeConsumed(repeated=repeated)
    if left <= 0:
        return ChallengeLocked()
    if judged.ended_at or judged.expires_at <= guess.now:
        return ChallengeExpired()
    wait = (judged.blocked_until - guess.now).total_seconds() if judged.blocked_until else 1.0
    return RateLimited(wait_seconds=policy.round_wait(wait))
