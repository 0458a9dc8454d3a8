"""Who is calling: the project of the host, the client, and the address that limits count."""

from dataclasses import dataclass

from django.http import HttpRequest
from django.utils.text import capfirst
from structlog.contextvars import bind_contextvars, unbind_contextvars

from api import challenge_ids
from api.challenge_ids import Handle
from api.errors import Problem
from core.addresses import block_of
from oidc import client_secrets, secret_checks
from oidc.clients import client_by_pk, client_of
from oidc.models import Client
from oidc.parameters import is_text
from otp.models import Purpose
from projects.config import ProjectConfig
from projects.origin import CLOSED_TEXTS, Misdirected, forget_site, site_of

# Key in the request's META: the `client_id` of the authenticated caller.
CLIENT = "authsvc.client_id"
_SCHEME = {"WWW-Authenticate": 'Basic realm="api", charset="UTF-8"'}


@dataclass(frozen=True, kw_only=True)
class Caller:
    """An identified client; a confidential one has authenticated."""

    project: ProjectConfig
    client: Client


def authenticate(request: HttpRequest, *, client_id: str) -> Caller:
    """The client that starts a challenge: by HTTP Basic, or a public one by its `client_id`. Raises Problem."""
    project = _project(request)
    if project is None:
        raise _unauthorized()
    client = _by_basic(request, project)
    if client is None:
        client = client_of(client_id, project_id=project.id)
        if client is None or client.is_confidential:
            raise _unauthorized()
    elif client_id not in ("", client.client_id):
        raise _unauthorized()
    return _admitted(request, Caller(project=project, client=client))


def authenticate_owner(request: HttpRequest, challenge: str) -> tuple[Caller, Handle, Purpose]:
    """The client that a challenge's id was issued to, and the purpose of the challenge. Raises Problem."""
    project = _project(request)
    if project is None:
        raise Problem("challenge_not_found")
    authenticated = _by_basic(request, project)
    handle = challenge_ids.read(challenge)
    client = client_by_pk(handle.client_key, project_id=project.id) if handle else None
    purpose = challenge_ids.purpose_of(handle, client=client) if handle and client else None
    if handle is None or client is None or purpose is None:
        raise Problem("challenge_not_found")
    if authenticated is not None and authenticated.pk != client.pk:
        raise Problem("challenge_not_found")
    if authenticated is None and client.is_confidential:
        raise _unauthorized()
    return _admitted(request, Caller(project=project, client=client)), handle, purpose


def address_of(request: HttpRequest, caller: Caller, end_user_ip: str | None) -> str:
    """The address that limits count. Only a confidential client, which calls from a server, may name its user's
    address: anyone else could name any address (docs/security.md, C6). Raises Problem."""
    if not end_user_ip:
        return str(request.META.get("REMOTE_ADDR", ""))
    if not caller.client.is_confidential:
        raise Problem("invalid_request", "end_user_ip: only confidential clients may send it.")
    bind_contextvars(address_block=block_of(end_user_ip))
    return end_user_ip


def _project(request: HttpRequest) -> ProjectConfig | None:
    """The project of the host, or None. Raises Problem."""
    # What an attempt under an outdated configuration learned (core.config_version.believing).
    request.META.pop(CLIENT, None)
    unbind_contextvars("client_id")
    forget_site(request)
    try:
        site = site_of(request)
    except Misdirected:
        raise Problem("misdirected") from None
    if site.closed:
        raise Problem("unavailable", f"{capfirst(CLOSED_TEXTS[site.closed])}.")
    return site.project


def _by_basic(request: HttpRequest, project: ProjectConfig) -> Client | None:
    """The client authenticated by HTTP Basic; None without such a header. Raises Problem."""
    header = request.META.get("HTTP_AUTHORIZATION", "")
    if not header[:6].lower().startswith("basic"):
        return None
    client_id, secret = client_secrets.read_basic(header) or ("", "")
    if not (is_text(client_id) and is_text(secret)):
        raise Problem("invalid_request", "Authorization: contains invalid characters.")
    client = client_of(client_id, project_id=project.id)
    # A client with registered keys authenticates with those (oidc.validator), which this API does not offer.
    if client is None or client.jwks:
        raise _unauthorized()
    if not secret_checks.matches(secret, client=client, address=request.META.get("REMOTE_ADDR", "")):
        raise _unauthorized()
    return client


def _admitted(request: HttpRequest, caller: Caller) -> Caller:
    if not caller.client.skip_authorization:
        raise _unauthorized("Third-party clients need user consent: use OpenID Connect.")
    bind_contextvars(client_id=caller.client.client_id)
    request.META[CLIENT] = caller.client.client_id
    return caller


def _unauthorized(detail: str = "") -> Problem:
    return Problem("invalid_client", detail, headers=_SCHEME)
