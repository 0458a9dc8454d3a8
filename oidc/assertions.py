"""private_key_jwt (OpenID Connect Core 9, RFC 7523): a client proves itself with a key of its own."""

import time
from typing import Any

import jwt

from oidc import replay
from oidc.models import Client

TYPE = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
ALGORITHMS = ("RS256", "PS256", "ES256")
_MOST_CHARACTERS = 8192
# A client may date its assertion this far ahead, in seconds, and no further: they are for one request.
_LONGEST = 600


def claimed_client(kind: str | None, assertion: str) -> str | None:
    """Who an assertion says it is, unproven."""
    if kind != TYPE or len(assertion) > _MOST_CHARACTERS:
        return None
    try:
        claims: dict[str, Any] = jwt.decode(assertion, options={"verify_signature": False})
    except jwt.PyJWTError:
        return None
    subject = claims.get("sub")
    return subject if isinstance(subject, str) else None


def is_right(assertion: str, *, client: Client, issuer: str) -> bool:
    """Whether one of the client's registered keys signed it, for us and for now. Its header chooses no key."""
    for key in _keys(client):
        try:
            claims: dict[str, Any] = jwt.decode(
                assertion,
                key.key,
                algorithms=[name for name in ALGORITHMS if name[:2] in _families(key)],
                audience=[issuer, f"{issuer}/", f"{issuer}/oauth2/token/"],
                issuer=client.client_id,
                subject=client.client_id,
                options={"require": ["exp", "iss", "sub", "aud", "jti"]},
            )
        except jwt.PyJWTError:
            continue
        return _is_short(claims) and replay.is_first(
            scope=f"assertion:{client.pk}", identifier=str(claims["jti"]), seconds=_LONGEST
        )
    return False


def _is_short(claims: dict[str, Any]) -> bool:
    return bool(claims["exp"] - time.time() <= _LONGEST)


def _keys(client: Client) -> list[jwt.PyJWK]:
    try:
        return jwt.PyJWKSet.from_dict(client.jwks or {}).keys
    except (jwt.PyJWTError, TypeError, AttributeError):
        return []


def _families(key: jwt.PyJWK) -> tuple[str, ...]:
    return ("RS", "PS") if key.key_type == "RSA" else ("ES",) if key.key_type == "EC" else ()
