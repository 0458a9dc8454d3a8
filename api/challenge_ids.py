"""The `id` of a challenge in the API: an unguessable bearer value that only the client who started it can use.

Stateless: challenge, client and the number's key (abuse.rules.phone_key), with a MAC that also covers the purpose.
Neither the challenge's UUID nor the cookie of the hosted pages is valid here, and this id is not valid there.
"""

import hmac
import re
import struct
import uuid
from dataclasses import dataclass
from functools import lru_cache

from django.conf import settings

from core import base64url
from oidc.models import Client
from otp.models import Purpose

# Challenge, client, number, then the MAC. The length needs no base64 padding, so each id has one spelling.
_LAYOUT = struct.Struct(">16sQ12s")
_MAC_BYTES = 18
LENGTH = (_LAYOUT.size + _MAC_BYTES) * 4 // 3
PATTERN = rf"^[A-Za-z0-9_-]{{{LENGTH}}}$"
_SHAPE = re.compile(PATTERN[:-1] + r"\Z")


@dataclass(frozen=True, kw_only=True)
class Handle:
    """The parts of an id. Not authenticated until `purpose_of` has checked the MAC."""

    challenge_id: uuid.UUID
    client_key: int  # primary key of the client
    phone_key: str
    mac: bytes


def write(
    *, challenge_id: uuid.UUID, phone_key: str, client: Client, purpose: Purpose = Purpose.LOGIN
) -> str:
    payload = _LAYOUT.pack(challenge_id.bytes, client.pk, bytes.fromhex(phone_key))
    mac = _mac(payload, settings.SECRET_KEY, client, purpose)
    return base64url.encode(payload + mac).decode()


def read(text: str) -> Handle | None:
    """The parts of an id; None when it is malformed."""
    if not _SHAPE.match(text):
        return None
    raw = base64url.decode(text)
    challenge, client_key, number = _LAYOUT.unpack_from(raw)
    return Handle(
        challenge_id=uuid.UUID(bytes=challenge),
        client_key=client_key,
        phone_key=number.hex(),
        mac=raw[_LAYOUT.size :],
    )


def purpose_of(handle: Handle, *, client: Client) -> Purpose | None:
    """The purpose of the challenge; None unless we issued the id to this client in its present project."""
    payload = _LAYOUT.pack(handle.challenge_id.bytes, handle.client_key, bytes.fromhex(handle.phone_key))
    if handle.client_key != client.pk:
        return None
    for secret in (settings.SECRET_KEY, *settings.SECRET_KEY_FALLBACKS):
        for purpose in (Purpose.LOGIN, Purpose.ASSERTION):
            if hmac.compare_digest(handle.mac, _mac(payload, secret, client, purpose)):
                return purpose
    return None


def _mac(payload: bytes, secret: str, client: Client, purpose: Purpose) -> bytes:
    named = b"" if purpose is Purpose.LOGIN else purpose.encode()
    return hmac.digest(_key(secret), payload + client.project_id.bytes + named, "sha256")[:_MAC_BYTES]


@lru_cache(maxsize=8)
def _key(secret: str) -> bytes:
    return hmac.digest(secret.encode(), b"authsvc:api.handle", "sha256")
