"""End challenges without a login: nothing more is sent and no code is accepted."""

import uuid
from collections.abc import Collection

import structlog
from django.db import transaction
from django.utils import timezone

from core import metrics
from otp.models import Challenge, Delivery
from otp.types import EndReason

log = structlog.get_logger(__name__)


def cancel(*, challenge_id: uuid.UUID) -> None:
    """The person gave up or wants another number. Safe to repeat."""
    end_challenges([challenge_id], reason=EndReason.CANCELLED)


def end_challenges(challenge_ids: Collection[uuid.UUID], *, reason: EndReason) -> None:
    """End those of the challenges that are open. Safe to repeat."""
    with transaction.atomic():
        ended = Challenge.objects.filter(id__in=challenge_ids, verified_at=None, ended_at=None).update(
            ended_at=timezone.now(), end_reason=reason.value
        )
        Delivery.objects.filter(challenge_id__in=challenge_ids).update(due_at=None)
    if ended:
        metrics.ENDED.labels(reason.value).inc(ended)
        log.info("challenge.ended", challenge_ids=[str(item) for item in challenge_ids], reason=reason.value)
