"""Authorization requests kept on the server: pushed ones (RFC 9126), and long ones of a browser."""

import uuid
from collections.abc import Mapping
from datetime import timedelta
from urllib.parse import urlencode

from django.http import HttpRequest, QueryDict
from django.utils import timezone

from oidc import policy, tokens
from oidc.models import Client, PushedRequest

URN = "urn:ietf:params:oauth:request_uri:"
LONG_URN = "urn:authsvc:request:"
# They authenticate the client and are not part of the request.
_CREDENTIALS = frozenset({"client_secret", "client_assertion", "client_assertion_type"})


def read_pushed(form: QueryDict) -> dict[str, str]:
    """The authorization request in a pushed form. A parameter without a value counts as omitted (RFC 6749 3.1)."""
    return {name: str(value) for name, value in form.items() if value and name not in _CREDENTIALS}


def store_pushed(*, client: Client, parameters: Mapping[str, str]) -> str:
    """Store a valid request and return its `request_uri`."""
    return _store(URN, client, parameters, policy.PUSHED_VALID)


def store_long(*, client: Client, parameters: Mapping[str, str]) -> str:
    """Store a browser's request that is too long for a URL. It may be used repeatedly, as a URL may."""
    return _store(LONG_URN, client, parameters, policy.STORED_REQUEST_VALID)


def _store(prefix: str, client: Client, parameters: Mapping[str, str], valid: timedelta) -> str:
    uri = prefix + tokens.new_token()
    PushedRequest.objects.create(
        key=_key(uri), client=client, parameters=dict(parameters), expires_at=timezone.now() + valid
    )
    return uri


def _key(uri: str) -> bytes:
    return tokens.hash_token(uri.removeprefix(URN))


def is_stored(uri: str) -> bool:
    """Whether it refers to a request stored here. Other request URIs are never fetched."""
    return uri.startswith((URN, LONG_URN))


def find(uri: str, *, client_id: str, project_id: uuid.UUID) -> dict[str, str] | None:
    """The stored request of this client; None if it is unknown, used or expired."""
    row = PushedRequest.objects.filter(
        key=_key(uri),
        client__client_id=client_id,
        client__project_id=project_id,
        expires_at__gt=timezone.now(),
        used_at__isnull=True,
    ).first()
    return row.parameters if row else None


def restore(request: HttpRequest, *, project_id: uuid.UUID) -> bool:
    """Replace a request that carries only a `request_uri` by the stored one. False if it is unknown, used or expired.

    Other parameters beside the `request_uri` are ignored (section 4).
    """
    stored = find(
        request.GET.get("request_uri", ""), client_id=request.GET.get("client_id", ""), project_id=project_id
    )
    if stored is None:
        return False
    query = urlencode(stored)
    request.META["QUERY_STRING"] = query
    request.GET = QueryDict(query)
    return True


def mark_used(uri: str) -> bool:
    """Call it before giving a code. False if a pushed request has been used already, perhaps by a concurrent call."""
    if uri.startswith(LONG_URN):
        return True
    rows = PushedRequest.objects.filter(key=_key(uri), used_at__isnull=True)
    return bool(rows.update(used_at=timezone.now()))
