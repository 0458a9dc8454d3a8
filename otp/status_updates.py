"""What providers report: stored set-wise, then acted on."""

import uuid
from collections.abc import Iterable, Sequence
from contextlib import nullcontext
from datetime import UTC, datetime
from operator import sub

import structlog
from django.db import connection, transaction
from django.utils import timezone

from channels.breaker import Source
from channels.errors import MEANINGS
from channels.senders import senders
from channels.types import Disavowal, FailureReason, Status, StatusUpdate, TemplateRefusal
from core import metrics
from core.coalescing import Coalescer
from core.ids import seconds_of_text
from events import sender_events
from events import services as events
from events.models import EventType
from otp import project_events, queue
from otp.cancel import end_challenges
from otp.models import Delivery
from otp.store import updates
from otp.store.updates import Alike
from otp.types import EndReason

log = structlog.get_logger(__name__)

# A batch that moves more deliveries than this is logged as a whole: a line each would cost more than storing them.
_MOST_LINES = 100
# So many reports of several posts are stored at once, each of which then has its lines in the log.
_MOST_TOGETHER = _MOST_LINES


def record_status_updates(reports: Sequence[StatusUpdate]) -> None:
    """Store what a provider reports, in any order and number; commits before it returns, then enqueues failures.

    Providers post most reports one by one: those that arrive at the same time are stored by one statement.
    """
    if len(reports) > _MOST_TOGETHER or connection.in_atomic_block:
        _record(reports)
    else:
        _record_together(reports)


def _record(reports: Sequence[StatusUpdate]) -> None:
    is_reported = any(item.status is Status.FAILED for item in reports) and events.is_wanted(
        EventType.DELIVERY_FAILED
    )
    with transaction.atomic() if is_reported else nullcontext():
        groups = updates.record(reports, now=timezone.now())
        failed = [group for group in groups if group.status is Status.FAILED]
        if is_reported:
            project_events.reported_failed(failed)
    for group in failed:
        for key in map(uuid.UUID, group.delivery_ids):
            transaction.on_commit(lambda delivery_id=key: queue.enqueue_fallback(delivery_id))  # type: ignore[misc] # a default, not an argument
    _count(groups)
    _note_health(groups)
    _log(reports, groups, failed)


_record_together = Coalescer(_record, most=_MOST_TOGETHER)


def sender_of(delivery_id: str) -> uuid.UUID | None:
    """Whose message it is, by our id of the delivery; None: nobody's that is known."""
    return Delivery.objects.filter(id=delivery_id).values_list("sender_id", flat=True).first()


def _count(groups: Iterable[Alike]) -> None:
    now, known = timezone.now().timestamp(), senders.get().by_id
    for group in groups:
        sender = known.get(group.sender_id)
        channel, provider, word = group.channel, sender.provider if sender else "", group.status.word
        metrics.DELIVERIES.labels(channel, provider, word, group.reason or "").inc(len(group.times))
        metrics.observe_many(metrics.WEBHOOK_LAG.labels(channel), [now - at for at in group.times])
        if group.status in (Status.SENT, Status.DELIVERED):
            started = map(seconds_of_text, group.challenge_ids)
            metrics.observe_many(metrics.SINCE_START.labels(word, channel), map(sub, group.times, started))


def _log(reports: Sequence[StatusUpdate], groups: Sequence[Alike], failed: Sequence[Alike]) -> None:
    """A line for each delivery that moved, and one for the batch unless that line says it all."""
    number = sum(len(group.delivery_ids) for group in groups)
    for group in groups if number <= _MOST_LINES else ():
        for delivery_id, challenge_id in zip(group.delivery_ids, group.challenge_ids, strict=True):
            log.info(
                "delivery.reported",
                delivery_id=delivery_id,
                challenge_id=challenge_id,
                channel=group.channel,
                status=group.status.word,
                reason=group.reason or "",
                provider_code=group.provider_code,
            )
    if not len(reports) == number == 1:
        failures = sum(len(group.delivery_ids) for group in failed)
        log.info("reports.recorded", received=len(reports), moved=number, failed=failures)


def _note_health(groups: Sequence[Alike]) -> None:
    """Note each sender's health once for a batch, in which failures outweigh successes."""
    blamed: dict[uuid.UUID, Alike] = {}
    unexplained: dict[uuid.UUID, Alike] = {}
    refused: dict[tuple[uuid.UUID, str], Alike] = {}
    for group in groups:
        if group.status is not Status.FAILED:
            continue
        reason = group.reason or FailureReason.UNKNOWN
        meaning = MEANINGS[reason]
        if meaning.sender:
            blamed[group.sender_id] = group
        elif meaning.template:
            refused[group.sender_id, group.template_language] = group
        elif meaning.unexplained:
            unexplained[group.sender_id] = group
    _note_successes(group for group in groups if group.sender_id not in blamed)
    for group in (*blamed.values(), *unexplained.values()):
        reason, code = group.reason or FailureReason.UNKNOWN, group.provider_code
        sender_events.failed(group.sender_id, source=Source.REPORT, reason=reason, provider_code=code)
    for group in refused.values():
        _note_template(group)


def _note_successes(groups: Iterable[Alike]) -> None:
    """Of unhealthy senders; success of a healthy one changes nothing."""
    arrived: dict[uuid.UUID, bool] = {}
    for group in groups:
        if group.status is not Status.FAILED and group.is_unhealthy:
            has_arrived = group.status >= Status.DELIVERED
            arrived[group.sender_id] = arrived.get(group.sender_id, False) or has_arrived
    for sender_id, has_arrived in arrived.items():
        sender_events.succeeded(sender_id, source=Source.REPORT, arrived=has_arrived)


def _note_template(group: Alike) -> None:
    """Meta accepted the messages and dropped them for their template: skip the language, the sender is healthy."""
    refusal = TemplateRefusal(
        language=group.template_language,
        reason=group.reason or FailureReason.UNKNOWN,
        provider_code=group.provider_code,
    )
    at = datetime.fromtimestamp(max(group.times), UTC)
    sender_events.templates_refused(group.sender_id, [refusal], at=at)


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
