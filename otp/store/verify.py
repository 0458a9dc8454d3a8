"""The judgement of a typed code: counted, judged and consumed in one conditional UPDATE, with all that hangs on it."""

import uuid
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import Any

from django.db import transaction
from django.db.models import Q, Sum

from channels.types import Channel
from core import sql
from otp import policy
from otp.models import Challenge, Delivery, PhoneRecord, Purpose
from otp.types import State
from users.models import User, new_session_salt, session_hash_pads

_BEFORE_ALL = uuid.UUID(int=0)


@dataclass(frozen=True, kw_only=True)
class Guess:
    """A typed code, turned into what makes it right: the keys under which it would be the challenge's code, or the
    test numbers whose fixed code it is."""

    challenge_id: uuid.UUID
    length: int
    key_ids: Sequence[str] = field(repr=False)
    # (project, phone): a fixed code belongs to one project's number and opens no other.
    test_phones: Sequence[tuple[uuid.UUID, str]] = field(repr=False)
    new_user_id: uuid.UUID | None  # None: a right code makes and changes no user
    now: datetime
    guesses_since: uuid.UUID = _BEFORE_ALL  # challenges younger than this key count for `Judged.lately`
    purpose: str = Purpose.LOGIN.value  # a challenge of another purpose is not judged


@dataclass(frozen=True, kw_only=True)
class Person:
    user_id: uuid.UUID
    is_active: bool
    session_salt: str = field(repr=False)
    session_hash: str = field(repr=False)
    is_new: bool


@dataclass(frozen=True, kw_only=True)
class Judged:
    """The challenge after this guess. `counted`: this call was judged, and when it `is_right`, consumed the challenge;
    `person`: who signs in by that. A guess of another length than the code has is none and never counted."""

    counted: bool
    person: Person | None
    is_right: bool  # whether the code is this challenge's, judged or not
    project_id: uuid.UUID
    phone: str = field(repr=False)
    is_test: bool
    attempts: int
    max_attempts: int
    expires_at: datetime
    verified_at: datetime | None
    ended_at: datetime | None
    in_a_row: int  # strangers' wrong guesses for the number, this one included; 0: this was none
    lately: int  # those of them since `Guess.guesses_since`
    purpose: str  # otp.models.Purpose
    code_length: int
    # On which a provider was asked to send, in the order of their first message.
    channels: tuple[Channel, ...]

    @property
    def sms_sent(self) -> bool:
        return Channel.SMS in self.channels

    def state(self, now: datetime) -> State:
        return policy.state_of(
            verified_at=self.verified_at,
            ended_at=self.ended_at,
            expires_at=self.expires_at,
            attempts_left=self.max_attempts - self.attempts,
            now=now,
        )


# Columns of the challenge in the portable form.
_COPIED = (
    "project_id", "phone", "is_test", "attempts", "max_attempts", "expires_at", "verified_at", "ended_at",
    "purpose", "code_length",
)  # fmt: skip
_VERIFY = sql.load(Path(__file__).with_name("verify.sql"))


def judge(guess: Guess, *, opens: sql.WithQueries | None = None) -> Judged | None:
    """Count and judge one guess; None: no such challenge. When it was not counted, the other values may be a moment
    old: ask again to explain why.

    `opens` (PostgreSQL only) happens in the same statement. It reads from `opened (user_id, session_hash, sms_sent)`,
    which has one row when this guess signs an active user in and else none, and may use the judgement's `%(now)s`; its
    own parameters have other names. Without it, what a right code opens is written in a transaction with this call.
    """
    if not sql.is_postgres():
        return _portable(guess)
    inner_pad, outer_pad = session_hash_pads()
    parameters: dict[str, Any] = {
        "id": guess.challenge_id,
        "length": guess.length,
        "key_ids": sql.array(guess.key_ids),
        "test_projects": sql.array(str(project_id) for project_id, _ in guess.test_phones),
        "test_phones": sql.array(phone for _, phone in guess.test_phones),
        "purpose": guess.purpose,
        "user_id": guess.new_user_id,
        "salt": new_session_salt(),
        "now": guess.now,
        "guesses_since": guess.guesses_since,
        "sms": Channel.SMS.value,
        "inner_pad": inner_pad,
        "outer_pad": outer_pad,
    }
    statement = _VERIFY
    if opens:
        statement = sql.extended(statement, opens.text)
        parameters |= opens.parameters
    rows = sql.rows(statement, parameters, make=partial(_judged, guess))
    return rows[0] if rows else None


def _judged(
    guess: Guess,
    *,
    user_id: uuid.UUID | None,
    is_active: bool,
    session_salt: str,
    session_hash: str,
    in_a_row: int | None,
    lately_before: int | None,
    channels: Sequence[str],
    **columns: Any,  # noqa: ANN401 # columns of Judged
) -> Judged:
    person = None
    if user_id:
        # A row that was there keeps its own id, so the id tells whether the person is new.
        is_new = user_id == guess.new_user_id
        person = Person(
            user_id=user_id,
            is_active=is_active,
            session_salt=session_salt,
            session_hash=session_hash,
            is_new=is_new,
        )
    return Judged(
        person=person,
        in_a_row=in_a_row or 0,
        lately=(lately_before or 0) + 1 if in_a_row else 0,
        channels=tuple(dict.fromkeys(Channel(name) for name in channels)),
        **columns,
    )


@transaction.atomic
def _portable(guess: Guess) -> Judged | None:
    challenge = Challenge.objects.filter(id=guess.challenge_id).first()
    if challenge is None:
        return None
    is_right = _is_right(challenge, guess)
    counted = (
        challenge.code_length == guess.length
        and challenge.purpose == guess.purpose
        and challenge.state(guess.now) is State.PENDING
    )
    user = _consume(challenge, guess) if counted and is_right else None
    in_a_row, lately = _count_miss(challenge, guess) if counted and not is_right else (None, None)
    called = Delivery.objects.filter(challenge_id=challenge.id, tries__gt=0).order_by("id")
    return _judged(
        guess,
        counted=counted,
        is_right=is_right,
        user_id=user.id if user else None,
        is_active=bool(user and user.is_active),
        session_salt=user.session_salt if user else "",
        session_hash=user.get_session_auth_hash() if user else "",
        in_a_row=in_a_row,
        lately_before=lately,
        channels=list(called.values_list("channel", flat=True)),
        **{name: getattr(challenge, name) for name in _COPIED},
    )


def _is_right(challenge: Challenge, guess: Guess) -> bool:
    if challenge.is_test:
        return (challenge.project_id, challenge.phone) in guess.test_phones
    return challenge.code_length == guess.length and challenge.key_id in guess.key_ids


def _consume(challenge: Challenge, guess: Guess) -> User | None:
    """The right code: the user who signs in, if one does."""
    challenge.verified_at = guess.now
    challenge.save(update_fields=["verified_at"])
    Delivery.objects.filter(challenge_id=challenge.id).update(due_at=None)
    PhoneRecord.objects.filter(project_id=challenge.project_id, phone=challenge.phone).filter(
        Q(wrong_guesses__gt=0) | Q(known_wrong_guesses__gt=0)
    ).update(wrong_guesses=0, known_wrong_guesses=0, updated_at=guess.now)
    if guess.new_user_id is None:
        return None
    user, _ = User.objects.get_or_create(
        project_id=challenge.project_id, phone=challenge.phone, defaults={"id": guess.new_user_id}
    )
    User.objects.filter(id=user.id).update(last_login=guess.now)
    return user


def _count_miss(challenge: Challenge, guess: Guess) -> tuple[int | None, int | None]:
    """Strangers' wrong guesses in a row, and those before this one, when this is one of theirs."""
    key = {"project_id": challenge.project_id, "phone": challenge.phone}
    record = PhoneRecord.objects.filter(**key).first() or PhoneRecord(**key)
    record.updated_at = guess.now
    if challenge.browser:
        record.known_wrong_guesses += 1
    else:
        record.wrong_guesses += 1
    record.save()
    lately = None if challenge.browser else _lately(challenge, guess)
    challenge.attempts += 1
    challenge.save(update_fields=["attempts"])
    return (None if challenge.browser else record.wrong_guesses), lately


def _lately(challenge: Challenge, guess: Guess) -> int:
    """Strangers' wrong guesses for the number before this one."""
    others = Challenge.objects.filter(
        project_id=challenge.project_id, phone=challenge.phone, id__gt=guess.guesses_since, browser=""
    )
    return others.aggregate(guesses=Sum("attempts"))["guesses"] or 0
