"""What providers report: stored set-wise, then acted on."""

import uuid
from collections.abc import Sequence
from contextlib import nullcontext

import structlog
from django.db import transaction
from django.utils import timezone

from channels.breaker import Source
from channels.errors import MEANINGS
from channels.senders import senders
from channels.types import Disavowal, FailureReason, Status, StatusUpdate
from events import sender_news
from events import services as events
from events.models import EventType
from otp import bell, news, transitions
from otp.models import Delivery, EndReason
from otp.store import updates
from projects import metrics

log = structlog.get_logger(__name__)

# A batch that moves more deliveries than this is logged as a whole: a line each would cost more than storing them.
_MOST_LINES = 100


def record_status_updates(reports: Sequence[StatusUpdate]) -> None:
    """Store what a provider reports, in any order and number; commits before it returns, then rings for failures."""
    telling = any(item.status is Status.FAILED for item in reports) and events.is_wanted(
        EventType.DELIVERY_FAILED
    )
    with transaction.atomic() if telling else nullcontext():
        moved = updates.record(reports, now=timezone.now())
        failed = [item for item in moved if item.status is Status.FAILED]
        if telling:
            news.reported_failed(failed)
    for item in failed:
        transaction.on_commit(lambda delivery_id=item.delivery_id: bell.ring_fall_back(delivery_id))  # type: ignore[misc] # a default, not an argument
    _count(moved)
    _note_health(moved)
    log.info("reports.recorded", received=len(reports), moved=len(moved), failed=len(failed))


def _count(moved: Sequence[updates.Moved]) -> None:
    now, known = timezone.now(), senders.last().by_id
    for item in moved:
        sender = known.get(item.sender_id)
        provider = sender.provider.value if sender else ""
        word = item.status.word
        metrics.DELIVERIES.labels(item.channel, provider, word, item.reason or "").inc()
        metrics.WEBHOOK_LAG.labels(item.channel).observe(max((now - item.status_at).total_seconds(), 0.0))
        if item.status in (Status.SENT, Status.DELIVERED):
            metrics.reached(
                stage=word, channel=item.channel, challenge_id=item.challenge_id, at=item.status_at
            )
    for item in moved if len(moved) <= _MOST_LINES else ():
        log.info(
            "delivery.reported",
            delivery_id=str(item.delivery_id),
            challenge_id=str(item.challenge_id),
            channel=item.channel,
            status=item.status.word,
            reason=item.reason or "",
            provider_code=item.provider_code,
        )


def _note_health(moved: Sequence[updates.Moved]) -> None:
    """What the reports say about their senders, once for each; bad news of a batch weighs more than its good news."""
    bad: dict[uuid.UUID, tuple[FailureReason, str]] = {}
    good: set[uuid.UUID] = set()
    for item in moved:
        if item.status is Status.FAILED and item.reason and MEANINGS[item.reason].sender:
            bad[item.sender_id] = (item.reason, item.provider_code)
        elif item.troubled and item.status is not Status.FAILED:
            good.add(item.sender_id)
    for sender_id in good - set(bad):
        sender_news.succeeded(sender_id, source=Source.REPORT)
    for sender_id, (reason, code) in bad.items():
        sender_news.failed(sender_id, source=Source.REPORT, reason=reason, provider_code=code)


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
