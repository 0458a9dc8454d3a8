"""The tokens of a login without a browser: family, access and refresh token in one statement on PostgreSQL, the
portable form beside it for SQLite. Every login over the API makes this write (otp.store has the others)."""

import json
from collections.abc import Sequence
from typing import Any

from django.db import connection

from oidc import policy, tokens
from oidc.models import Client, TokenFamily
from oidc.types import Login

_BEGIN = """
WITH family AS (
  INSERT INTO oidc_tokenfamily (id, client_id, user_id, scope, issuer, sid, auth_time, amr, session_hash, proof_key,
    created_at, expires_at, used_at, revoked_at)
  VALUES (%(id)s, %(client)s, %(user)s, %(scope)s, %(issuer)s, %(sid)s, %(auth_time)s, %(amr)s::jsonb,
    %(session_hash)s, '', %(now)s, %(expires_at)s, %(now)s, NULL)
), access AS (
  INSERT INTO oidc_accesstoken (token_hash, family_id, scope, created_at, expires_at)
  VALUES (%(access)s, %(id)s, %(scope)s, %(now)s, %(access_expires_at)s)
)
INSERT INTO oidc_refreshtoken (token_hash, family_id, created_at, used_at) VALUES (%(refresh)s, %(id)s, %(now)s, NULL)
"""


def begin(
    *, client: Client, login: Login, scopes: Sequence[str], issuer: str
) -> tuple[TokenFamily, str, str]:
    """A family with its first access and refresh token. Joins the caller's transaction."""
    family = tokens.new_family(client=client, login=login, scopes=scopes, issuer=issuer)
    family.used_at = family.created_at
    access_token, refresh_token = tokens.new_token(), tokens.new_token()
    if connection.vendor == "postgresql":
        _insert(family, access_token, refresh_token)
    else:
        family.save(force_insert=True)
        tokens.save(family, access_token, refresh_token, scope=family.scope, now=family.created_at)
    return family, access_token, refresh_token


def _insert(family: TokenFamily, access_token: str, refresh_token: str) -> None:
    now = family.created_at
    parameters: dict[str, Any] = {
        "id": family.id,
        "client": family.client_id,
        "user": family.user_id,
        "scope": family.scope,
        "issuer": family.issuer,
        "sid": family.sid,
        "auth_time": family.auth_time,
        "amr": json.dumps(family.amr),
        "session_hash": family.session_hash,
        "now": now,
        "expires_at": family.expires_at,
        "access": tokens.hashed(access_token),
        "access_expires_at": min(now + policy.ACCESS_VALID, family.expires_at),
        "refresh": tokens.hashed(refresh_token),
    }
    with connection.cursor() as cursor:
        cursor.execute(_BEGIN, parameters)
