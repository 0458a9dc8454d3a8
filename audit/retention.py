"""How long events are kept, and the one door through which they leave."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta

from django.conf import settings
from django.db import connection, transaction
from django.utils import timezone

from audit.models import AuditEvent
from core import batches, sql
from core.ids import oldest_id_at

BATCH = 1000


@contextmanager
def _door() -> Iterator[None]:
    """A transaction in which the triggers of migration 0001 let rows be deleted."""
    with transaction.atomic(), connection.cursor() as cursor:
        if sql.is_postgres():
            cursor.execute("SET LOCAL authsvc.audit_purge = 'on'")
            yield
            cursor.execute("SET LOCAL authsvc.audit_purge = 'off'")
        else:
            cursor.execute("INSERT INTO audit_purge (is_open) VALUES (1)")
            yield
            cursor.execute("DELETE FROM audit_purge")


def purge(*, seconds: float | None = None, batch: int = BATCH) -> dict[str, int]:
    """Delete the events that are older than AUTHSVC_AUDIT_DAYS. Returns how many."""
    before = oldest_id_at(timezone.now() - timedelta(days=settings.AUTHSVC_AUDIT_DAYS))
    old = AuditEvent.objects.filter(id__lt=before).order_by("id")

    def delete_some(size: int) -> int:
        keys = list(old.values_list("id", flat=True)[:size])
        if not keys:
            return 0
        with _door():
            return AuditEvent.objects.filter(id__in=keys).delete()[0]

    return {"audit_events": batches.run(delete_some, batch=batch, seconds=seconds)}
