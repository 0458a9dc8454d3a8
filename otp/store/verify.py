"""The judgement of a typed code: counted, judged and consumed in one conditional UPDATE, with all that hangs on it."""

import uuid
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from django.db import transaction
from django.db.models import F

from channels.types import Channel
from otp import policy
from otp.models import Challenge, Delivery, PhoneRecord
from otp.store.sql import IS_DUE, is_postgres, rows
from users.models import User, new_session_salt


@dataclass(frozen=True, kw_only=True)
class Guess:
    """A typed code, turned into what makes it right: the keys under which it would be the challenge's code, or the
    test numbers whose fixed code it is."""

    challenge_id: uuid.UUID
    length: int
    key_ids: Sequence[str] = field(repr=False)
    test_phones: Sequence[str] = field(repr=False)
    new_user_id: uuid.UUID | None  # None: nobody signs in, a right code makes and touches no user
    now: datetime


@dataclass(frozen=True, kw_only=True)
class Person:
    user_id: uuid.UUID
    is_active: bool
    session_salt: str = field(repr=False)
    is_new: bool


@dataclass(frozen=True, kw_only=True)
class Judged:
    """The challenge after this guess. `counted`: this call was judged, and when it was `right`, consumed the challenge;
    `person`: who signs in by that."""

    counted: bool
    person: Person | None
    right: bool  # whether the code is this challenge's, judged or not
    project_id: uuid.UUID
    phone: str = field(repr=False)
    is_test: bool
    attempts: int
    max_attempts: int
    expires_at: datetime
    verified_at: datetime | None
    ended_at: datetime | None
    blocked_until: datetime | None  # guessing for this number waits until here
    purpose: str  # otp.models.Purpose
    channels: tuple[
        Channel, ...
    ]  # on which a provider was asked to send, in the order of their first message

    @property
    def sms_sent(self) -> bool:
        return Channel.SMS in self.channels


# blocked_until after one more wrong guess, from the figures of otp.policy.
_BLOCK = f"""CASE
  WHEN {{wrong}} >= {policy.MOST_WRONG_GUESSES} THEN %(now)s + interval '{policy.FULL_STOP.total_seconds():.0f} seconds'
  WHEN {{wrong}} %% {policy.GUESSES_PER_STEP} = 0 THEN %(now)s + LEAST(
    power(2, LEAST({{wrong}} / {policy.GUESSES_PER_STEP} - 1, 16)) * {policy.FIRST_GUESS_WAIT.total_seconds():.0f},
    {policy.LONGEST_GUESS_WAIT.total_seconds():.0f}) * interval '1 second'
  ELSE {{kept}} END"""

_RIGHT = """((NOT c.is_test AND c.code_length = %(length)s AND c.key_id = ANY(%(key_ids)s))
  OR (c.is_test AND c.phone = ANY(%(test_phones)s)))"""

_VERIFY = f"""
WITH judged AS (
  UPDATE otp_challenge c SET
    attempts = c.attempts + CASE WHEN {_RIGHT} THEN 0 ELSE 1 END,
    verified_at = CASE WHEN {_RIGHT} THEN %(now)s END
  WHERE c.id = %(id)s AND c.verified_at IS NULL AND c.ended_at IS NULL AND c.expires_at > %(now)s
    AND c.attempts < c.max_attempts
    AND NOT EXISTS (SELECT 1 FROM otp_phonerecord r
      WHERE r.project_id = c.project_id AND r.phone = c.phone AND r.blocked_until > %(now)s)
  RETURNING c.id, c.project_id, c.phone, c.attempts, c.verified_at
), person AS (
  INSERT INTO users_user (id, password, last_login, is_superuser, project_id, phone, username, is_active, is_staff,
    session_salt, created_at)
  SELECT %(user_id)s::uuid, '', %(now)s, false, project_id, phone, NULL, true, false, %(salt)s, %(now)s
  FROM judged WHERE verified_at IS NOT NULL AND %(user_id)s::uuid IS NOT NULL
  ON CONFLICT (project_id, phone) DO UPDATE SET last_login = EXCLUDED.last_login
  RETURNING id, is_active, session_salt
), missed AS (
  INSERT INTO otp_phonerecord AS r (project_id, phone, wrong_guesses, blocked_until, updated_at)
  SELECT project_id, phone, 1, NULL, %(now)s FROM judged WHERE verified_at IS NULL
  ON CONFLICT (project_id, phone) DO UPDATE SET wrong_guesses = r.wrong_guesses + 1, updated_at = EXCLUDED.updated_at,
    blocked_until = {_BLOCK.format(wrong="(r.wrong_guesses + 1)", kept="r.blocked_until")}
), forgiven AS (
  UPDATE otp_phonerecord r SET wrong_guesses = 0, blocked_until = NULL, updated_at = %(now)s FROM judged
  WHERE judged.verified_at IS NOT NULL AND r.project_id = judged.project_id AND r.phone = judged.phone
    AND r.wrong_guesses > 0
), quiet AS (
  UPDATE otp_delivery d SET due_at = NULL FROM judged
  WHERE judged.verified_at IS NOT NULL AND d.challenge_id = judged.id AND {IS_DUE.format(due_at="d.due_at")}
)
SELECT judged.id IS NOT NULL, person.id, person.is_active, person.session_salt, {_RIGHT}, c.project_id, c.phone,
  c.is_test, COALESCE(judged.attempts, c.attempts), c.max_attempts, c.expires_at,
  COALESCE(judged.verified_at, c.verified_at), c.ended_at,
  (SELECT r.blocked_until FROM otp_phonerecord r WHERE r.project_id = c.project_id AND r.phone = c.phone),
  c.purpose,
  ARRAY(SELECT d.channel FROM otp_delivery d WHERE d.challenge_id = c.id AND d.tries > 0 ORDER BY d.id)
FROM otp_challenge c LEFT JOIN judged ON judged.id = c.id LEFT JOIN person ON true WHERE c.id = %(id)s
"""  # noqa: S608 # built from our own constants


def judge(guess: Guess) -> Judged | None:
    """Count and judge one guess; None: no such challenge. Call it in a transaction together with what a right code
    opens. When it was not counted, the other values may be a moment old: ask again to explain why."""
    if not is_postgres():
        return _portable(guess)
    found = rows(
        _VERIFY,
        {
            "id": guess.challenge_id,
            "length": guess.length,
            "key_ids": list(guess.key_ids),
            "test_phones": list(guess.test_phones),
            "user_id": guess.new_user_id,
            "salt": new_session_salt(),
            "now": guess.now,
        },
    )
    if not found:
        return None
    counted, user_id, active, salt, *rest = found[0]
    # A row that was there keeps its own id, so the id tells whether the person is new.
    person = (
        Person(user_id=user_id, is_active=active, session_salt=salt, is_new=user_id == guess.new_user_id)
        if user_id
        else None
    )
    return _judged(counted=counted, person=person, rest=tuple(rest))


def _judged(*, counted: bool, person: Person | None, rest: tuple[object, ...]) -> Judged:
    names = (
        "right", "project_id", "phone", "is_test", "attempts", "max_attempts", "expires_at", "verified_at", "ended_at",
        "blocked_until", "purpose",
    )  # fmt: skip
    *values, channels = rest
    return Judged(
        counted=counted,
        person=person,
        channels=tuple(dict.fromkeys(Channel(name) for name in channels)),  # type: ignore[attr-defined] # a list
        **dict(zip(names, values, strict=True)),  # type: ignore[arg-type] # columns in order
    )


def _portable(guess: Guess) -> Judged | None:
    with transaction.atomic():
        challenge = Challenge.objects.filter(id=guess.challenge_id).first()
        if challenge is None:
            return None
        record = PhoneRecord.objects.filter(project_id=challenge.project_id, phone=challenge.phone).first()
        if challenge.is_test:
            right = challenge.phone in guess.test_phones
        else:
            right = challenge.code_length == guess.length and challenge.key_id in guess.key_ids
        blocked = bool(record and record.blocked_until and record.blocked_until > guess.now)
        counted = not blocked and policy.is_pending(
            verified_at=challenge.verified_at,
            ended_at=challenge.ended_at,
            expires_at=challenge.expires_at,
            attempts_left=challenge.max_attempts - challenge.attempts,
            now=guess.now,
        )
        person = None
        if counted and right:
            Challenge.objects.filter(id=challenge.id).update(verified_at=guess.now)
            challenge.verified_at = guess.now
            person = _person(challenge, guess.new_user_id, guess.now) if guess.new_user_id else None
            Delivery.objects.filter(challenge_id=challenge.id).update(due_at=None)
            if record:
                PhoneRecord.objects.filter(pk=record.pk).update(
                    wrong_guesses=0, blocked_until=None, updated_at=guess.now
                )
        elif counted:
            Challenge.objects.filter(id=challenge.id).update(attempts=F("attempts") + 1)
            challenge.attempts += 1
            _count_miss(challenge, record, guess.now)
        sent = Delivery.objects.filter(challenge_id=challenge.id, tries__gt=0).order_by("id")
        rest = (
            right, challenge.project_id, challenge.phone, challenge.is_test, challenge.attempts, challenge.max_attempts,
            challenge.expires_at, challenge.verified_at, challenge.ended_at, record.blocked_until if record else None,
            challenge.purpose, list(sent.values_list("channel", flat=True)),
        )  # fmt: skip
        return _judged(counted=counted, person=person, rest=rest)


def _person(challenge: Challenge, new_user_id: uuid.UUID, now: datetime) -> Person:
    user, is_new = User.objects.get_or_create(
        project_id=challenge.project_id, phone=challenge.phone, defaults={"id": new_user_id}
    )
    User.objects.filter(id=user.id).update(last_login=now)
    return Person(user_id=user.id, is_active=user.is_active, session_salt=user.session_salt, is_new=is_new)


def _count_miss(challenge: Challenge, record: PhoneRecord | None, now: datetime) -> None:
    if record is None:
        record = PhoneRecord(project_id=challenge.project_id, phone=challenge.phone)
    record.wrong_guesses += 1
    record.updated_at = now
    wait: timedelta | None = policy.guess_wait(record.wrong_guesses)
    if wait:
        record.blocked_until = now + wait
    record.save()
