"""What providers report: stored set-wise, then acted on."""

from collections.abc import Sequence

import structlog
from django.db import transaction
from django.utils import timezone

from channels.types import Disavowal, StatusUpdate
from otp import bell, transitions
from otp.models import Delivery, EndReason
from otp.store import updates

log = structlog.get_logger(__name__)


def record_status_updates(reports: Sequence[StatusUpdate]) -> None:
    """Store what a provider reports, in any order and number; commits before it returns, then rings for failures."""
    failed = updates.record(reports, now=timezone.now())
    for item in failed:
        transaction.on_commit(lambda delivery_id=item.delivery_id: bell.ring_fall_back(delivery_id))  # type: ignore[misc] # a default, not an argument
    log.info("reports.recorded", received=len(reports), failed=len(failed))


def revoke_disavowed(disavowals: Sequence[Disavowal]) -> None:
    """End the challenges whose receivers say that they did not ask for a code."""
    for item in disavowals:
        found = Delivery.objects.filter(
            provider_message_id=item.provider_message_id, sender_id__in=item.sender_ids
        ).exclude(provider_message_id="")
        challenge_ids = list(found.values_list("challenge_id", flat=True))
        if challenge_ids:
            log.warning(
                "challenge.disavowed", challenge_ids=[str(challenge_id) for challenge_id in challenge_ids]
            )
            transitions.end_challenges(challenge_ids, reason=EndReason.DISAVOWED)
