"""Refusals of the limits."""

from core.errors import DomainError


class RateLimited(DomainError):
    """Refused with a rounded wait, the same for known and unknown numbers."""

    code = "rate_limited"

    def __init__(self, *, wait_seconds: int, rule: str = "") -> None:
        super().__init__(f"wait {wait_seconds} s")
        self.wait_seconds = wait_seconds
        self.rule = rule  # the one that refused with the longest wait (abuse.rules); never shown


class Unavailable(DomainError):
    """The limiter's store is away: refuse rather than send without limits."""

    code = "unavailable"
