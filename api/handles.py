"""The `id` of a challenge in the API: an unguessable bearer value that the client who started it alone can use.

Stateless: challenge, client and the number's key (otp.limits.phone_key), sealed with a key of SECRET_KEY. Neither the
challenge's own UUID nor the cookie of the hosted pages opens anything here, and an id opens nothing there.
"""

import base64
import hmac
import re
import struct
import uuid
from dataclasses import dataclass
from functools import lru_cache

from django.conf import settings

from oidc.models import Client

# challenge, client, number, seal: without padding, so that there is one way to write each id.
_LAYOUT = struct.Struct(">16sQ12s")
_SEAL_BYTES = 18
LENGTH = (_LAYOUT.size + _SEAL_BYTES) * 4 // 3
PATTERN = rf"^[A-Za-z0-9_-]{{{LENGTH}}}$"
_SHAPE = re.compile(PATTERN[:-1] + r"\Z")


@dataclass(frozen=True, kw_only=True)
class Handle:
    """What an id names. Nothing of it is proven before `is_genuine`."""

    challenge_id: uuid.UUID
    client_key: int  # primary key of the client
    phone_key: str
    seal: bytes


def write(*, challenge_id: uuid.UUID, phone_key: str, client: Client) -> str:
    named = _LAYOUT.pack(challenge_id.bytes, client.pk, bytes.fromhex(phone_key))
    sealed = named + _seal(named, settings.SECRET_KEY, client)
    return base64.urlsafe_b64encode(sealed).decode()


def read(text: str) -> Handle | None:
    """The parts of something that looks like an id; None when it does not."""
    if not _SHAPE.match(text):
        return None
    raw = base64.urlsafe_b64decode(text)
    challenge, client_key, number = _LAYOUT.unpack_from(raw)
    return Handle(
        challenge_id=uuid.UUID(bytes=challenge),
        client_key=client_key,
        phone_key=number.hex(),
        seal=raw[_LAYOUT.size :],
    )


def is_genuine(handle: Handle, *, client: Client) -> bool:
    """Whether we gave it to this client, in the project that it is in now."""
    named = _LAYOUT.pack(handle.challenge_id.bytes, handle.client_key, bytes.fromhex(handle.phone_key))
    return handle.client_key == client.pk and any(
        hmac.compare_digest(handle.seal, _seal(named, secret, client))
        for secret in (settings.SECRET_KEY, *settings.SECRET_KEY_FALLBACKS)
    )


def _seal(named: bytes, secret: str, client: Client) -> bytes:
    return hmac.digest(_key(secret), named + client.project_id.bytes, "sha256")[:_SEAL_BYTES]


@lru_cache(maxsize=8)
def _key(secret: str) -> bytes:
    return hmac.digest(secret.encode(), b"authsvc:api.handle", "sha256")
