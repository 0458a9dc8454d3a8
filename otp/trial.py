"""An operator's test message: a real challenge whose code logs nobody in, followed until it is over."""

import time
import uuid
from collections.abc import Callable
from dataclasses import dataclass

from channels.types import Channel, Status
from otp import policy, services
from otp.models import Purpose
from otp.types import ChallengeView, DeliveryView
from projects.config import ProjectConfig
from users.phones import Phone

_EVERY_SECONDS = 0.1


@dataclass(frozen=True, kw_only=True)
class Step:
    """Something that happened. `seconds` since the start."""

    seconds: float
    delivery: DeliveryView


@dataclass(frozen=True, kw_only=True)
class Verdict:
    """`arrived`: a handset has it. Otherwise `accepted` tells whether a provider at least took the last message."""

    arrived: Channel | None
    accepted: bool


def start(
    *, project: ProjectConfig, phone: Phone, language: str, origin: str, channel: Channel | None
) -> uuid.UUID:
    """As a login starts, with the limits of the number. Raises as `otp.services.start_challenge` does."""
    started = services.start_challenge(
        project=project,
        phone=phone,
        language=language,
        origin=origin,
        address="",
        channel=channel,
        purpose=Purpose.TRIAL,
    )
    return started.challenge_id


def follow(challenge_id: uuid.UUID, *, seconds: float, tell: Callable[[Step], None]) -> Verdict:
    """Tells every step as it happens. Ends when nothing more will come, or after `seconds`."""
    begun = time.monotonic()
    told: dict[int, Status] = {}
    while True:
        view = services.describe(challenge_id=challenge_id)
        passed = time.monotonic() - begun
        for number, delivery in enumerate(view.deliveries):
            if told.get(number) != delivery.status:
                told[number] = delivery.status
                tell(Step(seconds=passed, delivery=delivery))
        if _is_over(view) or passed > seconds:
            return _verdict(view)
        time.sleep(_EVERY_SECONDS)


def _is_over(view: ChallengeView) -> bool:
    if any(item.status >= Status.DELIVERED for item in view.deliveries):
        return True
    return policy.is_over(view.deliveries[-1].status) and view.fallback_at is None and not _may_follow(view)


def _may_follow(view: ChallengeView) -> bool:
    """A failed message's fallback is on its way for a moment."""
    last = view.deliveries[-1]
    return len(view.deliveries) == 1 and len(view.channels) > 1 and last.channel is view.channels[0]


def _verdict(view: ChallengeView) -> Verdict:
    arrived = [item.channel for item in view.deliveries if item.status >= Status.DELIVERED]
    accepted = view.deliveries[-1].status in (Status.ACCEPTED, Status.SENT)
    return Verdict(arrived=arrived[0] if arrived else None, accepted=accepted)
