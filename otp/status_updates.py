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
from channels.types import Disavowal, FailureReason, Status, StatusUpdate, TemplateRefusal
from core import metrics
from events import sender_events
from events import services as events
from events.models import EventType
from otp import project_events, queue
from otp.cancel import end_challenges
from otp.models import Delivery
from otp.store import updates
from otp.types import EndReason

log = structlog.get_logger(__name__)

# A batch that moves more deliveries than this is logged as a whole: a line each would cost more than storing them.
_MOST_LINES = 100


def record_status_updates(reports: Sequence[StatusUpdate]) -> None:
    """Store what a provider reports, in any order and number; commits before it returns, then enqueues failures."""
    is_reported = any(item.status is Status.FAILED for item in reports) and events.is_wanted(
        EventType.DELIVERY_FAILED
    )
    with transaction.atomic() if is_reported else nullcontext():
        moved = updates.record(reports, now=timezone.now())
        failed = [item for item in moved if item.status is Status.FAILED]
        if is_reported:
            project_events.reported_failed(failed)
    for item in failed:
        transaction.on_commit(lambda delivery_id=item.delivery_id: queue.enqueue_fallback(delivery_id))  # type: ignore[misc] # a default, not an argument
    _count(moved)
    _note_health(moved)
    log.info("reports.recorded", received=len(reports), moved=len(moved), failed=len(failed))


def sender_of(delivery_id: uuid.UUID) -> uuid.UUID | None:
    """Whose message it is, by our id of the delivery; None: nobody's that is known."""
    return Delivery.objects.filter(id=delivery_id).values_list("sender_id", flat=True).first()


def _count(moved: Sequence[updates.Moved]) -> None:
    now, known = timezone.now(), senders.get().by_id
    for item in moved:
        sender = known.get(item.sender_id)
        provider = sender.provider if sender else ""
        word = item.status.word
        metrics.DELIVERIES.labels(item.channel, provider, word, item.reason or "").inc()
        metrics.WEBHOOK_LAG.labels(item.channel).observe(max((now - item.status_at).total_seconds(), 0.0))
        if item.status in (Status.SENT, Status.DELIVERED):
            metrics.reached(
                stage=word, channel=item.channel, challenge_id=item.challenge_id, at=item.status_at
            )
    if len(moved) <= _MOST_LINES:
        _log_each(moved)


def _log_each(moved: Sequence[updates.Moved]) -> None:
    for item in moved:
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
    """Note each sender's health once for a batch, in which failures outweigh successes."""
    blamed: dict[uuid.UUID, updates.Moved] = {}
    unexplained: dict[uuid.UUID, updates.Moved] = {}
    refused: dict[tuple[uuid.UUID, str], updates.Moved] = {}
    for item in moved:
        meaning = MEANINGS[item.reason or FailureReason.UNKNOWN]
        if item.status is not Status.FAILED:
            continue
        if meaning.sender:
            blamed[item.sender_id] = item
        elif meaning.template:
            refused[item.sender_id, item.template_language] = item
        elif meaning.unexplained:
            unexplained[item.sender_id] = item
    _note_successes([item for item in moved if item.is_unhealthy and item.sender_id not in blamed])
    for item in (*blamed.values(), *unexplained.values()):
        reason = item.reason or FailureReason.UNKNOWN
        sender_events.failed(
            item.sender_id, source=Source.REPORT, reason=reason, provider_code=item.provider_code
        )
    for item in refused.values():
        _note_template(item)


def _note_successes(moved: Sequence[updates.Moved]) -> None:
    """Of unhealthy senders; success of a healthy one changes nothing."""
    arrived = {item.sender_id for item in moved if item.status >= Status.DELIVERED}
    for sender_id in {item.sender_id for item in moved if item.status is not Status.FAILED}:
        sender_events.succeeded(sender_id, source=Source.REPORT, arrived=sender_id in arrived)


def _note_template(item: updates.Moved) -> None:
    """Meta accepted the message and dropped it because of its template: skip the language, the sender is healthy."""
    refusal = TemplateRefusal(
        language=item.template_language,
        reason=item.reason or FailureReason.UNKNOWN,
        provider_code=item.provider_code,
    )
    sender_events.templates_refused(item.sender_id, [refusal], at=item.status_at)


def revoke_disavowed(disavowals: Sequence[Disavowal]) -> None:
    """End the challenges whose receivers say that they did not ask for a code."""
    for item in disavowals:
        deliveries = Delivery.objects.filter(
            provider_message_id=item.provider_message_id, sender_id__in=item.sender_ids
        ).exclude(provider_message_id="")
        challenge_ids = list(deliveries.values_list("challenge_id", flat=True))
        if challenge_ids:
            log.warning(
                "challenge.disavowed", challenge_ids=[str(challenge_id) for challenge_id in challenge_ids]
            )
            end_challenges(challenge_ids, reason=EndReason.DISAVOWED)
