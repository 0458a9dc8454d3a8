"""Tokens of a login through the API: family, access and refresh token in one statement on PostgreSQL, with a portable
form for SQLite. Every API login makes this write; the other hot writes are in otp.store."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from core import sql
from oidc import policy, tokens
from oidc.models import Client, TokenFamily
from oidc.types import Login

_BEGIN = sql.load(Path(__file__).with_name("issue.sql"))


def create_tokens(
    *, client: Client, login: Login, scopes: Sequence[str], issuer: str
) -> tuple[TokenFamily, str, str]:
    """A family with its first access and refresh token. Runs in the caller's transaction."""
    family = tokens.new_family(client=client, login=login, scopes=scopes, issuer=issuer)
    family.used_at = family.created_at
    access_token, refresh_token = tokens.new_token(), tokens.new_token()
    if sql.is_postgres():
        _insert(family, access_token, refresh_token)
    else:
        family.save(force_insert=True)
        tokens.store_tokens(family, access_token, refresh_token, scope=family.scope, now=family.created_at)
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
        "access": tokens.hash_token(access_token),
        "access_expires_at": min(now + policy.ACCESS_VALID, family.expires_at),
        "refresh": tokens.hash_token(refresh_token),
    }
    sql.run(_BEGIN, parameters)
