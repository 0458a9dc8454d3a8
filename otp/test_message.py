"""An operator's test message: a real challenge whose code cannot log in, watched until it ends."""

import time
import uuid
from collections.abc import Callable
from dataclasses import dataclass

from django.utils import timezone

from channels.types import Channel, Status
from otp import policy, services
from otp.models import Purpose
from otp.types import ChallengeView, DeliveryView
from projects.config import ProjectConfig
from users.phones import Phone

_EVERY_SECONDS = 0.1


@dataclass(frozen=True, kw_only=True)
class Step:
    """A new status of a delivery, `seconds` after the start."""

    seconds: float
    delivery: DeliveryView


@dataclass(frozen=True, kw_only=True)
class Result:
    """`arrived`: the channel that delivered it. If None, `accepted` says whether the last message was accepted."""

    arrived: Channel | None
    accepted: bool


def start(
    *,
    project: ProjectConfig,
    phone: Phone,
    language: str,
    origin: str,
    channel: Channel | None,
    sender_id: uuid.UUID | None = None,
) -> uuid.UUID:
    """Starts like a login, with the limits of the number; over one sender alone where that is named. Raises what
    `otp.services.start_challenge` raises."""
    started = services.start_challenge(
        project=project,
        phone=phone,
        language=language,
        origin=origin,
        address="",
        channel=channel,
        purpose=Purpose.TEST_MESSAGE,
        sender_id=sender_id,
    )
    return started.challenge_id


def watch(challenge_id: uuid.UUID, *, seconds: float, report: Callable[[Step], None]) -> Result:
    """Reports each step as it happens. Ends when no more can follow, or after `seconds`."""
    started = time.monotonic()
    reported: dict[int, Status] = {}
    while True:
        view = services.describe(challenge_id=challenge_id)
        passed = time.monotonic() - started
        for number, delivery in enumerate(view.deliveries):
            if reported.get(number) != delivery.status:
                reported[number] = delivery.status
                report(Step(seconds=passed, delivery=delivery))
        if _is_over(view) or passed > seconds:
            return _result(view)
        time.sleep(_EVERY_SECONDS)


def _is_over(view: ChallengeView) -> bool:
    if any(item.status >= Status.DELIVERED for item in view.deliveries):
        return True
    return (
        policy.is_over(view.deliveries[-1].status)
        and view.fallback_at is None
        and not _fallback_may_follow(view)
    )


def _fallback_may_follow(view: ChallengeView) -> bool:
    """Another sender, or the next channel, takes over a moment after a message failed."""
    return timezone.now() - view.deliveries[-1].at < policy.FALLBACK_GRACE


def _result(view: ChallengeView) -> Result:
    arrived = [item.channel for item in view.deliveries if item.status >= Status.DELIVERED]
    accepted = view.deliveries[-1].status in (Status.ACCEPTED, Status.SENT)
    return Result(arrived=arrived[0] if arrived else None, accepted=accepted)
