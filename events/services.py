"""Writing events into the outbox, and posting what is due. An event is posted at least once; its id tells repeats."""

import json
import time
import uuid
from collections.abc import Iterable, Mapping
from datetime import datetime

import structlog
from django.db import connection, transaction
from django.utils import timezone

from channels import http
from channels.errors import SendError
from events import policy, signing, store
from events.models import Endpoint, Event, EventType
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


# Endpoints that fail slowly, and until when this process leaves them alone: others must not wait behind them.
_hanging: dict[uuid.UUID, datetime] = {}


def post_due(*, seconds: float) -> int:
    """Post what is due, one after the other, for at most `seconds`; how many. Several may run at once."""
    begun, count = time.monotonic(), 0
    while time.monotonic() - begun < seconds:
        event = _claim(timezone.now())
        if event is None:
            break
        _post(event)
        count += 1
    return count


def _claim(now: datetime) -> Event | None:
    """The event that has waited longest, now held by us."""
    with transaction.atomic():
        alone = [endpoint_id for endpoint_id, until in list(_hanging.items()) if now < until]
        due = Event.objects.filter(due_at__lte=now).exclude(endpoint_id__in=alone).order_by("due_at")
        if connection.vendor == "postgresql":
            due = due.select_for_update(skip_locked=True)
        event = due.first()
        if event:
            event.tries += 1
            Event.objects.filter(id=event.id).update(tries=event.tries, due_at=now + policy.LEASE)
    return event


def _post(event: Event) -> None:
    begun = time.monotonic()
    outcome, status = _outcome(event)
    now = timezone.now()
    if 200 <= status < 300:
        Event.objects.filter(id=event.id).update(delivered_at=now, due_at=None, outcome=outcome)
        return
    if time.monotonic() - begun > policy.SLOW.total_seconds():
        _hanging[event.endpoint_id] = now + policy.LEFT_ALONE
    wait = policy.next_try(event.tries) if status != GONE else None
    if status == GONE:
        _shut(event.endpoint_id)
    Event.objects.filter(id=event.id).update(due_at=now + wait if wait else None, outcome=outcome)
    line = log.warning if wait else log.error
    line(
        "event.not_delivered",
        event_id=str(event.id),
        type=event.type,
        outcome=outcome,
        again=wait is not None,
    )


def _shut(endpoint_id: uuid.UUID) -> None:
    """It wants no more: every process is told, and what waits for it is let go."""
    with transaction.atomic():
        Endpoint.objects.filter(id=endpoint_id).update(is_active=False)
        Event.objects.filter(endpoint_id=endpoint_id, due_at__isnull=False).update(due_at=None)
        Endpoint.announce()


def _outcome(event: Event) -> tuple[str, int]:
    """What became of one post, in a word, and its HTTP status (0: none)."""
    try:
        endpoint = Endpoint.objects.get(id=event.endpoint_id)
        headers = signing.headers(
            secret=endpoint.secret, event_id=event.id, timestamp=int(time.time()), body=event.body
        )
        answer = http.shared().post(endpoint.url, content=event.body.encode(), headers=headers)
    except http.AnswerLost:
        return "no answer", 0
    except SendError as error:
        return error.reason.value, 0
    except (UnreadableSecret, ValueError):
        return "unreadable secret", 0
    return str(answer.status), answer.status


def replay(event_ids: Iterable[uuid.UUID]) -> int:
    """Post these once more, from the beginning of their tries; how many. Endpoints that are off stay off."""
    again = Event.objects.filter(id__in=list(event_ids), endpoint__is_active=True)
    return again.update(due_at=timezone.now(), tries=0, delivered_at=None, outcome="")


def purge(*, seconds: float | None = None, batch: int = 1000) -> dict[str, int]:
    """Delete events that are past their time."""
    before = oldest_id_at(timezone.now() - policy.KEPT)

    def some(size: int) -> int:
        keys = list(Event.objects.filter(id__lt=before).order_by("id").values_list("id", flat=True)[:size])
        return Event.objects.filter(id__in=keys).delete()[0]

    return {"events": batches.run(some, batch=batch, seconds=seconds)}
