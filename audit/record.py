"""Writing events, in the caller's transaction: what was done and the event of it commit together or not at all."""

import uuid
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import structlog
from django.db import transaction
from django.db.models import Model
from django.utils import timezone

from audit import actors, values
from audit.kinds import Kind, Outcome
from audit.models import AuditEvent
from core.addresses import block_of

log = structlog.get_logger(__name__)

_NOTHING: Mapping[str, Any] = {}
# Of one object within the time, however many addresses there are: whoever has a /64 has one for each post.
_MOST_AT_ONCE = 20


@dataclass(frozen=True, kw_only=True)
class Target:
    """The object of an event, for callers that hold no row of it. `type`: as `projects.project`."""

    type: str
    id: str
    name: str = ""
    project_id: uuid.UUID | None = None


def target_of(row: Model) -> Target:
    """A row as the object of an event. It belongs to its project; a project belongs to itself."""
    kind = row._meta.label_lower
    return Target(
        type=kind,
        id=str(row.pk),
        name=values.mask(str(row)),
        project_id=row.pk if kind == "projects.project" else getattr(row, "project_id", None),
    )


def record(
    kind: Kind,
    target: Model | Target | None = None,
    *,
    before: Mapping[str, Any] = _NOTHING,
    after: Mapping[str, Any] = _NOTHING,
    detail: str = "",
    outcome: Outcome = Outcome.DONE,
) -> AuditEvent:
    """One event, by whoever acts now (audit.actors). `before` and `after` come from audit.values."""
    event = _event(kind, target, before=before, after=after, detail=detail, outcome=outcome)
    event.save(force_insert=True)
    _log([event])
    return event


def record_each(kind: Kind, rows: Iterable[Model], *, detail: str = "") -> None:
    """One event for each row, in one statement for many."""
    events = [_event(kind, row, detail=detail) for row in rows]
    AuditEvent.objects.bulk_create(events, batch_size=500)
    _log(events)


def record_once(
    kind: Kind, target: Target | None, *, within: timedelta, detail: str, outcome: Outcome
) -> AuditEvent | None:
    """For what strangers can cause without end: nothing when there is a younger such event of the object from the same
    address, or there are twenty from others."""
    event = _event(kind, target, detail=detail, outcome=outcome)  # as it is stored: masked and cut
    lately = AuditEvent.objects.filter(
        kind=kind, detail=event.detail, at__gt=timezone.now() - within, object_id=event.object_id
    )
    addresses = list(lately.order_by().values_list("address", flat=True)[:_MOST_AT_ONCE])
    if len(addresses) == _MOST_AT_ONCE or actors.current().address in addresses:
        return None
    return record(kind, target, detail=detail, outcome=outcome)


def _event(
    kind: Kind,
    target: Model | Target | None,
    *,
    before: Mapping[str, Any] = _NOTHING,
    after: Mapping[str, Any] = _NOTHING,
    detail: str = "",
    outcome: Outcome = Outcome.DONE,
) -> AuditEvent:
    actor = actors.current()
    about = target_of(target) if isinstance(target, Model) else target
    return AuditEvent(
        at=timezone.now(),
        actor=actor.name[:200],
        actor_id=actor.user_id,
        address=actor.address,
        project_id=about.project_id if about else None,
        kind=kind.value,
        detail=values.mask(detail)[:300],
        outcome=outcome.value,
        object_type=about.type if about else "",
        object_id=about.id[:80] if about else "",
        object_name=about.name[:200] if about else "",
        before=dict(before),
        after=dict(after),
    )


def _log(events: list[AuditEvent]) -> None:
    """A line for each, once it is committed, for those who collect logs elsewhere."""

    def write() -> None:
        for event in events:
            log.info(
                "audit",
                event_id=str(event.id),
                kind=event.kind,
                outcome=event.outcome,
                object_type=event.object_type,
                object_id=event.object_id,
                user_id=str(event.actor_id) if event.actor_id else None,
                address_block=block_of(event.address) if event.address else None,
            )

    transaction.on_commit(write)
