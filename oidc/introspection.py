"""What a client may learn of a token that it holds (RFC 7662)."""

from django.utils import timezone

from oidc import tokens
from oidc.models import Client, RefreshToken

_INACTIVE: dict[str, object] = {"active": False}


def describe(token: str, *, client: Client, issuer: str) -> dict[str, object]:
    """Another client's token, an old one and a made-up one are told apart by nobody."""
    access = tokens.find_access(token, project_id=client.project_id)
    if access:
        if access.family.client_id != client.pk:
            return _INACTIVE
        family, scope, ends, kind = (
            access.family,
            access.scope,
            access.expires_at,
            tokens.kind(access.family.proof_key),
        )
    else:
        row = (
            RefreshToken.objects.select_related("family__client", "family__user")
            .filter(token_hash=tokens.hashed(token), family__client=client, used_at__isnull=True)
            .first()
        )
        if row is None or not tokens.is_alive(row.family, now=timezone.now()):
            return _INACTIVE
        family, scope, ends, kind = row.family, row.family.scope, row.family.expires_at, "refresh_token"
    bound = {"cnf": {"jkt": family.proof_key}} if family.proof_key else {}
    return bound | {
        "active": True,
        "scope": scope,
        "client_id": client.client_id,
        "sub": str(family.user_id),
        "iss": issuer,
        "exp": int(ends.timestamp()),
        "iat": int((access.created_at if access else family.created_at).timestamp()),
        "token_type": kind,
        "sid": str(family.sid),
    }
