"""The claims about a user in ID tokens and at the userinfo endpoint."""

import uuid
from collections.abc import Sequence
from datetime import datetime
from typing import Any

from oidc import policy
from users.models import User


def of_user(user: User, scopes: Sequence[str]) -> dict[str, Any]:
    """`sub`, and the claims of the granted scopes. `phone_number` is E.164."""
    more = {"updated_at": int(user.created_at.timestamp())}
    return of_number(user_id=user.id, phone=user.phone, scopes=scopes, **more)


def of_number(
    *, user_id: uuid.UUID, phone: str | None, scopes: Sequence[str], **more: object
) -> dict[str, Any]:
    """The same without the claims of `profile`, of a user of whom no more is known."""
    granted = policy.claims_of(scopes)
    values = {"phone_number": phone, "phone_number_verified": True, **more}
    return {"sub": str(user_id), **{name: value for name, value in values.items() if name in granted}}


def id_token(
    *,
    issuer: str,
    client_id: str,
    auth_time: datetime,
    amr: Sequence[str],
    sid: uuid.UUID,
    user: dict[str, Any],
    now: datetime,
    **more: str,
) -> dict[str, Any]:
    """The claims of an ID token (OpenID Connect Core 2). `user`: those of the user; `more`: nonce, at_hash."""
    issued = int(now.timestamp())
    return {
        "iss": issuer,
        "aud": client_id,
        "iat": issued,
        "exp": issued + int(policy.ID_TOKEN_VALID.total_seconds()),
        "auth_time": int(auth_time.timestamp()),
        "amr": list(amr),
        "sid": str(sid),
        **user,
        **{name: value for name, value in more.items() if value},
    }
