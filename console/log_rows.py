"""The delivery log as a table: one line for each message, newest challenge first."""

import uuid
from collections.abc import Iterator, Sequence
from datetime import datetime

from django.db.models import QuerySet
from django.utils import timezone

from channels.types import Status
from otp.models import Challenge, Delivery
from users.phones import mask

BATCH = 500
HEADER = (
    "started_at", "challenge_id", "project", "number", "outcome", "verified_at", "end_reason", "wrong_codes",
    "test_number", "language", "message_id", "channel", "message_number", "cause", "status", "status_at", "reason",
    "provider_code", "template_language", "accepted_at",
)  # fmt: skip


def lines(challenges: QuerySet[Challenge]) -> Iterator[list[object]]:
    """Read a piece at a time, by key: what is inserted or deleted meanwhile does not move it."""
    rows = challenges.order_by("-id").prefetch_related(None).select_related("project")
    last: uuid.UUID | None = None
    while batch := list((rows.filter(id__lt=last) if last else rows)[:BATCH]):
        last, now = batch[-1].id, timezone.now()
        messages = _messages_of(batch)
        for challenge in batch:
            yield from _of(challenge, messages.get(challenge.id, []), now)
        del batch, messages  # before the next piece is read


def _messages_of(batch: Sequence[Challenge]) -> dict[uuid.UUID, list[Delivery]]:
    """By challenge. Not a prefetch: rows that refer to each other stay in memory until a collection."""
    messages: dict[uuid.UUID, list[Delivery]] = {}
    keys = [challenge.id for challenge in batch]
    for delivery in Delivery.objects.filter(challenge_id__in=keys).order_by("id"):
        messages.setdefault(delivery.challenge_id, []).append(delivery)
    return messages


def _of(challenge: Challenge, messages: Sequence[Delivery], now: datetime) -> Iterator[list[object]]:
    first: list[object] = [
        _moment(challenge.created_at), challenge.id, challenge.project.slug, mask(challenge.phone),
        challenge.state(now).value, _moment(challenge.verified_at), challenge.end_reason, challenge.attempts,
        "yes" if challenge.is_test else "no", challenge.language,
    ]  # fmt: skip
    for delivery in messages:
        yield [*first, *_message(delivery)]
    if not messages:
        yield [*first, *[""] * (len(HEADER) - len(first))]


def _message(delivery: Delivery) -> list[object]:
    """Never the provider's message id: WhatsApp's holds the number."""
    return [
        delivery.id, delivery.channel, delivery.number, delivery.cause, Status(delivery.status).word,
        _moment(delivery.status_at), delivery.reason, delivery.provider_code, delivery.template_language,
        _moment(delivery.accepted_at),
    ]  # fmt: skip


def _moment(at: datetime | None) -> str:
    return at.isoformat(timespec="milliseconds") if at else ""
