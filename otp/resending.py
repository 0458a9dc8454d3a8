"""Asking again: the same code on the channel in use, or on the one that the user chose."""

import uuid
from collections.abc import Sequence
from datetime import datetime

import structlog
from django.db import transaction
from django.utils import timezone

from channels.senders import senders
from channels.types import Channel
from otp import limiter, limits, policy, transitions
from otp.errors import (
    ChallengeConsumed,
    ChallengeExpired,
    ChallengeLocked,
    ChallengeNotFound,
    ChannelNotAllowed,
    RateLimited,
    Unavailable,
)
from otp.models import Cause, Challenge, Delivery
from projects.config import ProjectConfig, projects

log = structlog.get_logger(__name__)


def resend(*, challenge_id: uuid.UUID, address: str, channel: Channel | None = None) -> None:
    """Send the same code again: on the channel in use, or on the one that the user chose.

    Raises ChallengeNotFound, ChallengeExpired, ChallengeConsumed, ChallengeLocked, ChannelNotAllowed, RateLimited,
    Unavailable.
    """
    now = timezone.now()
    with transaction.atomic():
        challenge = Challenge.objects.select_for_update(no_key=True).filter(id=challenge_id).first()
        if challenge is None:
            raise ChallengeNotFound
        _raise_unless_pending(challenge, now)
        project = projects.get().by_id[challenge.project_id]
        earlier = list(Delivery.objects.filter(challenge_id=challenge_id).order_by("id"))
        target = channel or Channel(earlier[-1].channel)
        if target not in project.channels:
            raise ChannelNotAllowed
        same = [item for item in earlier if item.channel == target]
        if challenge.is_test or _is_double_submit(same, now):
            return
        first_on_channel = not same
        _charge_resend(challenge, project=project, address=address, extra=first_on_channel, now=now)
        sender = senders.get().for_project(project.id, target)
        if sender is None:
            raise Unavailable("no sender for this channel")
        chosen = channel is not None or earlier[-1].chosen
        cause = Cause.SWITCH if first_on_channel else Cause.RESEND
        added = transitions.add_delivery(
            challenge_id,
            channel=target,
            number=len(same) + 1,
            cause=cause,
            chosen=chosen,
            sender_id=sender.id,
            now=now,
        )
        # Older messages on this channel are the newer one's business now.
        Delivery.objects.filter(challenge_id=challenge_id).exclude(id=added).update(due_at=None)
        if not first_on_channel:
            challenge.sends += 1
        wait = policy.resend_wait(resend_after_seconds=project.resend_after_seconds, sends=challenge.sends)
        challenge.resend_at = max(challenge.resend_at, now + wait)
        challenge.save(update_fields=["sends", "resend_at"])
    log.info("challenge.resent", challenge_id=str(challenge_id), channel=target, cause=cause.value)


def _is_double_submit(same: Sequence[Delivery], now: datetime) -> bool:
    """A second click, or a click at the very moment of the fallback: that message is under way already."""
    return bool(same) and same[-1].cause != Cause.START and now - same[-1].created_at < policy.DOUBLE_SUBMIT


def _charge_resend(
    challenge: Challenge, *, project: ProjectConfig, address: str, extra: bool, now: datetime
) -> None:
    wait = (challenge.resend_at - now).total_seconds()
    if not extra and wait > 0:
        raise RateLimited(wait_seconds=policy.round_wait(wait))
    if not extra and challenge.sends >= policy.MAX_SENDS:
        raise RateLimited(wait_seconds=policy.round_wait((challenge.expires_at - now).total_seconds()))
    if extra:
        charges = limits.extra_charges(project_id=project.id, phone=challenge.phone, address=address)
    else:
        charges = limits.start_charges(
            project_id=project.id,
            phone=challenge.phone,
            address=address,
            resend_after_seconds=project.resend_after_seconds,
            may_fall_back=False,
        )
    limiter.charge(charges)


def _raise_unless_pending(challenge: Challenge, now: datetime) -> None:
    if challenge.verified_at:
        raise ChallengeConsumed(repeated=False)
    if challenge.attempts >= challenge.max_attempts:
        raise ChallengeLocked
    if challenge.ended_at or challenge.expires_at <= now:
        raise ChallengeExpired
