"""Client secrets: made long, shown once, stored as a hash."""

import base64
import hashlib
import secrets
from collections.abc import Callable

from django.contrib.auth.hashers import check_password, make_password
from django.utils.crypto import constant_time_compare

_PREFIX = "sha256$"
# From here on a secret is taken for random and a plain salted hash protects it; a shorter one may be a word.
LONG = 32


def new_secret() -> str:
    """256 random bits."""
    return secrets.token_urlsafe(32)


def hash_secret(secret: str) -> str:
    """What is stored. Long ones cost a microsecond to check; short ones a password hasher's third of a second."""
    if len(secret) < LONG:
        return make_password(secret)
    salt = secrets.token_hex(8)
    return f"{_PREFIX}{salt}${_digest(salt, secret)}"


def matches(secret: str, stored: str) -> bool:
    if not secret or not stored:
        return False
    if not stored.startswith(_PREFIX):
        return check_password(secret, stored)
    salt, _, digest = stored.removeprefix(_PREFIX).partition("$")
    return constant_time_compare(digest, _digest(salt, secret))


def _digest(salt: str, secret: str) -> str:
    return hashlib.sha256(f"{salt}:{secret}".encode()).hexdigest()


def of_basic(header: str, *, unquote: Callable[[str], str]) -> tuple[str, str] | None:
    """Name and secret of a Basic authorization header; None for every other."""
    scheme, _, value = header.partition(" ")
    if scheme.lower() != "basic":
        return None
    try:
        name, separator, secret = base64.b64decode(value, validate=True).decode().partition(":")
    except ValueError:  # neither base64 nor text
        return None
    return (unquote(name), unquote(secret)) if separator else None
