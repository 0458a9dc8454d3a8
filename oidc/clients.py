"""The clients as requests use them: in memory, under the configuration's version (projects.config)."""

import uuid
from collections.abc import Mapping
from types import MappingProxyType

from oidc.models import Client
from projects.config import Versioned


def _load() -> Mapping[str, Client]:
    return MappingProxyType({client.client_id: client for client in Client.objects.filter(is_active=True)})


clients: Versioned[Mapping[str, Client]] = Versioned(_load)


def client_of(client_id: str, *, project_id: uuid.UUID, version: int | None = None) -> Client | None:
    """An active client of this project. One of another project is as unknown as one that does not exist."""
    client = clients.get(version).get(client_id)
    return client if client and client.project_id == project_id else None
