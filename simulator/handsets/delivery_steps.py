"""What happens to an accepted message, decided by the handset alone: pure, no clock, no state."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from simulator.handsets.handset import Handset, SmsMode, WhatsAppMode

NOT_ON_WHATSAPP = 131026
NOT_DELIVERED_BY_META = 131049
UNREACHABLE_HANDSET = 30003
QUEUED_TOO_LONG = 30001


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """One thing that happens to a message: its status changes, and the handset may show it."""

    status: str
    after_seconds: float = 0.0
    error_code: int | None = None
    shows: bool = False


def whatsapp_steps(handset: Handset, *, ttl_seconds: int) -> list[Step]:
    """The steps of an accepted WhatsApp message; past its time to live it is dropped without a report."""
    delay = handset.delay_ms / 1000
    sent = Step(status="sent")
    match handset.whatsapp:
        case WhatsAppMode.UNDELIVERED:
            return [Step(status="failed", error_code=NOT_DELIVERED_BY_META, after_seconds=delay)]
        case WhatsAppMode.NOT_ON_WHATSAPP:
            return [Step(status="failed", error_code=NOT_ON_WHATSAPP, after_seconds=delay)]
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
    """The steps of an accepted SMS; one that would wait longer than its validity is not sent at all.

    Through a Messaging Service it is only `accepted` at first, so `queued` is reported, too.
    """
    delay = handset.delay_ms / 1000
    if handset.sms is SmsMode.LATE:
        delay += handset.late_seconds
    steps = [Step(status="queued")] if through_service else []
    if delay > validity_seconds:
        return [*steps, Step(status="failed", error_code=QUEUED_TOO_LONG, after_seconds=validity_seconds)]
    steps.append(Step(status="sent"))
    if handset.sms is SmsMode.SILENT:
        return steps
    if handset.sms is SmsMode.UNDELIVERED:
        return [*steps, Step(status="undelivered", error_code=UNREACHABLE_HANDSET, after_seconds=delay)]
    return [*steps, Step(status="delivered", after_seconds=delay, shows=True)]


def shown_at_once(steps: Sequence[Step]) -> bool:
    return any(step.shows and step.after_seconds <= 0 for step in steps)


def in_reverse(steps: Sequence[Step]) -> list[Step]:
    """The same moments with the statuses in reverse: certain to be out of order, unlike chance."""
    return [
        replace(step, after_seconds=moment.after_seconds)
        for step, moment in zip(reversed(steps), steps, strict=True)
    ]
