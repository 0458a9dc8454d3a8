"""Values that cross the border of this app. Frozen; no Django."""

import uuid
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from channels.types import Channel, FailureReason, Status
from core.errors import DomainError


class State(StrEnum):
    """What became of a challenge (otp.policy.state_of)."""

    PENDING = "pending"
    VERIFIED = "verified"
    LOCKED = "locked"
    EXPIRED = "expired"


class EndReason(StrEnum):
    """Why a challenge ended without a login."""

    RESTARTED = "restarted"
    CANCELLED = "cancelled"
    DISAVOWED = "disavowed"
    IDENTITY_CHANGED = "identity_changed"


class Cause(StrEnum):
    """Why a delivery exists."""

    START = "start"
    RESEND = "resend"
    SWITCH = "switch"  # the user chose another channel
    FALLBACK = "fallback"
    FAILOVER = "failover"  # the channel's next sender, after one that fails for everybody


@dataclass(frozen=True, kw_only=True)
class DeliveryView:
    """One message as the user may see it."""

    channel: Channel
    status: Status
    reason: FailureReason | None
    cause: Cause
    at: datetime  # when `status` was reached
    from_number: str = ""  # of a sender that the person has to write to first


@dataclass(frozen=True, kw_only=True)
class ChallengeView:
    """All that a login page or an API answer shows of a challenge. Times are UTC; never a code.

    `phone` is the whole number: for the page of the browser that typed it, and for nothing else.
    """

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
    end_reason: EndReason | None
    deliveries: tuple[DeliveryView, ...]  # oldest first
    fallback_at: datetime | None  # when silence turns into an SMS, while that is still to come
    next_channel: Channel | None = None  # what takes over now from a message that did not arrive
    phone: str = field(default="", repr=False)


@dataclass(frozen=True, kw_only=True)
class Started:
    """Outcome of a start: the challenge, and whether this call made it (False: the same form again)."""

    challenge_id: uuid.UUID
    phone_key: str  # a keyed digest of the number, to charge guesses to it without naming it
    created: bool
    view: ChallengeView | None = None  # of one that this call made, which need not be read back


@dataclass(frozen=True, kw_only=True)
class Proven:
    """Outcome of a right code: the number is proven. One call in the life of a challenge gets this or a Verified."""

    challenge_id: uuid.UUID
    phone: str = field(repr=False)
    is_test: bool
    sms_sent: bool  # in this challenge; every message carries the same code
    at: datetime


@dataclass(frozen=True, kw_only=True)
class Verified(Proven):
    """Outcome of a right code that signs in: the user of the number."""

    user_id: uuid.UUID
    session_salt: str = field(repr=False)
    session_hash: str = field(repr=False)  # users.models.session_hash
    is_new: bool


@dataclass(frozen=True, kw_only=True)
class Refused:
    """Outcome of a code that opened nothing: wrong (`otp.errors.WrongCode` has the attempts left), too late, blocked …

    Callers raise `error`, or answer it.
    """

    error: DomainError
