"""How long challenges and records of numbers are kept, and their removal."""

from collections.abc import Callable
from datetime import timedelta

from django.utils import timezone

from core import batches
from core.ids import oldest_id_at
from otp import erasing, limit_notices
from otp.store import purge as store

# Long enough for support to look into last month's complaints; deliveries and events go with their challenge.
CHALLENGES_KEPT = timedelta(days=30)
# A record of a number that has not changed for this long is dropped.
PHONE_RECORDS_KEPT = timedelta(days=30)
# A notice is of no use once its window is long past.
NOTICES_KEPT = timedelta(days=1)
BATCH = 1000


def purge(*, seconds: float | None = None, batch: int = BATCH) -> dict[str, int]:
    """Delete what is past its time, for at most `seconds` for each kind; how many rows of each kind went."""
    now = timezone.now()
    oldest = oldest_id_at(now - CHALLENGES_KEPT)
    steps: dict[str, Callable[[int], int]] = {
        "challenges": lambda size: store.challenges(before=oldest, batch=size),
        "phone records": lambda size: store.phone_records(before=now - PHONE_RECORDS_KEPT, batch=size),
        "limit notices": lambda size: limit_notices.purge(before=now - NOTICES_KEPT, batch=size),
        "message ids": lambda _size: erasing.forget_late_message_ids(),
    }
    return {kind: batches.run(step, batch=batch, seconds=seconds) for kind, step in steps.items()}
