"""What can go wrong with a send, and what each reason means."""

from dataclasses import dataclass

from channels.types import FailureReason, TemplateRefusal


@dataclass(frozen=True, kw_only=True)
class Meaning:
    """`retry`: the same channel may work within seconds. `alert`: an operator has to act.

    `sender`: it would have happened to any recipient, so it counts against the sender (channels.breaker).
    `template`: it belongs to a sender's template in one language and to nothing else (channels.notices).
    `unexplained`: whose fault it is cannot be told; many in a row are the sender's (channels.breaker).
    `revoke`: the number may be in other hands, the challenge ends. Every reason lets the next channel take over
    unless it revokes; what is retried first is the queue's decision (otp.policy).
    """

    retry: bool = False
    alert: bool = False
    sender: bool = False
    template: bool = False
    unexplained: bool = False
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
    FailureReason.TEMPLATE_MISSING: Meaning(alert=True, template=True),
    FailureReason.TEMPLATE_PAUSED: Meaning(alert=True, template=True),
    FailureReason.TEMPLATE_UNFIT: Meaning(alert=True, template=True),
    FailureReason.PAYMENT: Meaning(alert=True, sender=True),
    FailureReason.ACCOUNT_BLOCKED: Meaning(alert=True, sender=True),
    FailureReason.FRAUD_BLOCKED: Meaning(alert=True),
    FailureReason.NO_SENDER: Meaning(alert=True),
    FailureReason.BAD_REQUEST: Meaning(alert=True, unexplained=True),
    FailureReason.LIMIT: Meaning(),
    FailureReason.CRASHED: Meaning(alert=True),
    FailureReason.NO_REPORT: Meaning(),
    FailureReason.UNKNOWN: Meaning(unexplained=True),
}


class SendError(Exception):
    """The provider did not take the message. `reason` decides what follows; `provider_code` is for the operator.

    `refusals`: the languages in which a template was refused on the way, the last one included.
    The text never holds a phone number, a code or the provider's raw answer.
    """

    def __init__(
        self,
        reason: FailureReason,
        *,
        provider_code: str = "",
        detail: str = "",
        refusals: tuple[TemplateRefusal, ...] = (),
    ) -> None:
        super().__init__(
            f"{reason}{f' ({provider_code})' if provider_code else ''}{f': {detail}' if detail else ''}"
        )
        self.reason = reason
        self.provider_code = provider_code
        self.refusals = refusals
