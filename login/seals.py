"""Encrypted values in forms and URLs: only we can read or make them, and only with the browser's cookie."""

import hmac
import os
from base64 import urlsafe_b64decode, urlsafe_b64encode
from functools import lru_cache

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from django.conf import settings

SECRET_BYTES = 16
_NONCE_BYTES = 12
_MAX_LENGTH = 8192


def new_secret() -> bytes:
    """Identifies a browser. It is in the browser's cookie and nowhere else."""
    return os.urandom(SECRET_BYTES)


@lru_cache(maxsize=8)
def _root(secret_key: str) -> bytes:
    return hmac.digest(secret_key.encode(), b"login.seals", "sha256")


def _cipher(secret_key: str, browser: bytes) -> AESGCM:
    """One key per browser: a seal opens for its browser only, and no key encrypts many values."""
    return AESGCM(hmac.digest(_root(secret_key), browser, "sha256"))


def encode(value: bytes) -> str:
    return urlsafe_b64encode(value).rstrip(b"=").decode()


def decode(text: str) -> bytes:
    """b"" when the text is not base64url."""
    if len(text) > _MAX_LENGTH or not text.isascii():
        return b""
    try:
        return urlsafe_b64decode(text + "=" * (-len(text) % 4))
    except ValueError:
        return b""


def seal(value: bytes, *, browser: bytes, purpose: bytes) -> str:
    nonce = os.urandom(_NONCE_BYTES)
    return encode(nonce + _cipher(settings.SECRET_KEY, browser).encrypt(nonce, value, purpose))


def unseal(text: str, *, browser: bytes, purpose: bytes) -> bytes | None:
    """The sealed value; None unless it was sealed for this browser and purpose."""
    raw = decode(text)
    if len(raw) <= _NONCE_BYTES or not browser:
        return None
    for secret_key in (settings.SECRET_KEY, *settings.SECRET_KEY_FALLBACKS):
        try:
            return _cipher(secret_key, browser).decrypt(raw[:_NONCE_BYTES], raw[_NONCE_BYTES:], purpose)
        except InvalidTag:
            continue
    return None
