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
from events import policy, signing
from events.models import Endpoint, Event, EventType
from projects import batches
from projects.ids import new_id, oldest_id_at
from projects.secrets import UnreadableSecret

log = structlog.get_logger(__name__)

GONE = 410  # Standard Webhooks: the endpoint wants no more


def record(*, type: EventType, project_ids: Iterable[uuid.UUID], data: Mapping[str, object]) -> int:  # noqa: A002 # the word of the field
    """Put an event into the outbox of every endpoint of these projects that wants it; how many. Joins the caller's
    transaction, so an event is there exactly when what it tells of is."""
    now = timezone.now()
    wanting = [
        endpoint
        for endpoint in Endpoint.objects.filter(project_id__in=list(project_ids), is_active=True).defer(
            "secret"
        )
        if type.value in endpoint.types
    ]
    body = json.dumps({"type": type.value, "timestamp": now.isoformat(), "data": data}, ensure_ascii=False)
    Event.objects.bulk_create(
        Event(id=new_id(), endpoint=endpoint, type=type, body=body, created_at=now, due_at=now)
        for endpoint in wanting
    )
    return len(wanting)


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
        due = Event.objects.filter(due_at__lte=now).order_by("due_at")
        if connection.vendor == "postgresql":
            due = due.select_for_update(skip_locked=True)
        event = due.first()
        if event:
            event.tries += 1
            Event.objects.filter(id=event.id).update(tries=event.tries, due_at=now + policy.LEASE)
    return event


def _post(event: Event) -> None:
    outcome, status = _outcome(event)
    now = timezone.now()
    if 200 <= status < 300:
        Event.objects.filter(id=event.id).update(delivered_at=now, due_at=None, outcome=outcome)
        return
    wait = policy.next_try(event.tries) if status != GONE else None
    if status == GONE:
        Endpoint.objects.filter(id=event.endpoint_id).update(is_active=False)
        Event.objects.filter(endpoint_id=event.endpoint_id, due_at__isnull=False).update(due_at=None)
    Event.objects.filter(id=event.id).update(due_at=now + wait if wait else None, outcome=outcome)
    line = log.warning if wait else log.error
    line(
        "event.not_delivered",
        event_id=str(event.id),
        type=event.type,
        outcome=outcome,
        again=wait is not None,
    )


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
