"""How long records are kept, and their removal in bounded batches."""

from datetime import timedelta

from django.utils import timezone

from otp.models import Challenge, Delivery, DeliveryEvent, PhoneRecord
from projects.ids import oldest_id_at

# Long enough for support to look into last month's complaints; deliveries and events go with their challenge.
CHALLENGES_KEPT = timedelta(days=30)
# A number without a wrong guess for this long starts afresh.
PHONE_RECORDS_KEPT = timedelta(days=30)
BATCH = 1000


def purge(*, batch: int = BATCH) -> int:
    """Delete at most `batch` challenges and phone records that are past their time; how many challenges went."""
    now = timezone.now()
    # Keys carry their time, so the oldest rows are found without reading the young ones.
    before = oldest_id_at(now - CHALLENGES_KEPT)
    old = list(Challenge.objects.filter(id__lt=before).order_by("id").values_list("id", flat=True)[:batch])
    deliveries = Delivery.objects.filter(challenge_id__in=old)
    DeliveryEvent.objects.filter(delivery_id__in=list(deliveries.values_list("id", flat=True))).delete()
    deliveries.delete()
    Challenge.objects.filter(id__in=old).delete()
    stale = PhoneRecord.objects.filter(updated_at__lt=now - PHONE_RECORDS_KEPT).values_list("pk", flat=True)[
        :batch
    ]
    PhoneRecord.objects.filter(pk__in=list(stale)).delete()
    return len(old)
