"""Asking again: the same code on the channel in use, or on the one that the user chose."""

import uuid
from collections.abc import Sequence
from datetime import datetime

import structlog
from django.db import transaction
from django.utils import timezone

from abuse import charges
from abuse.errors import RateLimited, Unavailable
from abuse.limiter import round_wait
from channels.senders import senders
from channels.types import Channel
from otp import charging, policy, queue
from otp.errors import ChallengeNotFound, ChannelNotAllowed, error_of
from otp.models import Challenge, Delivery
from otp.types import Cause
from projects.config import ProjectConfig, projects

log = structlog.get_logger(__name__)


def resend(*, challenge_id: uuid.UUID, address: str, channel: Channel | None = None) -> None:
    """Send the same code again: on the channel in use, or on the one that the user chose.

    Raises ChallengeNotFound, ChallengeExpired, ChallengeConsumed, ChallengeLocked, ChannelNotAllowed, RateLimited,
    Unavailable.
    """
    now = timezone.now()
    with transaction.atomic():
        challenge, project = _open_challenge(challenge_id, now)
        earlier = list(Delivery.objects.filter(challenge_id=challenge_id).order_by("id"))
        target = channel or Channel(earlier[-1].channel)
        if target not in project.channels:
            raise ChannelNotAllowed
        same = [item for item in earlier if item.channel == target]
        if challenge.is_test or _is_double_submit(same, now):
            return
        _charge_resend(challenge, project=project, address=address, extra=not same, now=now)
        cause = Cause.RESEND if same else Cause.SWITCH
        chosen = channel is not None or earlier[-1].chosen
        _add_message(challenge, channel=target, number=len(same) + 1, cause=cause, chosen=chosen, now=now)
        if same:
            challenge.sends += 1
        wait = policy.resend_wait(resend_after_seconds=project.resend_after_seconds, sends=challenge.sends)
        challenge.resend_at = max(challenge.resend_at, now + wait)
        challenge.save(update_fields=["sends", "resend_at"])
    log.info("challenge.resent", challenge_id=str(challenge_id), channel=target, cause=cause.value)


def _open_challenge(challenge_id: uuid.UUID, now: datetime) -> tuple[Challenge, ProjectConfig]:
    """Locked until the transaction ends."""
    challenge = Challenge.objects.select_for_update(no_key=True).filter(id=challenge_id).first()
    if challenge is None:
        raise ChallengeNotFound
    if over := error_of(challenge.state(now)):
        raise over
    project = projects.get().by_id.get(challenge.project_id)
    if project is None:
        raise Unavailable("its project was closed")
    return challenge, project


def _add_message(
    challenge: Challenge, *, channel: Channel, number: int, cause: Cause, chosen: bool, now: datetime
) -> None:
    """Queue it; from now on the sweep follows the new message only."""
    sender = senders.get().for_project(challenge.project_id, channel)
    if sender is None:
        raise Unavailable("no sender for this channel")
    added = Delivery.add(
        now=now,
        challenge=challenge,
        channel=channel,
        number=number,
        cause=cause,
        chosen=chosen,
        sender_id=sender.id,
    )
    transaction.on_commit(lambda: queue.enqueue_send(added.id))
    Delivery.objects.filter(challenge=challenge).exclude(id=added.id).update(due_at=None)


def _is_double_submit(same: Sequence[Delivery], now: datetime) -> bool:
    """A second click, or a click at the very moment of the fallback: that message is under way already."""
    return bool(same) and same[-1].cause != Cause.START and now - same[-1].created_at < policy.DOUBLE_SUBMIT


def _charge_resend(
    challenge: Challenge, *, project: ProjectConfig, address: str, extra: bool, now: datetime
) -> None:
    wait = (challenge.resend_at - now).total_seconds()
    if not extra and wait > 0:
        raise RateLimited(wait_seconds=round_wait(wait))
    if not extra and challenge.sends >= policy.MAX_SENDS:
        raise RateLimited(wait_seconds=round_wait((challenge.expires_at - now).total_seconds()))
    sending = charging.sending_of(challenge, project=project, address=address)
    if extra:
        charging.charge(sending, lambda relief: charges.switch(sending, relief=relief))
        return
    base = project.resend_after_seconds
    charging.charge(sending, lambda relief: charges.resend(sending, resend_after_seconds=base, relief=relief))
