"""Token introspection (RFC 7662)."""

from datetime import datetime

from django.utils import timezone

from oidc import tokens
from oidc.models import Client, RefreshToken, TokenFamily

_INACTIVE: dict[str, object] = {"active": False}


def describe(token: str, *, client: Client, issuer: str) -> dict[str, object]:
    """A client sees its own tokens; one that may introspect (a resource server) sees those of its whole project.

    Another client's token, an expired one and an invented one all get the same answer.
    """
    active = _access(token, client) or _refresh(token, client)
    if active is None:
        return _INACTIVE
    family, own = active
    if not (client.may_introspect or family.client_id == client.pk):
        return _INACTIVE
    confirmation = {"cnf": {"jkt": family.proof_key}} if family.proof_key else {}
    return confirmation | {
        "active": True,
        "client_id": family.client.client_id,
        "sub": str(family.user_id),
        "iss": issuer,
        "sid": str(family.sid),
        **own,
    }


def _access(token: str, client: Client) -> tuple[TokenFamily, dict[str, object]] | None:
    """An active access token: its family, and the claims that are its own."""
    row = tokens.find_access(token, project_id=client.project_id)
    if row is None:
        return None
    kind = tokens.token_type(row.family.proof_key)
    return row.family, _claims(kind, row.scope, issued=row.created_at, expires=row.expires_at)


def _refresh(token: str, client: Client) -> tuple[TokenFamily, dict[str, object]] | None:
    rows = RefreshToken.objects.select_related("family__client", "family__user").filter(
        token_hash=tokens.hash_token(token),
        family__client__project_id=client.project_id,
        family__client__is_active=True,
        used_at__isnull=True,
    )
    row = rows.first()
    if row is None or not tokens.is_alive(row.family, now=timezone.now()):
        return None
    family = row.family
    claims = _claims("refresh_token", family.scope, issued=family.created_at, expires=family.expires_at)
    return family, claims


def _claims(kind: str, scope: str, *, issued: datetime, expires: datetime) -> dict[str, object]:
    return {
        "scope": scope,
        "exp": int(expires.timestamp()),
        "iat": int(issued.timestamp()),
        "token_type": kind,
    }
