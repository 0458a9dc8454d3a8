"""HMAC-SHA256 in PostgreSQL, which has sha256 but no HMAC without an extension."""

import hashlib
from functools import lru_cache


@lru_cache(maxsize=8)
def hmac_pads(salt: str, secret_key: str) -> tuple[bytes, bytes]:
    """The inner and the outer pad, 64 bytes each, of Django's `salted_hmac(salt, text, secret_key)` with SHA-256.

    Its digest is sha256(outer || sha256(inner || text)) (RFC 2104). The pads do not tell the secret key.
    """
    key = hashlib.sha256(f"{salt}{secret_key}".encode()).digest().ljust(64, b"\0")
    return bytes(byte ^ 0x36 for byte in key), bytes(byte ^ 0x5C for byte in key)
