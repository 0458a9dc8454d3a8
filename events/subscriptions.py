"""Which event URL subscribes to which events, in memory, reloaded when the configuration version changes.

So a login in a project without event URLs costs nothing.
"""

import uuid
from collections.abc import Mapping
from dataclasses import dataclass

from core.config_version import Cached
from events.models import Endpoint, EventType


@dataclass(frozen=True, kw_only=True)
class Subscriptions:
    """The active endpoints: (project, type) → their ids."""

    by_type: Mapping[tuple[uuid.UUID, str], tuple[uuid.UUID, ...]]
    types: frozenset[str]  # with at least one subscription

    def endpoints(self, project_id: uuid.UUID, kind: EventType) -> tuple[uuid.UUID, ...]:
        return self.by_type.get((project_id, kind.value), ())


def _load() -> Subscriptions:
    """Does not read secrets: a lost encryption key must not break logins."""
    by_type: dict[tuple[uuid.UUID, str], tuple[uuid.UUID, ...]] = {}
    rows = Endpoint.objects.filter(is_active=True).order_by("id").values_list("id", "project_id", "types")
    for endpoint_id, project_id, types in rows:
        for name in set(types):
            by_type[project_id, name] = (*by_type.get((project_id, name), ()), endpoint_id)
    return Subscriptions(by_type=by_type, types=frozenset(name for _, name in by_type))


subscriptions: Cached[Subscriptions] = Cached(_load)
