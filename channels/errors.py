"""What can go wrong with a send, and what each reason means.

SendError            the provider did not take the message; carries a FailureReason
SenderMisconfigured  raised while a sender is built or validated; outside the tree so that nothing swallows it
"""

from dataclasses import dataclass

from channels.types import FailureReason


@dataclass(frozen=True, kw_only=True)
class Meaning:
    """`retry`: the same channel may work within seconds. `alert`: an operator has to act.

    `sender`: it would have happened to any recipient, so it counts against the sender (channels.breaker).
    `revoke`: the number may be in other hands, the challenge ends. Every reason lets the next channel take over
    unless it revokes; what is retried first is the queue's decision (otp.policy).
    """

    retry: bool = False
    alert: bool = False
    sender: bool = False
    revoke: bool = False


MEANINGS: dict[FailureReason, Meaning] = {
    FailureReason.NOT_ON_CHANNEL: Meaning(),
    FailureReason.UNREACHABLE: Meaning(),
    FailureReason.BLOCKED_BY_USER: Meaning(),
    FailureReason.REFUSED: Meaning(),
    FailureReason.IDENTITY_CHANGED: Meaning(revoke=True),
    FailureReason.INVALID_NUMBER: Meaning(),
    FailureReason.RATE_LIMITED: Meaning(retry=True),
    FailureReason.PAIR_LIMITED: Meaning(retry=True),
    FailureReason.SKIPPED: Meaning(),
    FailureReason.UNAVAILABLE: Meaning(retry=True, sender=True),
    FailureReason.HELD: Meaning(alert=True, sender=True),
    FailureReason.MISCONFIGURED: Meaning(alert=True, sender=True),
    FailureReason.TEMPLATE_PAUSED: Meaning(alert=True, sender=True),
    FailureReason.PAYMENT: Meaning(alert=True, sender=True),
    FailureReason.ACCOUNT_BLOCKED: Meaning(alert=True, sender=True),
    FailureReason.FRAUD_BLOCKED: Meaning(alert=True),
    FailureReason.NO_SENDER: Meaning(alert=True),
    FailureReason.BAD_REQUEST: Meaning(alert=True),
    FailureReason.LIMIT: Meaning(),
    FailureReason.CRASHED: Meaning(alert=True),
    FailureReason.NO_NEWS: Meaning(),
    FailureReason.UNKNOWN: Meaning(),
}


class SendError(Exception):
    """The provider did not take the message. `reason` decides what follows; `provider_code` is for the operator.

    The text never holds a phone number, a code or the provider's raw answer.
    """

    def __init__(self, reason: FailureReason, *, provider_code: str = "", detail: str = "") -> None:
        super().__init__(
            f"{reason}{f' ({provider_code})' if provider_code else ''}{f': {detail}' if detail else ''}"
        )
        self.reason = reason
        self.provider_code = provider_code


class SenderMisconfigured(Exception):
    """A sender lacks a field that its provider needs, or names one that does not exist."""
