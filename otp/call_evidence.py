"""What the call of a provider says about its sender, whatever it means for this one message."""

from datetime import datetime

from channels import health
from channels.base import SenderConfig
from channels.breaker import Source
from channels.errors import MEANINGS, SendError
from channels.senders import Senders
from channels.types import FailureReason, Receipt
from events import sender_events
from otp.store.claim import Claimed


def note_receipt(
    claimed: Claimed, sender: SenderConfig, receipt: Receipt, *, known: Senders, begun: datetime
) -> None:
    """A lost answer counts against the sender: providers that hang answer nothing."""
    if receipt.refusals:
        sender_events.templates_refused(sender.id, receipt.refusals, at=begun)
    if not receipt.certain:
        sender_events.failed(sender.id, source=Source.CALL, reason=FailureReason.UNAVAILABLE)
        return
    if claimed.is_unhealthy:
        sender_events.succeeded(sender.id, source=Source.CALL)
    if receipt.template_language and known.was_unhealthy(sender, receipt.template_language):
        sender_events.template_works(sender.id, receipt.template_language, at=begun)


def note_failure(claimed: Claimed, sender: SenderConfig, error: SendError, begun: datetime) -> None:
    if error.refusals:
        sender_events.templates_refused(sender.id, error.refusals, at=begun)
    if error.reason is FailureReason.RATE_LIMITED:
        health.slowed(sender.id)
    elif MEANINGS[error.reason].sender or MEANINGS[error.reason].unexplained:
        sender_events.failed(
            sender.id, source=Source.CALL, reason=error.reason, provider_code=error.provider_code
        )
    elif claimed.is_unhealthy:
        sender_events.succeeded(sender.id, source=Source.CALL)  # it works; this one recipient does not
