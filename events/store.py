"""Insert events: one statement on PostgreSQL for any number of events and endpoints."""

import json
import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from django.db import transaction

from core import sql
from events.models import Endpoint, Event, EventType


@dataclass(frozen=True, kw_only=True)
class NewEvent:
    id: uuid.UUID
    endpoint_id: uuid.UUID
    body: str


_INSERT = sql.load(Path(__file__).with_name("insert.sql"))


def insert(events: Sequence[NewEvent], *, kind: EventType, now: datetime) -> int:
    """Add events to the outbox, due at once, and return how many. Skips endpoints that are deleted or inactive."""
    if not sql.is_postgres():
        return _portable(events, kind=kind, now=now)
    rows = [
        {"id": str(event.id), "endpoint_id": str(event.endpoint_id), "body": event.body} for event in events
    ]
    return sql.run(_INSERT, {"type": kind.value, "now": now, "events": json.dumps(rows)})


def _portable(events: Sequence[NewEvent], *, kind: EventType, now: datetime) -> int:
    with transaction.atomic(savepoint=False):
        endpoint_ids = {event.endpoint_id for event in events}
        active = set(
            Endpoint.objects.filter(id__in=endpoint_ids, is_active=True).values_list("id", flat=True)
        )
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
