"""Signed JWTs in their compact form (RFC 7515, RFC 7518): RS256 and ES256 of our own keys. Pure.

Every login signs one, so this is `cryptography` itself. PyJWT reads what comes back (oidc.keys).
"""

import json
from collections.abc import Mapping
from functools import lru_cache
from typing import Any

from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature
from cryptography.hazmat.primitives.hashes import SHA256

from core import base64url

type PrivateKey = rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey

_json = json.JSONEncoder(separators=(",", ":")).encode
_ECDSA = ec.ECDSA(SHA256())
_COORDINATE = 32  # bytes, on the curve P-256


def compact(claims: Mapping[str, Any], *, private: PrivateKey, kid: str, typ: str) -> str:
    """header.claims.signature. The algorithm is the key's: RS256 of an RSA key, ES256 of one on P-256."""
    body = b"." + base64url.encode(_json(dict(claims)).encode())
    if isinstance(private, rsa.RSAPrivateKey):
        signed = _header("RS256", kid, typ) + body
        signature = private.sign(signed, padding.PKCS1v15(), SHA256())
    else:
        signed = _header("ES256", kid, typ) + body
        # JWS has both numbers side by side, not DER (RFC 7518 3.4).
        r, s = decode_dss_signature(private.sign(signed, _ECDSA))
        signature = r.to_bytes(_COORDINATE) + s.to_bytes(_COORDINATE)
    return (signed + b"." + base64url.encode(signature)).decode()


@lru_cache(maxsize=64)
def _header(algorithm: str, kid: str, typ: str) -> bytes:
    return base64url.encode(_json({"alg": algorithm, "kid": kid, "typ": typ}).encode())
