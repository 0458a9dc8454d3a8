"""How long challenges and what is known of numbers are kept, and their removal."""

from datetime import timedelta

from django.utils import timezone

from otp.store import purge as store
from projects import batches
from projects.ids import oldest_id_at

# Long enough for support to look into last month's complaints; deliveries and events go with their challenge.
CHALLENGES_KEPT = timedelta(days=30)
# A number without a wrong guess, and not asked for on WhatsApp in vain, for this long starts afresh.
PHONE_RECORDS_KEPT = timedelta(days=30)
BATCH = 1000


def purge(*, seconds: float | None = None, batch: int = BATCH) -> dict[str, int]:
    """Delete what is past its time, for at most `seconds` for each kind; how many rows of each kind went."""
    now = timezone.now()
    before = oldest_id_at(now - CHALLENGES_KEPT)
    stale = now - PHONE_RECORDS_KEPT
    return {
        "challenges": batches.run(
            lambda size: store.challenges(before=before, batch=size), batch=batch, seconds=seconds
        ),
        "phone records": batches.run(
            lambda size: store.phone_records(before=stale, batch=size), batch=batch, seconds=seconds
        ),
    }
