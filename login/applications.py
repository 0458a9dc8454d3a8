"""The application that a login is for, as far as the address that it returns to tells."""

from urllib.parse import parse_qs, urlsplit

from oidc import discovery
from oidc.clients import client_of
from oidc.models import Client
from projects.config import ProjectConfig


def asking(wanted: str, project: ProjectConfig) -> Client | None:
    """The client whose authorization request `wanted` is; None for any other page. Only shown: it proves nothing."""
    request = urlsplit(wanted)
    if request.path != discovery.AUTHORIZE:
        return None
    client_id = parse_qs(request.query).get("client_id", [""])[0]
    return client_of(client_id, project_id=project.id)
