"""Small steps that several services share: queue one more message, end challenges."""

import uuid
from collections.abc import Collection
from datetime import datetime

import structlog
from django.db import transaction
from django.utils import timezone

from channels.types import Channel
from otp import bell, policy
from otp.models import Cause, Challenge, Delivery, EndReason
from projects import metrics

log = structlog.get_logger(__name__)


def is_pending(challenge: Challenge, now: datetime) -> bool:
    """Whether it can still be answered."""
    return policy.is_pending(
        verified_at=challenge.verified_at,
        ended_at=challenge.ended_at,
        expires_at=challenge.expires_at,
        attempts_left=challenge.max_attempts - challenge.attempts,
        now=now,
    )


def add_delivery(
    challenge_id: uuid.UUID,
    *,
    channel: Channel,
    number: int,
    cause: Cause,
    chosen: bool,
    sender_id: uuid.UUID,
    now: datetime,
) -> uuid.UUID:
    """Queue one more message of a challenge and ring once this is committed."""
    added = Delivery.objects.create(
        challenge_id=challenge_id,
        channel=channel,
        number=number,
        cause=cause,
        chosen=chosen,
        sender_id=sender_id,
        created_at=now,
        send_after=now,
        due_at=now + policy.RING_GRACE,
        status_at=now,
    )
    transaction.on_commit(lambda: bell.ring_send(added.id))
    return added.id


def end_challenges(challenge_ids: Collection[uuid.UUID], *, reason: EndReason) -> None:
    """End open challenges without a login: nothing more is sent and no code is accepted. Safe to repeat."""
    with transaction.atomic():
        ended = Challenge.objects.filter(id__in=challenge_ids, verified_at=None, ended_at=None).update(
            ended_at=timezone.now(), end_reason=reason
        )
        Delivery.objects.filter(challenge_id__in=challenge_ids).update(due_at=None)
    if ended:
        metrics.ENDED.labels(reason.value).inc(ended)
        log.info("challenge.ended", challenge_ids=[str(item) for item in challenge_ids], reason=reason.value)
