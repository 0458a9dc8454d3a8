"""When a message did not arrive: the channel's next sender takes over, or else the next channel. Each once, and only
where the policy allows it."""

import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

import structlog
from django.db import transaction
from django.db.models import Q
from django.utils import timezone
from structlog.contextvars import bound_contextvars

from abuse import charges
from abuse.errors import RateLimited, Unavailable
from channels import rehearsals
from channels.errors import MEANINGS
from channels.senders import senders
from channels.types import Channel, FailureReason, Status
from core import metrics
from core.addresses import block_of
from otp import charging, policy, project_events
from otp.cancel import end_challenges
from otp.models import Challenge, Delivery, Purpose
from otp.routes import channels_of, route_of
from otp.types import Cause, EndReason, State
from projects.config import projects
from projects.routing import Route

log = structlog.get_logger(__name__)


@dataclass(frozen=True, kw_only=True)
class Following:
    """What takes over from a delivery: another sender of its channel, or the next channel."""

    channel: Channel
    sender_id: uuid.UUID | None  # none in a rehearsal: the sandbox takes the message
    cause: Cause
    chosen: bool = False  # the user chose the channel, and it stays


def following(delivery_id: uuid.UUID, reason: FailureReason | None) -> Following | None:
    """What takes over if this delivery fails for good with `reason`; None: nothing may, or can."""
    rows = Delivery.objects.filter(challenge__deliveries=delivery_id).order_by("id")
    siblings = list(
        rows.only(
            "channel",
            "chosen",
            "cause",
            "number",
            "sender_id",
            "challenge__project",
            "challenge__phone",
            "challenge__is_test",
            "challenge__purpose",
        ).select_related("challenge")
    )
    failed = next((item for item in siblings if item.id == delivery_id), None)
    project = projects.get().by_id.get(failed.challenge.project_id) if failed else None
    if failed is None or project is None:
        return None
    if any(
        item.cause == Cause.FAILOVER and item.channel == failed.channel and item.number > failed.number
        for item in siblings
    ):
        return None  # another sender has taken over: what becomes of its message decides
    route = route_of(project, failed.challenge.phone)
    return _next_sender(failed, siblings, route, reason) or _next_channel(failed, siblings, route, reason)


def _next_sender(
    failed: Delivery, siblings: Sequence[Delivery], route: Route, reason: FailureReason | None
) -> Following | None:
    same = [item for item in siblings if item.channel == failed.channel]
    challenge = failed.challenge
    if challenge.is_test or siblings[-1].id != failed.id:
        return None  # a rehearsal has one sandbox, or a later message is under way
    if failed.chosen and challenge.purpose == Purpose.TEST_MESSAGE:
        return None  # it is this sender that is tried
    if not policy.may_fail_over(reason=reason, causes=[Cause(item.cause) for item in same]):
        return None
    channel = Channel(failed.channel)
    tried = {failed.sender_id, *(item.sender_id for item in same)}
    sender = senders.get().choose(
        failed.challenge.project_id, channel, now=timezone.now(), first=route.sender, without=tried
    )
    if sender is None:
        return None
    return Following(channel=channel, sender_id=sender.id, cause=Cause.FAILOVER, chosen=failed.chosen)


def _next_channel(
    failed: Delivery, siblings: Sequence[Delivery], route: Route, reason: FailureReason | None
) -> Following | None:
    channel = policy.fallback_channel(
        promised=channels_of(route),
        falls_back=route.falls_back,
        failed=Channel(failed.channel),
        chosen=failed.chosen,
        used=[Channel(item.channel) for item in siblings],
        reason=reason,
    )
    if channel is None:
        return None
    challenge = failed.challenge
    if challenge.is_test:
        running = rehearsals.running(challenge.project_id, challenge.phone)
        return Following(channel=channel, sender_id=None, cause=Cause.FALLBACK) if running else None
    sender = senders.get().choose(challenge.project_id, channel, now=timezone.now(), first=route.sender)
    return Following(channel=channel, sender_id=sender.id, cause=Cause.FALLBACK) if sender else None


def fall_back(*, delivery_id: uuid.UUID, paid: bool = False) -> uuid.UUID | None:
    """A delivery did not arrive: queue what takes over, once, or note that nothing may. Safe to repeat.

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
    step = following(delivery_id, reason)
    if step is None:
        Delivery.objects.filter(id=delivery_id).update(due_at=None)
        return None
    # A sender that does not work costs nothing: what failed was not billed, and the charges of a start keep room for
    # one more message, which is the fallback's. An SMS that was accepted is billed whether it arrives or not.
    was_billed = failed.accepted_at is not None and step.channel is Channel.SMS
    paid = paid or (step.cause is Cause.FAILOVER and not was_billed)
    allowed = paid or failed.challenge.is_test or _charge_fallback(failed)
    if allowed is None:
        return None  # the limiter's store is away: the sweep tries again at `due_at`
    return _add(failed, step, allowed=allowed)


def _charge_fallback(failed: Delivery) -> bool | None:
    """Whether the limits allow one more message, charged once however often it is asked for; None: the limiter cannot
    answer now."""
    challenge, once = failed.challenge, f"fallback-{failed.id.hex}"
    project = projects.get().by_id[challenge.project_id]
    sending = charging.sending_of(challenge, project=project, address=challenge.address or "")
    try:
        with bound_contextvars(address_block=block_of(challenge.address or "")):
            charging.charge(
                sending, lambda _relief: charges.fallback(sending), once=once, candidate=failed.id
            )
    except RateLimited:
        return False
    except Unavailable:
        return None
    return True


def _add(failed: Delivery, step: Following, *, allowed: bool) -> uuid.UUID | None:
    """Write the one that takes over. The lock on the challenge and two unique constraints make it one.

    When our own ceiling is reached it is written as failed, so that the page can say so.
    """
    now = timezone.now()
    with transaction.atomic():
        challenge = Challenge.objects.select_for_update(no_key=True).get(id=failed.challenge_id)
        current = Delivery.objects.get(id=failed.id)
        Delivery.objects.filter(id=failed.id).update(due_at=None)
        # Meanwhile another worker, or the user, may have had the message sent that would be this one.
        late = Q(id__gt=failed.id)
        if step.cause is Cause.FALLBACK:
            taken_over = Q(cause=Cause.FAILOVER, channel=failed.channel, number__gt=failed.number)
            late = Q(channel=step.channel) | taken_over
        is_late = Delivery.objects.filter(late, challenge_id=challenge.id).exists()
        if challenge.state(now) is not State.PENDING or is_late or not policy.is_over(Status(current.status)):
            return None
        number = current.number + 1 if step.cause is Cause.FAILOVER else 1
        added = _write(challenge, step, number=number, allowed=allowed, now=now)
        _tell_project(current, added, allowed=allowed, now=now)
    metrics.FALLBACKS.labels(step.channel, failed.reason or "unknown").inc()
    log.info(
        "challenge.fell_back",
        challenge_id=str(challenge.id),
        channel=step.channel,
        cause=step.cause.value,
        because=failed.reason,
    )
    return added.id if allowed else None


def _write(challenge: Challenge, step: Following, *, number: int, allowed: bool, now: datetime) -> Delivery:
    refused = {"status": Status.FAILED, "reason": FailureReason.LIMIT, "due_at": None}
    return Delivery.add(
        now=now,
        challenge=challenge,
        channel=step.channel,
        number=number,
        cause=step.cause,
        chosen=step.chosen,
        sender_id=step.sender_id,
        **({} if allowed else refused),
    )


def _tell_project(failed: Delivery, added: Delivery, *, allowed: bool, now: datetime) -> None:
    if not allowed:
        failure = project_events.failure_of(added, reason=FailureReason.LIMIT, at=now)
        project_events.deliveries_failed([failure])
    elif added.cause == Cause.FALLBACK:  # another sender is nothing that applications know of
        project_events.fell_back(failed, added)
