"""Who calls: the project of the host, the client, and the address that limits are counted for."""

from dataclasses import dataclass
from urllib.parse import unquote_plus

from django.http import HttpRequest
from structlog.contextvars import bind_contextvars

from api import handles
from api.errors import Problem
from api.handles import Handle
from oidc import secrets
from oidc.clients import client_of, client_with_key
from oidc.models import Client
from projects.config import ProjectConfig, projects

# Of the request's META: the `client_id` of the caller, once it is known.
CLIENT = "authsvc.client_id"
_SCHEME = {"WWW-Authenticate": 'Basic realm="api", charset="UTF-8"'}


@dataclass(frozen=True, kw_only=True)
class Caller:
    """A client that is known, and proven when it is confidential."""

    project: ProjectConfig
    client: Client


def starting(request: HttpRequest, *, client_id: str) -> Caller:
    """The client that starts a challenge: by HTTP Basic, or a public one by its name. Raises Problem."""
    project = projects.get().for_host(request.get_host())
    if project is None:
        raise _stranger()
    client = _by_basic(request, project)
    if client is None:
        client = client_of(client_id, project_id=project.id)
        if client is None or client.is_confidential:
            raise _stranger()
    elif client_id not in ("", client.client_id):
        raise _stranger()
    return _known(request, Caller(project=project, client=client))


def owning(request: HttpRequest, challenge: str) -> tuple[Caller, Handle]:
    """The client that a challenge's id was given to. Raises Problem."""
    project = projects.get().for_host(request.get_host())
    if project is None:
        raise Problem("challenge_not_found")
    proven = _by_basic(request, project)
    handle = handles.read(challenge)
    client = client_with_key(handle.client_key, project_id=project.id) if handle else None
    if handle is None or client is None or not handles.is_genuine(handle, client=client):
        raise Problem("challenge_not_found")
    if proven is not None and proven.pk != client.pk:
        raise Problem("challenge_not_found")
    if proven is None and client.is_confidential:
        raise _stranger()
    return _known(request, Caller(project=project, client=client)), handle


def address_of(request: HttpRequest, caller: Caller, end_user_ip: str | None) -> str:
    """What limits count. A server speaks for its users and may name their address; whoever else could name one
    could be anybody (C6). Raises Problem."""
    if not end_user_ip:
        return str(request.META.get("REMOTE_ADDR", ""))
    if not caller.client.is_confidential:
        raise Problem("invalid_request", "end_user_ip: only confidential clients may send it.")
    return end_user_ip


def _by_basic(request: HttpRequest, project: ProjectConfig) -> Client | None:
    """The confidential client that proves itself; None: nobody tries to. Raises Problem."""
    header = request.headers.get("Authorization", "")
    if not header[:6].lower().startswith("basic"):
        return None
    client_id, secret = secrets.of_basic(header, unquote=unquote_plus) or ("", "")
    client = client_of(client_id, project_id=project.id)
    # One with keys registered proves itself with those (oidc.validator); there is no place for that here.
    if client is None or client.jwks or not secrets.matches(secret, client.client_secret):
        raise _stranger()
    return client


def _known(request: HttpRequest, caller: Caller) -> Caller:
    if not caller.client.skip_authorization:
        raise _stranger("A third-party client needs its users' consent: it signs in by OpenID Connect.")
    bind_contextvars(client_id=caller.client.client_id)
    request.META[CLIENT] = caller.client.client_id
    return caller


def _stranger(detail: str = "") -> Problem:
    return Problem("invalid_client", detail, headers=_SCHEME)
