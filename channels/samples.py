"""A provider's own sample message to one number, and what became of it: Meta's hello_world.

It belongs to no login, so it has no delivery. Its reference begins with a word that no delivery's has: the webhook
tells it apart without asking the database.
"""

import uuid
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db import transaction
from django.utils import timezone

from channels.base import SenderConfig
from channels.errors import SendError
from channels.models import SampleMessage, Sender
from channels.providers import PROVIDERS
from channels.types import FailureReason, Status
from core import http

_PREFIX = "sample:"
_KEPT = 10
# Of one sender, whoever sends: it costs as much as a code.
MOST, WITHIN = 5, timedelta(hours=1)
_MOST_STEPS = 12


class TooMany(Exception):
    """This sender has sent its samples of this hour."""


@dataclass(frozen=True, kw_only=True)
class SampleUpdate:
    """What a signed report tells of a sample."""

    sample_id: uuid.UUID
    sender_ids: tuple[uuid.UUID, ...]
    status: Status
    at: datetime
    reason: str = ""
    code: str = ""


def send(
    sender: SenderConfig, phone: str, phone_masked: str, *, client: http.HttpClient | None = None
) -> SampleMessage:
    """Sends it, and keeps what came of it. Raises TooMany, and LookupError for a provider that has none."""
    setup = PROVIDERS[sender.provider].setup
    if setup is None or setup.greet is None:
        raise LookupError(sender.provider)
    sample = _begin(sender.id, phone_masked)
    try:
        receipt = setup.greet(sender, phone, f"{_PREFIX}{sample.pk}", client or http.shared())
    except SendError as error:
        _add(sample.pk, Status.FAILED, timezone.now(), reason=error.reason.value, code=error.provider_code)
    except http.AnswerLost:
        _add(sample.pk, Status.FAILED, timezone.now(), reason=FailureReason.UNAVAILABLE.value)
    else:
        status = Status.ACCEPTED if receipt.provider_message_id else Status.SENDING
        _add(sample.pk, status, timezone.now())
    sample.refresh_from_db()
    return sample


def _begin(sender_id: uuid.UUID, phone_masked: str) -> SampleMessage:
    now = timezone.now()
    with transaction.atomic():
        Sender.locked(sender_id)  # one after the other, so that none is one too many
        rows = SampleMessage.objects.filter(sender_id=sender_id)
        if rows.filter(created_at__gt=now - WITHIN).count() >= MOST:
            raise TooMany
        old = rows.order_by("-created_at").values_list("pk", flat=True)[_KEPT - 1 :]
        SampleMessage.objects.filter(pk__in=list(old)).delete()
        return SampleMessage.objects.create(sender_id=sender_id, phone_masked=phone_masked, created_at=now)


def sample_id(reference: object) -> uuid.UUID | None:
    """The sample that a report's reference names; None for everything else."""
    if not isinstance(reference, str) or not reference.startswith(_PREFIX):
        return None
    try:
        return uuid.UUID(reference.removeprefix(_PREFIX))
    except ValueError:
        return None


def record(updates: Iterable[SampleUpdate]) -> None:
    """Reports of samples, in any order and more than once. One of another sender's sample changes nothing."""
    for update in updates:
        if SampleMessage.objects.filter(pk=update.sample_id, sender_id__in=update.sender_ids).exists():
            _add(update.sample_id, update.status, update.at, reason=update.reason, code=update.code)


def _add(sample_id: uuid.UUID, status: Status, at: datetime, *, reason: str = "", code: str = "") -> None:
    with transaction.atomic():
        sample = SampleMessage.objects.select_for_update().filter(pk=sample_id).first()
        if sample is None or len(sample.steps) >= _MOST_STEPS:
            return
        if all(step["status"] != status.value for step in sample.steps):
            step = {"at": at.isoformat(), "status": status.value, "reason": reason, "code": code}
            sample.steps = [*sample.steps, step]
            sample.save(update_fields=["steps"])


def last(sender_id: uuid.UUID) -> SampleMessage | None:
    return SampleMessage.objects.filter(sender_id=sender_id).order_by("-created_at").first()
