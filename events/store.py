"""Writing events: one statement on PostgreSQL, however many and for however many endpoints."""

import json
import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from django.db import connection, transaction

from events.models import Endpoint, Event, EventType


@dataclass(frozen=True, kw_only=True)
class NewEvent:
    id: uuid.UUID
    endpoint_id: uuid.UUID
    body: str


# Who asks may know an endpoint that is gone or switched off by now: no reason for a login to fail. The lock keeps one
# that is there until the event is committed; it is the lock of every foreign key.
_INSERT = """
INSERT INTO events_event (id, endpoint_id, type, body, created_at, due_at, tries, delivered_at, outcome)
SELECT e.id, p.id, %(type)s, e.body, %(now)s, %(now)s, 0, NULL, ''
FROM json_to_recordset(%(events)s::json) AS e(id uuid, endpoint_id uuid, body text)
JOIN events_endpoint p ON p.id = e.endpoint_id WHERE p.is_active FOR KEY SHARE OF p
"""


def insert(events: Sequence[NewEvent], *, kind: EventType, now: datetime) -> int:
    """Put them into the outbox, due at once; how many. Endpoints that are no more get nothing."""
    if connection.vendor != "postgresql":
        return _portable(events, kind=kind, now=now)
    rows = [
        {"id": str(event.id), "endpoint_id": str(event.endpoint_id), "body": event.body} for event in events
    ]
    with connection.cursor() as cursor:
        cursor.execute(_INSERT, {"type": kind.value, "now": now, "events": json.dumps(rows)})
        return int(cursor.rowcount)


def _portable(events: Sequence[NewEvent], *, kind: EventType, now: datetime) -> int:
    with transaction.atomic(savepoint=False):
        named = {event.endpoint_id for event in events}
        active = set(Endpoint.objects.filter(id__in=named, is_active=True).values_list("id", flat=True))
        added = Event.objects.bulk_create(
            Event(
                id=event.id,
                endpoint_id=event.endpoint_id,
                type=kind.value,
                body=event.body,
                created_at=now,
                due_at=now,
            )
            for event in events
            if event.endpoint_id in active
        )
    return len(added)
