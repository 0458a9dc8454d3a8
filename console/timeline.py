"""What happened to one challenge, step by step, for support. Never a code, never a number."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from django.utils.translation import gettext as _

from channels.types import Status
from console import reasons
from otp.models import Challenge, Delivery, DeliveryEvent
from users.phones import mask


@dataclass(frozen=True, kw_only=True)
class Step:
    at: datetime
    after_seconds: float  # since the challenge began
    what: str
    detail: str
    tone: str  # good | bad | plain


def summary(challenge: Challenge, *, now: datetime) -> list[tuple[str, str]]:
    """Facts of the challenge, label and value."""
    facts = [
        (_("Number"), mask(challenge.phone)),
        (_("State"), challenge.state(now).value),
        (_("Project"), challenge.project.name),
        (_("Challenge"), str(challenge.id)),
        (_("Page"), challenge.origin),
        (_("Language"), challenge.language),
        (_("Address"), challenge.address or ""),
        (_("Wrong codes"), f"{challenge.attempts} / {challenge.max_attempts}"),
    ]
    return [*facts, (_("Test number"), _("yes: no message is sent"))] if challenge.is_test else facts


def steps(challenge: Challenge) -> list[Step]:
    """All steps by time."""
    begun = challenge.created_at

    def step(at: datetime, what: str, detail: str = "", tone: str = "plain") -> Step:
        at = max(at, begun)
        return Step(at=at, after_seconds=(at - begun).total_seconds(), what=what, detail=detail, tone=tone)

    lines = [step(begun, _("Started"))]
    deliveries = list(challenge.deliveries.prefetch_related("events").order_by("id"))
    for delivery in deliveries:
        planned = max(delivery.created_at, begun)
        lines.append(step(planned, _planned(delivery), str(reasons.CAUSES[delivery.cause])))
        lines += [
            step(at, f"{_channel(delivery)}: {Status(event.status).word}", _why(event), _tone(event))
            for at, event in _in_order(delivery.events.all(), planned=planned)
        ]
    if challenge.verified_at:
        lines.append(step(challenge.verified_at, _("Verified: the right code was typed"), tone="good"))
    if challenge.ended_at:
        lines.append(step(challenge.ended_at, _("Ended"), str(reasons.ENDS[challenge.end_reason]), "bad"))
    return sorted(lines, key=lambda item: item.at)


# What can only have come after what.
_AFTER = {
    Status.ACCEPTED: {Status.SENT, Status.DELIVERED, Status.READ, Status.FAILED},
    Status.SENT: {Status.DELIVERED, Status.READ, Status.FAILED},
    Status.DELIVERED: {Status.READ},
}
_RANK = (
    Status.QUEUED, Status.SENDING, Status.ACCEPTED, Status.SENT, Status.EXPIRED, Status.DELIVERED, Status.READ,
    Status.FAILED,
)  # fmt: skip


def _in_order(events: Iterable[DeliveryEvent], *, planned: datetime) -> list[tuple[datetime, DeliveryEvent]]:
    """The events of a delivery, each with the time that it can have had.

    A provider's time is by its own clock, and Meta's in whole seconds: it is no earlier than what led to it, and no
    later than we heard of it or of what followed.
    """
    by_message: dict[str, list[DeliveryEvent]] = {}
    for event in sorted(events, key=lambda event: (_RANK.index(Status(event.status)), event.pk)):
        by_message.setdefault(event.provider_message_id, []).append(event)
    ours = [(max(event.occurred_at, planned), event) for event in by_message.pop("", [])]
    reported = [line for of_one in by_message.values() for line in _of_message(of_one, planned=planned)]
    return sorted([*ours, *reported], key=lambda line: (line[0], _RANK.index(Status(line[1].status))))


def _of_message(
    events: Sequence[DeliveryEvent], *, planned: datetime
) -> list[tuple[datetime, DeliveryEvent]]:
    lines: list[tuple[datetime, DeliveryEvent]] = []
    for event in events:
        status = Status(event.status)
        earliest = [at for at, earlier in lines if status in _AFTER.get(Status(earlier.status), ())]
        heard = [other.recorded_at for other in events if Status(other.status) in _AFTER.get(status, ())]
        at = max([event.occurred_at, planned, *earliest])
        lines.append((max(min([at, event.recorded_at, *heard]), planned), event))
    return lines


def _channel(delivery: Delivery) -> str:
    return str(delivery.get_channel_display())


def _planned(delivery: Delivery) -> str:
    return _("%(channel)s message %(number)d") % {"channel": _channel(delivery), "number": delivery.number}


def _why(event: DeliveryEvent) -> str:
    """A sentence, our reason, the provider's own number; never its message id, which holds the phone number."""
    return reasons.sentence(event.reason, event.provider_code)


def _tone(event: DeliveryEvent) -> str:
    if event.status >= Status.DELIVERED:
        return "good"
    return "bad" if event.status in (Status.FAILED, Status.EXPIRED) else "plain"
