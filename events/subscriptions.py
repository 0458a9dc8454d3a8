"""Which event URL wants what: in memory, under the configuration's version (projects.config).

A login asks here, so that one of a project without an event URL costs nothing.
"""

import uuid
from collections.abc import Mapping
from dataclasses import dataclass

from events.models import Endpoint, EventType
from projects.config import Versioned


@dataclass(frozen=True, kw_only=True)
class Subscriptions:
    """The active endpoints: (project, type) → their ids."""

    by_wish: Mapping[tuple[uuid.UUID, str], tuple[uuid.UUID, ...]]
    types: frozenset[str]  # that anybody wants

    def endpoints(self, project_id: uuid.UUID, kind: EventType) -> tuple[uuid.UUID, ...]:
        return self.by_wish.get((project_id, kind.value), ())


def _load() -> Subscriptions:
    """Without secrets: a lost key must not take the logins with it."""
    by_wish: dict[tuple[uuid.UUID, str], tuple[uuid.UUID, ...]] = {}
    rows = Endpoint.objects.filter(is_active=True).order_by("id").values_list("id", "project_id", "types")
    for endpoint_id, project_id, types in rows:
        for name in set(types):
            by_wish[project_id, name] = (*by_wish.get((project_id, name), ()), endpoint_id)
    return Subscriptions(by_wish=by_wish, types=frozenset(name for _, name in by_wish))


subscriptions: Versioned[Subscriptions] = Versioned(_load)
