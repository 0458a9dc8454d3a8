"""The story of one challenge for the people who support it: who, what, when, and why. Never a code, never a number."""

from dataclasses import dataclass
from datetime import datetime

from django.utils.translation import gettext as _

from channels.types import Status
from otp.models import Challenge, Delivery, DeliveryEvent
from otp.types import State


@dataclass(frozen=True, kw_only=True)
class Step:
    at: datetime
    after_seconds: float  # since the challenge began
    what: str
    detail: str
    tone: str  # good | bad | plain


def state_of(challenge: Challenge, *, now: datetime) -> State:
    if challenge.verified_at:
        return State.VERIFIED
    if challenge.attempts >= challenge.max_attempts:
        return State.LOCKED
    return State.EXPIRED if challenge.ended_at or challenge.expires_at <= now else State.PENDING


def summary(challenge: Challenge, *, now: datetime) -> list[tuple[str, str]]:
    """Facts of the challenge, label and value."""
    facts = [
        (_("State"), str(state_of(challenge, now=now))),
        (_("Project"), challenge.project.name),
        (_("Challenge"), str(challenge.id)),
        (_("Page"), challenge.origin),
        (_("Language"), challenge.language),
        (_("Address"), challenge.address or ""),
        (_("Wrong codes"), f"{challenge.attempts} / {challenge.max_attempts}"),
    ]
    return [*facts, (_("Test number"), _("yes: no message is sent"))] if challenge.is_test else facts


def steps(challenge: Challenge) -> list[Step]:
    """Everything that happened, in the order of its time."""
    begun = challenge.created_at

    def step(at: datetime, what: str, detail: str = "", tone: str = "plain") -> Step:
        return Step(at=at, after_seconds=(at - begun).total_seconds(), what=what, detail=detail, tone=tone)

    found = [step(begun, _("Started"))]
    deliveries = list(challenge.deliveries.prefetch_related("events").order_by("id"))
    for delivery in deliveries:
        found.append(step(delivery.created_at, _planned(delivery), str(delivery.get_cause_display())))
        found += [
            step(
                event.occurred_at,
                f"{_channel(delivery)}: {Status(event.status).word}",
                _why(event),
                _tone(event),
            )
            for event in delivery.events.all()
        ]
    if challenge.verified_at:
        found.append(step(challenge.verified_at, _("Verified: the right code was typed"), tone="good"))
    if challenge.ended_at:
        found.append(step(challenge.ended_at, _("Ended"), str(challenge.get_end_reason_display()), "bad"))
    return sorted(found, key=lambda item: item.at)


def _channel(delivery: Delivery) -> str:
    return str(delivery.get_channel_display())


def _planned(delivery: Delivery) -> str:
    return _("%(channel)s message %(number)d") % {"channel": _channel(delivery), "number": delivery.number}


def _why(event: DeliveryEvent) -> str:
    """Our reason and the provider's own number; never its message id, which holds the phone number."""
    code = f" ({event.provider_code})" if event.provider_code else ""
    return f"{event.reason}{code}" if event.reason or code else ""


def _tone(event: DeliveryEvent) -> str:
    if event.status >= Status.DELIVERED:
        return "good"
    return "bad" if event.status in (Status.FAILED, Status.EXPIRED) else "plain"
