"""DPoP (RFC 9449): a client shows that it holds the key its tokens are bound to. A stolen token alone opens nothing."""

import base64
import hashlib
import time
from typing import Any

import jwt

from oidc import replay
from oidc.keys import thumbprint

ALGORITHMS = ("ES256", "RS256", "PS256")
# How far a proof's time may be from ours, in seconds. Its `jti` is remembered as long as it could be used.
_OFF_BY = 60
_MOST_CHARACTERS = 4096


class BadProof(Exception):
    """Missing where it is needed, forged, old, for something else, or seen before."""


def key_of(proof: str, *, method: str, url: str, access_token: str = "") -> str:
    """The thumbprint (RFC 7638) of the key that made this proof for this request. Raises BadProof."""
    if len(proof) > _MOST_CHARACTERS:
        raise BadProof("too long")
    try:
        header = jwt.get_unverified_header(proof)
        if header.get("typ") != "dpop+jwt" or header.get("alg") not in ALGORITHMS:
            raise BadProof("not a proof")
        public = _public(header.get("jwk"))
        claims: dict[str, Any] = jwt.decode(
            proof,
            public,
            algorithms=[header["alg"]],
            options={"require": ["jti", "htm", "htu", "iat"], "verify_aud": False, "verify_iat": False},
        )
    except (jwt.PyJWTError, ValueError, TypeError) as error:
        raise BadProof("not a proof") from error
    _check(claims, method=method, url=url, access_token=access_token)
    found = thumbprint(public)
    if not replay.is_first(scope=f"dpop:{found}", identifier=str(claims["jti"]), seconds=2 * _OFF_BY):
        raise BadProof("seen before")
    return found


def _public(jwk: object) -> Any:  # noqa: ANN401 # an RSA or EC public key
    """The key in a proof's header: the one place where a key that came along is used, because it is what is proven."""
    if not isinstance(jwk, dict) or {"d", "p", "q", "k", "x5c", "x5u"} & set(jwk):
        raise BadProof("no public key")
    key = jwt.PyJWK(
        {str(name): value for name, value in jwk.items() if name not in ("alg", "use", "key_ops")}
    )
    if key.key_type == "RSA" and key.key.key_size < 2048:
        raise BadProof("weak key")
    return key.key


def _check(claims: dict[str, Any], *, method: str, url: str, access_token: str) -> None:
    if not isinstance(claims["iat"], int | float) or abs(time.time() - claims["iat"]) > _OFF_BY:
        raise BadProof("old")
    htu = str(claims["htu"]).split("?", 1)[0].split("#", 1)[0]
    if claims["htm"] != method or htu != url:
        raise BadProof("for another request")
    if access_token and claims.get("ath") != hash_of(access_token):
        raise BadProof("for another token")


def hash_of(access_token: str) -> str:
    """`ath`: what ties a proof to the token that it comes with."""
    digest = hashlib.sha256(access_token.encode(errors="replace")).digest()
    return base64.urlsafe_b64encode(digest).rstrip(b"=").decode()
