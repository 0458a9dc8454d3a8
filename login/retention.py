"""How long sessions are kept after their end, and their removal."""

from django.utils import timezone

from login.models import Session
from projects import batches

BATCH = 1000


def _expired(batch: int) -> int:
    keys = Session.objects.filter(expire_date__lt=timezone.now()).order_by("expire_date")
    gone, _ = Session.objects.filter(pk__in=list(keys.values_list("pk", flat=True)[:batch])).delete()
    return gone


def purge(*, seconds: float | None = None, batch: int = BATCH) -> dict[str, int]:
    """Delete sessions that are over; how many. An expired session opens nothing, so none is kept."""
    return {"sessions": batches.run(_expired, batch=batch, seconds=seconds)}
