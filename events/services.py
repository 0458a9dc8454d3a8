"""Writing events into the outbox, and posting what is due. An event is posted at least once; its id tells repeats."""

import json
import time
import uuid
from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta

import structlog
from django.db import transaction
from django.utils import timezone

from events import policy, signing, store
from events.models import Endpoint, Event, EventType
from events.outbox import Outbox, post
from events.subscriptions import subscriptions
from projects import batches
from projects.ids import new_id, oldest_id_at
from projects.secrets import UnreadableSecret

log = structlog.get_logger(__name__)

GONE = 410  # Standard Webhooks: the endpoint wants no more

type News = tuple[uuid.UUID, Mapping[str, object]]  # whom it concerns, and the event's `data`


def is_wanted(type: EventType, *, project_id: uuid.UUID | None = None) -> bool:  # noqa: A002 # the word of the field
    """Whether an endpoint of this project, or of any, wants such events. Asks nobody."""
    wanted = subscriptions.recent()
    return type.value in wanted.types if project_id is None else bool(wanted.endpoints(project_id, type))


def record(*, type: EventType, project_ids: Iterable[uuid.UUID], data: Mapping[str, object]) -> int:  # noqa: A002 # as above
    """Put an event into the outbox of every endpoint of these projects that wants it; how many. Joins the caller's
    transaction, so an event is there exactly when what it tells of is."""
    return record_each(type=type, news=((project_id, data) for project_id in project_ids))


def record_each(*, type: EventType, news: Iterable[News]) -> int:  # noqa: A002 # as above
    """As `record`, for many events that each concern one project: one statement for all of them."""
    wanted, now = subscriptions.recent(), timezone.now()
    events = [
        store.NewEvent(id=new_id(), endpoint_id=endpoint_id, body=_body(type, data, now))
        for project_id, data in news
        for endpoint_id in wanted.endpoints(project_id, type)
    ]
    return store.insert(events, kind=type, now=now) if events else 0


def _body(kind: EventType, data: Mapping[str, object], now: datetime) -> str:
    return json.dumps({"type": kind.value, "timestamp": now.isoformat(), "data": data}, ensure_ascii=False)


class _Events(Outbox[Event]):
    model, target, final = Event, "endpoint_id", frozenset({GONE})

    def next_try(self, tries: int) -> timedelta | None:
        return policy.next_try(tries)

    def send(self, row: Event) -> tuple[str, int]:
        try:
            endpoint = Endpoint.objects.get(id=row.endpoint_id)
            headers = signing.headers(
                secret=endpoint.secret, event_id=row.id, timestamp=int(time.time()), body=row.body
            )
        except (UnreadableSecret, ValueError):
            return "unreadable secret", 0
        return post(endpoint.url, content=row.body.encode(), headers=headers)

    def tell(self, row: Event, *, status: int, outcome: str, taken: bool, again: bool) -> None:
        if status == GONE:
            _shut(row.endpoint_id)
        if not taken:
            line = log.warning if again else log.error
            line("event.not_delivered", event_id=str(row.id), type=row.type, outcome=outcome, again=again)


outbox = _Events()
post_due = outbox.post_due


def _shut(endpoint_id: uuid.UUID) -> None:
    """It wants no more: every process is told, and what waits for it is let go."""
    with transaction.atomic():
        Endpoint.objects.filter(id=endpoint_id).update(is_active=False)
        Event.objects.filter(endpoint_id=endpoint_id, due_at__isnull=False).update(due_at=None)
        Endpoint.announce()


def replay(event_ids: Iterable[uuid.UUID]) -> int:
    """Post these once more, from the beginning of their tries; how many. Endpoints that are off stay off."""
    return outbox.replay(Event.objects.filter(id__in=list(event_ids), endpoint__is_active=True))


def purge(*, seconds: float | None = None, batch: int = 1000) -> dict[str, int]:
    """Delete events that are past their time."""
    before = oldest_id_at(timezone.now() - policy.KEPT)

    def some(size: int) -> int:
        keys = list(Event.objects.filter(id__lt=before).order_by("id").values_list("id", flat=True)[:size])
        return Event.objects.filter(id__in=keys).delete()[0]

    return {"events": batches.run(some, batch=batch, seconds=seconds)}
