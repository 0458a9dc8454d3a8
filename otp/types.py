"""Values that the heart hands out. Frozen; no Django."""

import uuid
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from channels.types import Channel, FailureReason, Status


class State(StrEnum):
    PENDING = "pending"
    VERIFIED = "verified"
    LOCKED = "locked"
    EXPIRED = "expired"


@dataclass(frozen=True, kw_only=True)
class DeliveryView:
    """One message as the user may see it."""

    channel: Channel
    status: Status
    reason: FailureReason | None
    cause: str  # otp.models.Cause
    at: datetime  # when `status` was reached


@dataclass(frozen=True, kw_only=True)
class ChallengeView:
    """All that a login page or an API answer shows of a challenge. Times are UTC; never a code or a whole number."""

    id: uuid.UUID
    project_id: uuid.UUID
    phone_masked: str
    channel: Channel  # the one in use: that of the newest delivery
    channels: tuple[Channel, ...]  # those that the user may ask for
    code_length: int
    expires_at: datetime
    resend_at: dict[Channel, datetime]  # from when each channel may be asked for (again)
    attempts_left: int
    state: State
    end_reason: str  # otp.models.EndReason or ""
    deliveries: tuple[DeliveryView, ...]  # oldest first
    fallback_at: datetime | None  # when silence turns into an SMS, while that is still to come


@dataclass(frozen=True, kw_only=True)
class Started:
    """What `start_challenge` gives: the challenge, and whether this call made it (False: the same form again)."""

    challenge_id: uuid.UUID
    phone_key: str  # a keyed digest of the number, to charge guesses to it without naming it
    created: bool
    view: ChallengeView | None = None  # of one that this call made: nobody needs to read it back


@dataclass(frozen=True, kw_only=True)
class Proven:
    """The person proved the number. Exactly one call in the life of a challenge gets this or a Verified."""

    challenge_id: uuid.UUID
    phone: str = field(repr=False)
    is_test: bool
    sms_sent: (
        bool  # an SMS was sent in this challenge; whether its copy of the one code was typed nobody can know
    )
    at: datetime


@dataclass(frozen=True, kw_only=True)
class Verified(Proven):
    """… and is a user now."""

    user_id: uuid.UUID
    session_salt: str = field(repr=False)
    is_new: bool
