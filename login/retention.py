"""Deletion of expired sessions, and of what is left of people who were erased or merged."""

from django.utils import timezone

from core import batches
from login import erasure
from login.models import Session

BATCH = 1000


def _expired(batch: int) -> int:
    keys = Session.objects.filter(expire_date__lt=timezone.now()).order_by("expire_date")
    deleted, _ = Session.objects.filter(pk__in=list(keys.values_list("pk", flat=True)[:batch])).delete()
    return deleted


def purge(*, seconds: float | None = None, batch: int = BATCH) -> dict[str, int]:
    """Delete expired sessions at once: they are of no use. Returns how many rows of each kind went."""
    return {
        "sessions": batches.run(_expired, batch=batch, seconds=seconds),
        "erased users": erasure.finish_all(seconds=seconds),
    }
