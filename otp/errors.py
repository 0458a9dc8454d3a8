"""Domain errors. Each has a stable machine `code`; HTTP status is decided in one handler.

    OtpError
      ChallengeNotFound    challenge_not_found
      ChallengeExpired     challenge_expired
      ChallengeConsumed    challenge_consumed
      ChallengeLocked      challenge_locked
      WrongCode            wrong_code (+ attempts_left)
      CountryNotAllowed    country_not_allowed
      ChannelNotAllowed    channel_not_allowed
      RateLimited          rate_limited (+ wait_seconds)
      UserBlocked          user_blocked
      Unavailable          unavailable

A phone that is not one raises `users.phones.InvalidPhone` (invalid_phone).
"""


class OtpError(Exception):
    """Base: something the user or the caller did, or a limit; never a bug."""

    code = "otp_error"


class ChallengeNotFound(OtpError):
    code = "challenge_not_found"


class ChallengeExpired(OtpError):
    """Its time is over, or it ended early (restarted, cancelled, disavowed)."""

    code = "challenge_expired"


class ChallengeConsumed(OtpError):
    """The right code was used before. `repeated`: this call carries it again within seconds (a double submit)."""

    code = "challenge_consumed"

    def __init__(self, *, repeated: bool) -> None:
        super().__init__("used before")
        self.repeated = repeated


class ChallengeLocked(OtpError):
    """Too many wrong codes."""

    code = "challenge_locked"


class WrongCode(OtpError):
    code = "wrong_code"

    def __init__(self, *, attempts_left: int) -> None:
        super().__init__(f"{attempts_left} attempts left")
        self.attempts_left = attempts_left


class CountryNotAllowed(OtpError):
    code = "country_not_allowed"


class ChannelNotAllowed(OtpError):
    code = "channel_not_allowed"


class RateLimited(OtpError):
    """Refused with a rounded wait, the same for known and unknown numbers."""

    code = "rate_limited"

    def __init__(self, *, wait_seconds: int) -> None:
        super().__init__(f"wait {wait_seconds} s")
        self.wait_seconds = wait_seconds


class UserBlocked(OtpError):
    code = "user_blocked"


class Unavailable(OtpError):
    """What protects paid sends is away: refuse rather than send without limits."""

    code = "unavailable"
