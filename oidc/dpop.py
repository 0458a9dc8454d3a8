"""DPoP (RFC 9449): a client proves that it holds the key its tokens are bound to, so a stolen token is useless."""

import hashlib
import time
from dataclasses import dataclass
from typing import Any

import jwt
from jwt.utils import base64url_encode

from oidc import replay
from oidc.keys import thumbprint

ALGORITHMS = ("ES256", "RS256", "PS256")
# Allowed difference between a proof's time and ours. Its `jti` is remembered for as long as it could be replayed.
_CLOCK_SKEW_SECONDS = 60
_MAX_CHARACTERS = 4096


class BadProof(Exception):
    """A proof that is missing, forged, expired, for another request, or used before."""


@dataclass(frozen=True, kw_only=True)
class Proof:
    """A valid proof for this request. `key` is the thumbprint (RFC 7638) of the key that signed it."""

    key: str
    identifier: str

    def mark_used(self) -> None:
        """Refuse this proof from now on. Call it last, so that invalid requests fill no memory. Raises BadProof."""
        seconds = 2 * _CLOCK_SKEW_SECONDS
        if not replay.is_first_use(scope=f"dpop:{self.key}", identifier=self.identifier, seconds=seconds):
            raise BadProof("used before")


def read(proof: str, *, method: str, url: str, access_token: str = "") -> Proof:
    """Verify a proof for this request. Raises BadProof."""
    if len(proof) > _MAX_CHARACTERS:
        raise BadProof("too long")
    try:
        header = jwt.get_unverified_header(proof)
        if header.get("typ") != "dpop+jwt" or header.get("alg") not in ALGORITHMS:
            raise BadProof("not a proof")
        key = _public_key(header.get("jwk"))
        claims: dict[str, Any] = jwt.decode(
            proof,
            key,
            algorithms=[header["alg"]],
            options={"require": ["jti", "htm", "htu", "iat"], "verify_aud": False, "verify_iat": False},
        )
    except (jwt.PyJWTError, ValueError, TypeError) as error:
        raise BadProof("not a proof") from error
    _check(claims, method=method, url=url, access_token=access_token)
    return Proof(key=thumbprint(key), identifier=str(claims["jti"]))


def _public_key(jwk: object) -> Any:  # noqa: ANN401 # an RSA or EC public key
    """The key in a proof's header. Only here is a key from the request used: the proof shows possession of it."""
    if not isinstance(jwk, dict) or {"d", "p", "q", "k", "x5c", "x5u"} & set(jwk):
        raise BadProof("not a public key")
    key = jwt.PyJWK(
        {str(name): value for name, value in jwk.items() if name not in ("alg", "use", "key_ops")}
    )
    if key.key_type == "RSA" and key.key.key_size < 2048:
        raise BadProof("weak key")
    return key.key


def _check(claims: dict[str, Any], *, method: str, url: str, access_token: str) -> None:
    iat, now = claims["iat"], time.time()
    # Compared, not subtracted: NaN is within no limits, and a number of a thousand digits overflows nothing.
    if not isinstance(iat, int | float) or not now - _CLOCK_SKEW_SECONDS <= iat <= now + _CLOCK_SKEW_SECONDS:
        raise BadProof("expired")
    htu = str(claims["htu"]).split("?", 1)[0].split("#", 1)[0]
    if claims["htm"] != method or htu != url:
        raise BadProof("for another request")
    if access_token and claims.get("ath") != token_hash(access_token):
        raise BadProof("for another token")


def token_hash(access_token: str) -> str:
    """The `ath` claim, which ties a proof to one access token."""
    return base64url_encode(hashlib.sha256(access_token.encode(errors="replace")).digest()).decode()
