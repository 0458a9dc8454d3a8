"""The removal of what is past its time, a batch at a time. Locked rows are skipped."""

import uuid
from datetime import datetime
from pathlib import Path

from django.db import transaction
from django.db.models import Exists, OuterRef

from core import sql
from otp.models import Challenge, Delivery, DeliveryEvent, PhoneRecord

_CHALLENGES = sql.load(Path(__file__).with_name("purge_challenges.sql"))
_PHONE_RECORDS = sql.load(Path(__file__).with_name("purge_phone_records.sql"))


def challenges(*, before: uuid.UUID, batch: int) -> int:
    """Delete at most `batch` challenges older than the key `before`, with deliveries and events; how many."""
    count = _challenges(before, batch)
    if count < batch:
        _left_events(before, batch)
    return count


def _challenges(before: uuid.UUID, batch: int) -> int:
    if sql.is_postgres():
        return int(sql.value(_CHALLENGES, {"before": before, "batch": batch}))
    with transaction.atomic():
        old = list(
            Challenge.objects.filter(id__lt=before).order_by("id").values_list("id", flat=True)[:batch]
        )
        deliveries = Delivery.objects.filter(challenge_id__in=old)
        DeliveryEvent.objects.filter(delivery_id__in=list(deliveries.values_list("id", flat=True))).delete()
        deliveries.delete()
        Challenge.objects.filter(id__in=old).delete()
    return len(old)


def _left_events(before: uuid.UUID, batch: int) -> None:
    """Delete events whose delivery went in the moment when they were written. Deliveries that are there are not looked
    through: none is older than the oldest challenge."""
    oldest = Challenge.objects.order_by("id").values_list("id", flat=True).first()
    left = DeliveryEvent.objects.filter(
        ~Exists(Delivery.objects.filter(id=OuterRef("delivery_id"))),
        delivery_id__lt=min(before, oldest or before),
    )
    # In the order of its index: in that of the keys, the planner may look through all events for the few.
    keys = list(left.order_by("delivery_id").values_list("pk", flat=True)[:batch])
    if keys:
        DeliveryEvent.objects.filter(pk__in=keys).delete()


def phone_records(*, before: datetime, batch: int) -> int:
    """Delete at most `batch` records of numbers that have not changed since `before`; how many."""
    if sql.is_postgres():
        return int(sql.value(_PHONE_RECORDS, {"before": before, "batch": batch}))
    old = (
        PhoneRecord.objects.filter(updated_at__lt=before).order_by("updated_at").values_list("pk", flat=True)
    )
    deleted, _ = PhoneRecord.objects.filter(pk__in=list(old[:batch])).delete()
    return deleted
