"""When a channel did not deliver, the next one takes over: once, and only where the policy allows it."""

import uuid

import structlog
from django.db import transaction
from django.utils import timezone

from abuse import charges
from abuse.errors import RateLimited, Unavailable
from channels.errors import MEANINGS
from channels.senders import senders
from channels.types import Channel, FailureReason, Status
from core import metrics
from otp import charging, policy, project_events
from otp.cancel import end_challenges
from otp.models import Challenge, Delivery
from otp.types import Cause, EndReason, State
from projects.config import projects

log = structlog.get_logger(__name__)


def next_channel(delivery_id: uuid.UUID, reason: FailureReason | None) -> Channel | None:
    """The channel that takes over if this delivery fails for good with `reason`; None: no other may, or can."""
    rows = Delivery.objects.filter(id=delivery_id)
    row = rows.values("channel", "chosen", "challenge_id", "challenge__project_id").first()
    project = projects.get().by_id.get(row["challenge__project_id"]) if row else None
    if row is None or project is None:
        return None
    used = Delivery.objects.filter(challenge_id=row["challenge_id"]).values_list("channel", flat=True)
    following = policy.fallback_channel(
        promised=[Channel(name) for name in project.channels],
        falls_back=project.falls_back,
        failed=Channel(row["channel"]),
        chosen=row["chosen"],
        used=[Channel(name) for name in used],
        reason=reason,
    )
    return following if following and senders.get().for_project(project.id, following) else None


def fall_back(*, delivery_id: uuid.UUID, paid: bool = False) -> uuid.UUID | None:
    """A delivery did not arrive: queue the next channel's, once, or note that none may. Safe to repeat.

    `paid`: no provider was asked to send the failed one, so its charge pays for this one.
    Gives the new delivery, to be sent at once; the sweep sends it if the caller does not.
    """
    failed = Delivery.objects.select_related("challenge").filter(id=delivery_id).first()
    if failed is None or not policy.is_over(Status(failed.status)):
        return None
    reason = FailureReason(failed.reason) if failed.reason else None
    if reason and MEANINGS[reason].revoke:
        end_challenges([failed.challenge_id], reason=EndReason.IDENTITY_CHANGED)
        return None
    following = next_channel(delivery_id, reason)
    if following is None or failed.challenge.is_test:
        Delivery.objects.filter(id=delivery_id).update(due_at=None)
        return None
    allowed = paid or _charge_fallback(failed.challenge)
    if allowed is None:
        return None  # the limiter's store is away: the sweep tries again at `due_at`
    sender = senders.get().for_project(failed.challenge.project_id, following)
    return _add_fallback(failed, channel=following, sender_id=sender.id if sender else None, allowed=allowed)


def _charge_fallback(challenge: Challenge) -> bool | None:
    """Whether the limits allow one more message; None: the limiter cannot answer now."""
    project = projects.get().by_id[challenge.project_id]
    sending = charging.sending_of(challenge, project=project, address=challenge.address or "")
    try:
        charging.charge(sending, lambda _relief: charges.fallback(sending))
    except RateLimited:
        return False
    except Unavailable:
        return None
    return True


def _add_fallback(
    failed: Delivery, *, channel: Channel, sender_id: uuid.UUID | None, allowed: bool
) -> uuid.UUID | None:
    """Write the one fallback of a challenge. The lock on the challenge and two unique constraints make it one.

    When our own ceiling is reached it is written as failed, so that the page can say so.
    """
    now = timezone.now()
    with transaction.atomic():
        challenge = Challenge.objects.select_for_update(no_key=True).get(id=failed.challenge_id)
        current = Delivery.objects.get(id=failed.id)
        Delivery.objects.filter(id=failed.id).update(due_at=None)
        used = Delivery.objects.filter(challenge_id=challenge.id, channel=channel).exists()
        if challenge.state(now) is not State.PENDING or used or not policy.is_over(Status(current.status)):
            return None
        refused = {"status": Status.FAILED, "reason": FailureReason.LIMIT, "due_at": None}
        added = Delivery.add(
            now=now,
            challenge=challenge,
            channel=channel,
            cause=Cause.FALLBACK,
            sender_id=sender_id,
            **({} if allowed else refused),
        )
        if allowed:
            project_events.fell_back(current, added)
        else:
            failure = project_events.failure_of(added, reason=FailureReason.LIMIT, at=now)
            project_events.deliveries_failed([failure])
    metrics.FALLBACKS.labels(channel, failed.reason or "unknown").inc()
    log.info("challenge.fell_back", challenge_id=str(challenge.id), channel=channel, because=failed.reason)
    return added.id if allowed else None
