"""Pushed authorization requests (RFC 9126): what is asked for goes from server to server, not in an address."""

import uuid
from urllib.parse import urlencode

from django.http import HttpRequest, QueryDict
from django.utils import timezone

from oidc import policy, tokens
from oidc.models import Client, PushedRequest

URN = "urn:ietf:params:oauth:request_uri:"
# How long a person may take over their login before the application has to ask again.
VALID = policy.PUSHED_VALID
# What says who the client is, and is no part of what it asks.
_CREDENTIALS = frozenset({"client_secret", "client_assertion", "client_assertion_type"})


def asked_for(given: QueryDict) -> dict[str, str]:
    """The authorization request within a push."""
    return {name: str(value) for name, value in given.items() if name not in _CREDENTIALS}


def keep(*, client: Client, parameters: dict[str, str]) -> str:
    """Keep a request that was found valid; its `request_uri`."""
    name = tokens.new_token()
    PushedRequest.objects.create(
        key=tokens.hashed(name), client=client, parameters=parameters, expires_at=timezone.now() + VALID
    )
    return URN + name


def unfold(request: HttpRequest, *, project_id: uuid.UUID, kept: str) -> bool:
    """Put what was pushed in the place of a request that only names it. False: nothing was, or it is over.

    `kept` is the one parameter of ours that may stand beside it. What else stands there is not believed (section 4).
    """
    uri, client_id = request.GET.get("request_uri", ""), request.GET.get("client_id", "")
    found = PushedRequest.objects.filter(
        key=tokens.hashed(uri.removeprefix(URN)),
        client__client_id=client_id,
        client__project_id=project_id,
        expires_at__gt=timezone.now(),
        used_at__isnull=True,
    ).first()
    if found is None:
        return False
    query = urlencode(found.parameters | {name: request.GET[name] for name in (kept,) if name in request.GET})
    request.META["QUERY_STRING"] = query
    request.GET = QueryDict(query)
    return True


def spend(uri: str) -> bool:
    """It leads to a code now, and to no other: False when it has led to one already, a moment ago perhaps."""
    found = PushedRequest.objects.filter(key=tokens.hashed(uri.removeprefix(URN)), used_at__isnull=True)
    return bool(found.update(used_at=timezone.now()))
