"""What becomes of a message, decided by the handset alone: pure, no clock, no state."""

from collections.abc import Sequence

from simulator.behaviour import Handset, SmsMode, WhatsAppMode
from simulator.reports import Step

UNREACHABLE_HANDSET = 30003
QUEUED_TOO_LONG = 30001


def whatsapp_steps(handset: Handset, *, ttl_seconds: int) -> list[Step]:
    """The life of an accepted WhatsApp message; past its time to live it is dropped and nobody hears of it."""
    delay = handset.delay_ms / 1000
    sent = Step(status="sent")
    match handset.whatsapp:
        case WhatsAppMode.UNDELIVERED:
            return [Step(status="failed", error_code=131049, after_seconds=delay)]
        case WhatsAppMode.NOT_ON_WHATSAPP:
            return [Step(status="failed", error_code=131026, after_seconds=delay)]
        case WhatsAppMode.SILENT:
            return [sent]
        case WhatsAppMode.LATE:
            delay += handset.late_seconds
        case _:
            pass
    if delay > ttl_seconds:
        return [sent]
    steps = [sent, Step(status="delivered", after_seconds=delay, shows=True)]
    if handset.whatsapp is WhatsAppMode.READ:
        steps.append(Step(status="read", after_seconds=delay))
    return steps


def sms_steps(handset: Handset, *, validity_seconds: int, through_service: bool = False) -> list[Step]:
    """The life of an accepted SMS; one that would wait longer than its validity is not sent at all.

    Through a Messaging Service it is only `accepted` at first, so that `queued` is a news of its own.
    """
    delay = handset.delay_ms / 1000
    if handset.sms is SmsMode.LATE:
        delay += handset.late_seconds
    before = [Step(status="queued")] if through_service else []
    if delay > validity_seconds:
        return [*before, Step(status="failed", error_code=QUEUED_TOO_LONG, after_seconds=validity_seconds)]
    before.append(Step(status="sent"))
    if handset.sms is SmsMode.SILENT:
        return before
    if handset.sms is SmsMode.UNDELIVERED:
        return [*before, Step(status="undelivered", error_code=UNREACHABLE_HANDSET, after_seconds=delay)]
    return [*before, Step(status="delivered", after_seconds=delay, shows=True)]


def shown_at_once(steps: Sequence[Step]) -> bool:
    return any(step.shows and step.after_seconds <= 0 for step in steps)
