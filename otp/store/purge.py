"""The removal of what is past its time, a batch at a time. Rows that somebody holds are passed over."""

import uuid
from datetime import datetime

from django.db import transaction

from otp.models import Challenge, Delivery, DeliveryEvent, PhoneRecord
from otp.store.sql import is_postgres, rows

# Keys carry their time, so the oldest rows are found without reading the young ones. A challenge goes with all its
# children in one statement; somebody who is at one of them (a late report) keeps it until the next time.
_CHALLENGES = """
WITH old AS (
  SELECT id FROM otp_challenge WHERE id < %(before)s ORDER BY id LIMIT %(batch)s FOR UPDATE SKIP LOCKED
), deliveries AS (
  DELETE FROM otp_delivery d USING old WHERE d.challenge_id = old.id RETURNING d.id
), events AS (
  DELETE FROM otp_deliveryevent e USING deliveries d WHERE e.delivery_id = d.id
), gone AS (
  DELETE FROM otp_challenge c USING old WHERE c.id = old.id RETURNING 1
)
SELECT count(*) FROM gone
"""
_PHONES = """
WITH old AS (
  SELECT id FROM otp_phonerecord WHERE updated_at < %(before)s ORDER BY updated_at LIMIT %(batch)s
  FOR UPDATE SKIP LOCKED
), gone AS (
  DELETE FROM otp_phonerecord r USING old WHERE r.id = old.id RETURNING 1
)
SELECT count(*) FROM gone
"""


def challenges(*, before: uuid.UUID, batch: int) -> int:
    """Delete at most `batch` challenges older than the key `before`, with deliveries and events; how many."""
    if is_postgres():
        return int(rows(_CHALLENGES, {"before": before, "batch": batch})[0][0])
    with transaction.atomic():
        old = list(
            Challenge.objects.filter(id__lt=before).order_by("id").values_list("id", flat=True)[:batch]
        )
        deliveries = Delivery.objects.filter(challenge_id__in=old)
        DeliveryEvent.objects.filter(delivery_id__in=list(deliveries.values_list("id", flat=True))).delete()
        deliveries.delete()
        Challenge.objects.filter(id__in=old).delete()
    return len(old)


def phone_records(*, before: datetime, batch: int) -> int:
    """Delete at most `batch` records of numbers of which nothing was heard since `before`; how many."""
    if is_postgres():
        return int(rows(_PHONES, {"before": before, "batch": batch})[0][0])
    old = (
        PhoneRecord.objects.filter(updated_at__lt=before).order_by("updated_at").values_list("pk", flat=True)
    )
    gone, _ = PhoneRecord.objects.filter(pk__in=list(old[:batch])).delete()
    return gone
