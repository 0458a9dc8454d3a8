"""Challenges of a person who is erased: what is counted stays, under a pseudonym; what names the person goes.

Deliveries keep channel, status, reason and times, so that counts and costs stay right. The number, the address, digests
of the form and the browser, and the providers' message ids (WhatsApp's hold the number) go.
"""

import uuid
from collections.abc import Iterator, Sequence

from django.db.models import Q
from django.utils import timezone

from otp.models import Challenge, Delivery, DeliveryEvent, PhoneRecord
from otp.types import EndReason
from users import pseudonyms

_BATCH = 500


def lock(*, project_id: uuid.UUID, phone: str) -> list[uuid.UUID]:
    """The challenges of a number, locked in the order of their keys: whoever types a code waits for the caller's
    transaction. Lock them before the user, as `otp.verify` does."""
    rows = Challenge.objects.filter(project_id=project_id, phone=phone).select_for_update()
    return list(rows.order_by("id").values_list("id", flat=True))


def forget(challenge_ids: Sequence[uuid.UUID], *, project_id: uuid.UUID, phone: str) -> None:
    """End those that are open, and remove the person from all. In the transaction of `lock`."""
    now, pseudonym = timezone.now(), pseudonyms.new()
    for keys in _batches(challenge_ids):
        rows = Challenge.objects.filter(id__in=keys)
        rows.filter(verified_at=None, ended_at=None).update(
            ended_at=now, end_reason=EndReason.CANCELLED.value
        )
        rows.update(phone=pseudonym, address=None, start_key=None, browser="")
        list(
            Delivery.objects.filter(challenge_id__in=keys)
            .select_for_update()
            .order_by("id")
            .values_list("id")
        )
        Delivery.objects.filter(challenge_id__in=keys).update(due_at=None)
        _forget_message_ids(Q(challenge_id__in=keys))
    PhoneRecord.objects.filter(project_id=project_id, phone=phone).delete()


def forget_late_message_ids() -> int:
    """Those that came in with a report after the person was erased, whether or not it raised the status; how many.
    Safe to repeat."""
    return _forget_message_ids(Q(challenge__phone__startswith=pseudonyms.PREFIX))


def _forget_message_ids(condition: Q) -> int:
    deliveries = Delivery.objects.filter(condition)
    events = DeliveryEvent.objects.filter(delivery_id__in=deliveries.values("id"))
    return sum(
        rows.exclude(provider_message_id="").update(provider_message_id="") for rows in (events, deliveries)
    )


def _batches(keys: Sequence[uuid.UUID]) -> Iterator[Sequence[uuid.UUID]]:
    for start in range(0, len(keys), _BATCH):
        yield keys[start : start + _BATCH]
