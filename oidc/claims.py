"""The claims about a user in ID tokens and at the userinfo endpoint."""

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import Any

from oidc import policy
from oidc.models import TokenFamily
from users.models import User

# Each is read only when a scope asks for it: oidc.services.issue_tokens may load nothing but the phone number.
_READERS: Mapping[str, Callable[[User], Any]] = {
    "phone_number": lambda user: user.phone,
    "phone_number_verified": lambda _user: True,
    "updated_at": lambda user: int(user.created_at.timestamp()),
}


def of_user(user: User, scopes: Sequence[str]) -> dict[str, Any]:
    """`sub`, and the claims of the granted scopes. `phone_number` is E.164."""
    granted = policy.claims_of(scopes)
    return {"sub": str(user.id), **{name: read(user) for name, read in _READERS.items() if name in granted}}


def id_token(
    *, family: TokenFamily, client_id: str, scopes: Sequence[str], now: datetime, **more: str
) -> dict[str, Any]:
    """The claims of an ID token (OpenID Connect Core 2). `more`: nonce, at_hash."""
    issued = int(now.timestamp())
    return {
        "iss": family.issuer,
        "aud": client_id,
        "iat": issued,
        "exp": issued + int(policy.ID_TOKEN_VALID.total_seconds()),
        "auth_time": int(family.auth_time.timestamp()),
        "amr": list(family.amr),
        "sid": str(family.sid),
        **of_user(family.user, scopes),
        **{name: value for name, value in more.items() if value},
    }
