"""private_key_jwt (OpenID Connect Core 9, RFC 7523): a client authenticates with its own key."""

import time
from typing import Any

import jwt

from oidc import jwks, replay
from oidc.models import Client

TYPE = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
ALGORITHMS = tuple(name for names in jwks.ALGORITHMS.values() for name in names)
_MAX_CHARACTERS = 8192
# The longest remaining lifetime of an assertion: each is meant for one request.
_MAX_LIFETIME_SECONDS = 600


def unverified_client_id(kind: str | None, assertion: str) -> str | None:
    """The client that an assertion claims to come from, not verified."""
    if kind != TYPE or len(assertion) > _MAX_CHARACTERS:
        return None
    try:
        claims: dict[str, Any] = jwt.decode(assertion, options={"verify_signature": False})
    except jwt.PyJWTError:
        return None
    subject = claims.get("sub")
    return subject if isinstance(subject, str) else None


def is_valid(assertion: str, *, client: Client, issuer: str) -> bool:
    """Whether one of the client's registered keys signed it for this issuer, and it is used for the first time.

    Keys named in its header are ignored.
    """
    for key in _keys(client):
        try:
            claims: dict[str, Any] = jwt.decode(
                assertion,
                key.key,
                algorithms=jwks.ALGORITHMS.get(key.key_type or "", ()),
                audience=[issuer, *(f"{issuer}{path}" for path in ("/", "/oauth2/token/", "/oauth2/par/"))],
                issuer=client.client_id,
                subject=client.client_id,
                options={"require": ["exp", "iss", "sub", "aud", "jti"]},
            )
        except jwt.PyJWTError:
            continue
        return bool(claims["exp"] - time.time() <= _MAX_LIFETIME_SECONDS) and replay.is_first_use(
            scope=f"assertion:{client.pk}", identifier=str(claims["jti"]), seconds=_MAX_LIFETIME_SECONDS
        )
    return False


def _keys(client: Client) -> list[jwt.PyJWK]:
    try:
        return jwt.PyJWKSet.from_dict(client.jwks or {}).keys
    except (jwt.PyJWTError, TypeError, AttributeError):
        return []
