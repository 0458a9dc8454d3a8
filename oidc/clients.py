"""Active clients in this process's memory, reloaded when the configuration version changes."""

import uuid
from collections.abc import Iterable

from core.config_version import Cached
from oidc.models import Client


class Clients(dict[str, Client]):
    """Keyed by `client_id`; `by_pk` is keyed by primary key. Treat as immutable."""

    def __init__(self, rows: Iterable[Client]) -> None:
        self.by_pk = {client.pk: client for client in rows}
        super().__init__({client.client_id: client for client in self.by_pk.values()})


def _load() -> Clients:
    return Clients(Client.objects.filter(is_active=True))


clients: Cached[Clients] = Cached(_load)


def client_of(client_id: str, *, project_id: uuid.UUID) -> Client | None:
    """An active client of this project; None for an unknown one or one of another project."""
    client = clients.get().get(client_id)
    return client if client and client.project_id == project_id else None


def client_by_pk(pk: int, *, project_id: uuid.UUID) -> Client | None:
    """As `client_of`, by primary key."""
    client = clients.get().by_pk.get(pk)
    return client if client and client.project_id == project_id else None
