"""Domain errors. Each has a stable machine `code`; HTTP status is decided in one handler.

Limits refuse with `abuse.errors`. An invalid phone raises `users.phones.InvalidPhone` (invalid_phone).
"""

from core.errors import DomainError
from otp.types import State


class ChallengeNotFound(DomainError):
    code = "challenge_not_found"


class ChallengeExpired(DomainError):
    """Its time is over, or it ended early (restarted, cancelled, disavowed)."""

    code = "challenge_expired"


class ChallengeConsumed(DomainError):
    """The right code was used before. `repeated`: this call carries it again within seconds (a double submit)."""

    code = "challenge_consumed"

    def __init__(self, *, repeated: bool) -> None:
        super().__init__("used before")
        self.repeated = repeated


class ChallengeLocked(DomainError):
    """Too many wrong codes."""

    code = "challenge_locked"


class WrongCode(DomainError):
    code = "wrong_code"

    def __init__(self, *, attempts_left: int) -> None:
        super().__init__(f"{attempts_left} attempts left")
        self.attempts_left = attempts_left


class NotACode(DomainError):
    """The input cannot be the code, which has `length` digits: not counted as an attempt."""

    code = "invalid_request"

    def __init__(self, *, length: int) -> None:
        super().__init__(f"the code has {length} digits")
        self.length = length


class WrongPurpose(DomainError):
    """The challenge was started for another purpose. No attempt is lost."""

    code = "invalid_request"


class CountryNotAllowed(DomainError):
    code = "country_not_allowed"


class ChannelNotAllowed(DomainError):
    code = "channel_not_allowed"


class UserBlocked(DomainError):
    code = "user_blocked"


def error_of(state: State, *, repeated: bool = False) -> DomainError | None:
    """What refuses a request to a challenge in this state; None: it is pending."""
    match state:
        case State.VERIFIED:
            return ChallengeConsumed(repeated=repeated)
        case State.LOCKED:
            return ChallengeLocked()
        case State.EXPIRED:
            return ChallengeExpired()
    return None
