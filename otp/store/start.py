"""The start of a login: a challenge, its first delivery, and the end of the browser's earlier challenge."""

import uuid
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

from django.db import IntegrityError, transaction

from channels.types import Channel, Status
from core import sql
from core.ids import request_id
from otp import policy
from otp.models import Challenge, Delivery, PhoneRecord
from otp.types import Cause, EndReason


@dataclass(frozen=True, kw_only=True)
class NewChallenge:
    """All values of the two rows. `due_at` None: the delivery is done (a test number)."""

    id: uuid.UUID
    delivery_id: uuid.UUID
    project_id: uuid.UUID
    purpose: str
    phone: str
    country: str  # "": unknown
    key_id: str
    code_length: int
    start_key: bytes | None
    is_test: bool
    language: str
    origin: str
    address: str | None
    browser: str  # what a known browser counts under; "": a stranger
    now: datetime
    expires_at: datetime
    resend_at: datetime
    max_attempts: int
    channel: Channel
    chosen: bool
    sender_id: uuid.UUID | None
    status: Status
    due_at: datetime | None
    replaces: uuid.UUID | None
    request_id: str = field(default_factory=request_id)  # of the request that starts it


# Columns of the challenge in the portable form.
_COPIED = (
    "id", "project_id", "purpose", "phone", "country", "key_id", "code_length", "start_key", "is_test", "language",
    "origin", "address", "browser", "expires_at", "resend_at",
)  # fmt: skip
_CAUSE, _RESTARTED = Cause.START.value, EndReason.RESTARTED.value
_START = sql.load(Path(__file__).with_name("start.sql"))
_RESTART = sql.load(Path(__file__).with_name("end_replaced.sql")) + _START.replace("WITH", ",", 1)


def insert_challenge(new: NewChallenge) -> int | None:
    """Write it: how many codes may be typed. None: a challenge with this `start_key` exists already, and nothing was
    written but the end of the replaced one."""
    if not sql.is_postgres():
        return _portable(new)
    parameters = vars(new) | {
        "channel": new.channel.value,
        "status": new.status.value,
        "cause": _CAUSE,
        "restarted": _RESTARTED,
        "most_wrong_guesses": policy.MOST_WRONG_GUESSES,
        "attempts_after_most": policy.ATTEMPTS_AFTER_MOST,
    }
    attempts: int | None = sql.value(_RESTART if new.replaces else _START, parameters)
    return attempts


def _portable(new: NewChallenge) -> int | None:
    attempts = _attempts(new)
    with transaction.atomic():
        if new.replaces:
            open_ones = Challenge.objects.filter(id=new.replaces, verified_at=None, ended_at=None)
            if open_ones.update(ended_at=new.now, end_reason=EndReason.RESTARTED):
                Delivery.objects.filter(challenge_id=new.replaces).update(due_at=None)
        try:
            with transaction.atomic():
                challenge = {name: getattr(new, name) for name in _COPIED}
                Challenge.objects.create(**challenge, max_attempts=attempts, created_at=new.now)
        except IntegrityError:
            if new.start_key and Challenge.objects.filter(start_key=new.start_key).exists():
                return None
            raise
        Delivery.add(
            now=new.now,
            id=new.delivery_id,
            challenge_id=new.id,
            channel=new.channel,
            chosen=new.chosen,
            sender_id=new.sender_id,
            status=new.status,
            due_at=new.due_at,
            request_id=new.request_id,
        )
    return attempts


def _attempts(new: NewChallenge) -> int:
    counted = "known_wrong_guesses" if new.browser else "wrong_guesses"
    guessed_at = PhoneRecord.objects.filter(
        project_id=new.project_id, phone=new.phone, **{f"{counted}__gte": policy.MOST_WRONG_GUESSES}
    )
    return policy.ATTEMPTS_AFTER_MOST if guessed_at.exists() else new.max_attempts
