"""Write events into the outbox and post them. An event is posted at least once; its id identifies repeats."""

import json
import time
import uuid
from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta

import structlog
from django.db import transaction
from django.utils import timezone

from core import batches
from core.config_models import ConfigVersion
from core.fields import UnreadableSecret
from core.ids import new_id, oldest_id_at
from core.outbox import Outbox, post
from events import policy, signing, store
from events.models import Endpoint, Event, EventType
from events.subscriptions import subscriptions

log = structlog.get_logger(__name__)

GONE = 410  # Standard Webhooks: the endpoint no longer wants events
_OFF = -1  # instead of a status: nothing was posted, because staff switched the endpoint off or deleted it

type ProjectData = tuple[uuid.UUID, Mapping[str, object]]  # the project, and the event's `data`


def is_wanted(type: EventType, *, project_id: uuid.UUID | None = None) -> bool:  # noqa: A002 # Standard Webhooks' word
    """Whether an endpoint of this project, or of any, subscribes to such events. Reads memory only."""
    current = subscriptions.get()
    return type.value in current.types if project_id is None else bool(current.endpoints(project_id, type))


def record(*, type: EventType, project_ids: Iterable[uuid.UUID], data: Mapping[str, object]) -> int:  # noqa: A002 # as above
    """Add an event for every endpoint of these projects that subscribes to it, and return how many. Runs in the
    caller's transaction, so that the event is stored together with what it reports."""
    return record_each(type=type, items=((project_id, data) for project_id in project_ids))


def record_each(*, type: EventType, items: Iterable[ProjectData]) -> int:  # noqa: A002 # as above
    """As `record`, for many events of one project each: one statement for all of them."""
    current, now = subscriptions.get(), timezone.now()
    events = [
        store.NewEvent(id=new_id(), endpoint_id=endpoint_id, body=_body(type, data, now))
        for project_id, data in items
        for endpoint_id in current.endpoints(project_id, type)
    ]
    return store.insert(events, kind=type, now=now) if events else 0


def _body(kind: EventType, data: Mapping[str, object], now: datetime) -> str:
    return json.dumps({"type": kind.value, "timestamp": now.isoformat(), "data": data}, ensure_ascii=False)


class _Events(Outbox[Event]):
    model, target, final = Event, "endpoint_id", frozenset({GONE, _OFF})

    def next_try(self, tries: int) -> timedelta | None:
        return policy.next_try(tries)

    def send(self, row: Event) -> tuple[str, int]:
        try:
            endpoint = Endpoint.objects.filter(id=row.endpoint_id, is_active=True).first()
            if endpoint is None:
                return "switched off", _OFF
            headers = signing.headers(
                secret=endpoint.secret, event_id=row.id, timestamp=int(time.time()), body=row.body
            )
        except (UnreadableSecret, ValueError):
            return "unreadable secret", 0
        return post(endpoint.url, content=row.body.encode(), headers=headers)

    def tell(self, row: Event, *, status: int, outcome: str, taken: bool, again: bool) -> None:
        if status == GONE:
            _deactivate(row.endpoint_id)
        if not taken:
            line = log.info if status == _OFF else log.warning if again else log.error
            line("event.not_delivered", event_id=str(row.id), type=row.type, outcome=outcome, again=again)


outbox = _Events()
post_due = outbox.post_due


def _deactivate(endpoint_id: uuid.UUID) -> None:
    """Switch the endpoint off in every process and cancel its pending events."""
    with transaction.atomic():
        Endpoint.objects.filter(id=endpoint_id).update(is_active=False)
        Event.objects.filter(endpoint_id=endpoint_id, due_at__isnull=False).update(due_at=None)
        ConfigVersion.bump()


def replay(event_ids: Iterable[uuid.UUID]) -> int:
    """Post these again with a fresh set of tries and return how many. Skips inactive endpoints."""
    return outbox.replay(Event.objects.filter(id__in=list(event_ids), endpoint__is_active=True))


def purge(*, seconds: float | None = None, batch: int = 1000) -> dict[str, int]:
    """Delete old events."""
    before = oldest_id_at(timezone.now() - policy.KEPT)

    def delete_some(size: int) -> int:
        keys = list(Event.objects.filter(id__lt=before).order_by("id").values_list("id", flat=True)[:size])
        return Event.objects.filter(id__in=keys).delete()[0]

    return {"events": batches.run(delete_some, batch=batch, seconds=seconds)}
