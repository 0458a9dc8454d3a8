"""Asking again: the same code on the channel in use, or on the one that the user chose."""

import uuid
from collections.abc import Mapping, Sequence
from datetime import datetime
from functools import partial
from typing import Any

import structlog
from django.db import transaction
from django.utils import timezone

from abuse import charges
from abuse.errors import RateLimited, Unavailable
from abuse.limiter import round_wait
from channels import rehearsals
from channels.senders import senders
from channels.types import Channel, Status
from core.errors import DomainError
from otp import charging, policy, queue
from otp.errors import ChallengeNotFound, ChannelNotAllowed, error_of
from otp.models import Challenge, Delivery
from otp.routes import route_of
from otp.types import Cause
from projects.config import ProjectConfig, projects

log = structlog.get_logger(__name__)


def resend(*, challenge_id: uuid.UUID, address: str, channel: Channel | None = None) -> None:
    """Send the same code again: on the channel in use, or on the one that the user chose.

    Raises ChallengeNotFound, ChallengeExpired, ChallengeConsumed, ChallengeLocked, ChannelNotAllowed, RateLimited,
    Unavailable.
    """
    try:
        _resend(challenge_id, address=address, channel=channel)
    except DomainError as error:
        log.info("challenge.resend_refused", challenge_id=str(challenge_id), why=error.code)
        raise


def _resend(challenge_id: uuid.UUID, *, address: str, channel: Channel | None) -> None:
    now = timezone.now()
    with transaction.atomic():
        challenge, project = _open_challenge(challenge_id, now)
        earlier = list(Delivery.objects.filter(challenge_id=challenge_id).order_by("id"))
        target = channel or Channel(earlier[-1].channel)
        if target not in route_of(project, challenge.phone).channels:
            raise ChannelNotAllowed
        same = [item for item in earlier if item.channel == target]
        if _sends_nothing(challenge) or _is_double_submit(same, now):
            return
        failed = [item.sender_id for item in same if item.status == Status.FAILED]
        # Before anything is charged: what cannot be sent uses nothing up.
        sender_id = None if challenge.is_test else _sender_id(challenge, project, target, failed, now)
        _charge_resend(challenge, project=project, address=address, extra=not same, now=now)
        cause = Cause.RESEND if same else Cause.SWITCH
        chosen = channel is not None or earlier[-1].chosen
        values = {"channel": target, "number": len(same) + 1, "cause": cause, "chosen": chosen}
        _add_message(challenge, values | {"sender_id": sender_id}, now=now)
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


def _add_message(challenge: Challenge, values: Mapping[str, Any], *, now: datetime) -> None:
    """Queue a delivery with these values; from now on the sweep follows the new message only."""
    added = Delivery.add(now=now, challenge=challenge, **values)
    transaction.on_commit(lambda: queue.enqueue_send(added.id))
    Delivery.objects.filter(challenge=challenge).exclude(id=added.id).update(due_at=None)


def _sender_id(
    challenge: Challenge,
    project: ProjectConfig,
    channel: Channel,
    failed: Sequence[uuid.UUID | None],
    now: datetime,
) -> uuid.UUID:
    """Of another sender than those that `failed`, where there is one."""
    first = route_of(project, challenge.phone).sender
    choose = partial(senders.get().choose, project.id, channel, now=now, first=first)
    sender = choose(without=failed) or choose()
    if sender is None:
        raise Unavailable("no sender for this channel")
    return sender.id


def _sends_nothing(challenge: Challenge) -> bool:
    """A test number has its fixed code; only a rehearsal has messages."""
    return challenge.is_test and rehearsals.running(challenge.project_id, challenge.phone) is None


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
    if challenge.is_test:
        return
    sending = charging.sending_of(challenge, project=project, address=address)
    if extra:
        charging.charge(sending, lambda relief: charges.switch(sending, relief=relief))
        return
    base = project.resend_after_seconds
    charging.charge(sending, lambda relief: charges.resend(sending, resend_after_seconds=base, relief=relief))
