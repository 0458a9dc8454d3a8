"""Judge a typed code: charged, counted, judged, consumed."""

import uuid
from collections.abc import Callable, Mapping
from contextlib import nullcontext
from dataclasses import dataclass, field
from datetime import datetime, timedelta

import structlog
from django.conf import settings
from django.db import transaction
from django.utils import timezone
from structlog.contextvars import bind_contextvars

from abuse import charges, limiter, rules
from abuse.errors import Unavailable
from channels import rehearsals
from core import metrics, sql
from core.errors import DomainError
from core.ids import new_id, oldest_id_at
from events import services as events
from events.models import EventType
from otp import codes, policy, project_events
from otp.challenge_view import describe
from otp.errors import (
    ChallengeLocked,
    ChallengeNotFound,
    NotACode,
    UserBlocked,
    WrongCode,
    WrongPurpose,
    error_of,
)
from otp.models import Purpose
from otp.store import verify as store
from otp.types import Proven, Refused, Verified
from projects.config import projects

log = structlog.get_logger(__name__)


@dataclass(frozen=True, kw_only=True)
class Opens:
    """What a right code opens, stored together with the login: both, or neither.

    `write` runs in the transaction that consumes the challenge. On PostgreSQL `queries` do the same within the one
    statement of the judgement (otp.store.verify.judge), and `write` is not called; None: there is no such form.
    `names` are ids for the log.
    """

    write: Callable[[Verified], None]
    queries: sql.WithQueries | None = None
    names: Mapping[str, str] = field(default_factory=dict)


def verify_challenge(
    *, challenge_id: uuid.UUID, code: str, address: str, opens: Opens | None = None
) -> Verified | Refused:
    """Judge a code as it was typed or pasted.

    Verified: the challenge is consumed, and what the login `opens` is stored with it; exactly one call in the life of a
    challenge gets this. Refused: only a wrong code, and the lock that one brings about, counted an attempt.
    """
    guess = _guess(challenge_id, code, address=address, purpose=Purpose.LOGIN)
    if isinstance(guess, Refused):
        return guess
    queries = opens.queries if opens and sql.is_postgres() else None
    write = opens.write if opens and not queries else None
    is_reported = events.is_wanted(EventType.LOGIN_SUCCEEDED)
    # One statement commits by itself.
    with transaction.atomic() if write or is_reported else nullcontext():
        judged = store.judge(guess, opens=queries)
        if judged and judged.person and judged.person.is_active:
            verified = _verified(_proven(guess, judged), judged.person)
            if write:
                write(verified)
            if is_reported:
                project_events.logged_in(judged, verified)
            _count_success(verified)
            names = opens.names if opens else {}
            log.info("challenge.verified", new_user=verified.is_new, user_id=str(verified.user_id), **names)
            return verified
    return _refused(_error(judged, guess))


def prove_number(*, challenge_id: uuid.UUID, code: str, address: str) -> Proven | Refused:
    """The same without signing in: no user is made, changed or checked."""
    guess = _guess(challenge_id, code, address=address, purpose=Purpose.ASSERTION)
    if isinstance(guess, Refused):
        return guess
    judged = store.judge(guess)
    if judged and judged.counted and judged.is_right:
        proven = _proven(guess, judged)
        _count_success(proven)
        log.info("challenge.proven")
        return proven
    return _refused(_error(judged, guess))


def _refused(error: DomainError) -> Refused:
    metrics.GUESSES.labels(error.code).inc()
    log.info("challenge.guess_refused", why=error.code)
    return Refused(error=error)


def _count_success(proven: Proven) -> None:
    """Counted once it is committed."""

    def count() -> None:
        metrics.count(metrics.GUESSES, "right")
        metrics.count(metrics.ENDED, "verified")
        metrics.reached(stage="verified", channel="any", challenge_id=proven.challenge_id, at=proven.at)

    sql.after_commit(count)


def _guess(challenge_id: uuid.UUID, text: str, *, address: str, purpose: Purpose) -> store.Guess | Refused:
    """The typed code, charged; or why it is not judged."""
    bind_contextvars(challenge_id=str(challenge_id))
    try:
        typed = _typed(challenge_id, text)
        version = _charge(address=address)
    except DomainError as error:
        return _refused(error)
    now = timezone.now()
    key_ids = codes.matching_keys(code=typed, challenge_id=challenge_id, keys=settings.AUTHSVC_OTP_KEYS)
    # Of a rehearsal it is the derived code that is right, as long as it runs.
    rehearsed = rehearsals.places(version) if key_ids else []
    return store.Guess(
        challenge_id=challenge_id,
        length=len(typed),
        key_ids=key_ids,
        test_phones=[*_test_phones(typed, version=version, now=now), *rehearsed],
        new_user_id=new_id() if purpose is Purpose.LOGIN else None,
        now=now,
        guesses_since=oldest_id_at(now - timedelta(seconds=rules.rules()["guess.number"].period_seconds)),
        purpose=purpose.value,
    )


def _typed(challenge_id: uuid.UUID, text: str) -> str:
    """The code in what was typed or pasted. Other input is no attempt: nothing is charged or counted for it."""
    code = codes.typed(text)
    if len(code) in codes.LENGTHS:
        return code
    view = describe(challenge_id=challenge_id)
    code = codes.in_message(text, view.code_length)
    if code:
        return code
    raise error_of(view.state) or NotACode(length=view.code_length)


def _charge(*, address: str) -> int | None:
    """Charge a typed code; the version of the configuration, when the limiter read it along."""
    try:
        return limiter.charge(charges.guess(address=address)).version
    except Unavailable:
        # Guesses are counted in the database as well; only paid sends depend on the limiter's store.
        log.warning("verify.without_limiter")
        return None


def _test_phones(typed: str, *, version: int | None, now: datetime) -> list[tuple[uuid.UUID, str]]:
    """The test numbers whose fixed code this is."""
    return [
        (project.id, phone)
        for project in projects.get(version).by_id.values()
        for phone, number in project.test_numbers.items()
        if number.code == typed and number.until >= now.date()
    ]


def _proven(guess: store.Guess, judged: store.Judged) -> Proven:
    return Proven(
        challenge_id=guess.challenge_id,
        phone=judged.phone,
        is_test=judged.is_test,
        sms_sent=judged.sms_sent,
        at=guess.now,
    )


def _verified(proven: Proven, person: store.Person) -> Verified:
    return Verified(
        **vars(proven),
        user_id=person.user_id,
        session_salt=person.session_salt,
        session_hash=person.session_hash,
        is_new=person.is_new,
    )


def _error(judged: store.Judged | None, guess: store.Guess) -> DomainError:
    """Why the guess opened nothing."""
    if judged is None:
        return ChallengeNotFound()
    if judged.purpose != guess.purpose:
        return WrongPurpose()
    if judged.person:
        log.info("challenge.user_blocked")
        return UserBlocked()
    if judged.counted:
        return _wrong_code(judged, guess)
    # What was read beside the refused guess may be older than the refusal: read again to say why.
    judged = store.judge(guess) or judged
    state = judged.state(guess.now)
    verified_at = judged.verified_at
    repeated = judged.is_right and bool(verified_at and guess.now - verified_at <= policy.REPEATED_VERIFY)
    return error_of(state, repeated=repeated) or NotACode(length=judged.code_length)


def _wrong_code(judged: store.Judged, guess: store.Guess) -> DomainError:
    _slow_strangers(judged, guess)
    if attempts_left := judged.max_attempts - judged.attempts:
        return WrongCode(attempts_left=attempts_left)
    metrics.ENDED.labels("locked").inc()
    return ChallengeLocked()


def _slow_strangers(judged: store.Judged, guess: store.Guess) -> None:
    """After wrong guesses strangers wait before they start the next challenge for the number."""
    wait, rule = policy.guess_wait(judged.in_a_row), rules.rules()["guess.number"]
    seconds = wait.total_seconds() if wait else 0.0
    if judged.lately >= rule.amount:
        seconds = max(seconds, rule.period_seconds)
    if not seconds:
        return
    number = charges.guess_wait(project_id=judged.project_id, phone=judged.phone)
    log.info("verify.strangers_wait", seconds=seconds, challenge_id=str(guess.challenge_id))
    try:
        limiter.close(number, seconds=seconds)
    except Unavailable:
        log.warning("verify.without_limiter")  # starts are refused as well
