"""The clients as requests use them: in memory, under the configuration's version (projects.config)."""

import uuid
from collections.abc import Iterable

from oidc.models import Client
from projects.config import Versioned


class Clients(dict[str, Client]):
    """By `client_id`; `by_key` by primary key. Nobody changes it once it is made."""

    def __init__(self, found: Iterable[Client]) -> None:
        self.by_key = {client.pk: client for client in found}
        super().__init__({client.client_id: client for client in self.by_key.values()})


def _load() -> Clients:
    return Clients(Client.objects.filter(is_active=True))


clients: Versioned[Clients] = Versioned(_load)


def client_of(client_id: str, *, project_id: uuid.UUID, version: int | None = None) -> Client | None:
    """An active client of this project. One of another project is as unknown as one that does not exist."""
    client = clients.get(version).get(client_id)
    return client if client and client.project_id == project_id else None


def client_with_key(key: int, *, project_id: uuid.UUID) -> Client | None:
    """The same by primary key."""
    client = clients.get().by_key.get(key)
    return client if client and client.project_id == project_id else None
