"""One-time codes, derived and never stored: RFC 4226 over a key that belongs to one challenge alone. Pure."""

import base64
import hmac
import uuid
from collections.abc import Mapping

import pyotp

# Every send of a challenge carries the same code, so the counter has nothing to count.
_COUNTER = 0


class UnknownKey(Exception):
    """The key that made a code is no longer configured: its challenges cannot be answered any more."""


def derive(*, challenge_id: uuid.UUID, key_id: str, length: int, keys: Mapping[str, bytes]) -> str:
    """The code of a challenge: `length` digits, leading zeros included. Raises UnknownKey."""
    key = keys.get(key_id)
    if key is None:
        raise UnknownKey(key_id)
    secret = hmac.digest(key, challenge_id.bytes, "sha256")
    return pyotp.HOTP(base64.b32encode(secret).decode(), digits=length).at(_COUNTER)


def matching_keys(*, code: str, challenge_id: uuid.UUID, keys: Mapping[str, bytes]) -> list[str]:
    """The ids of the keys under which `code` would be this challenge's code; compared in constant time."""
    return [
        key_id
        for key_id in keys
        if hmac.compare_digest(
            derive(challenge_id=challenge_id, key_id=key_id, length=len(code), keys=keys), code
        )
    ]
