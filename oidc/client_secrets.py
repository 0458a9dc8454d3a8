"""Client secrets: long, shown once, stored as a hash."""

import base64
import hashlib
import secrets
from urllib.parse import unquote_plus

from django.contrib.auth.hashers import check_password, make_password
from django.db import transaction
from django.utils.crypto import constant_time_compare

from audit.kinds import Kind
from audit.record import record
from oidc.models import Client

_PREFIX = "sha256$"
# A secret of this length counts as random, and a plain salted hash protects it. A shorter one may be a word.
LONG = 32


def new_secret() -> str:
    """256 random bits."""
    return secrets.token_urlsafe(32)


def uses_secret(client: Client) -> bool:
    """Whether it authenticates by a secret: public clients and clients with registered keys do not."""
    return client.is_confidential and not client.jwks


def replace_secret(client: Client) -> str:
    """Give the client a new secret; the old one stops working at once. Show the result: it cannot be read again."""
    secret = new_secret()
    client.client_secret = hash_secret(secret)
    with transaction.atomic():
        client.save(update_fields=["client_secret", "updated"])
        record(Kind.SECRET_RENEWED, client)
    return secret


def hash_secret(secret: str) -> str:
    """The value to store. A long secret takes a microsecond to check, a short one a third of a second (PBKDF2)."""
    if len(secret) < LONG:
        return make_password(secret)
    salt = secrets.token_hex(8)
    return f"{_PREFIX}{salt}${_digest(salt, secret)}"


def is_fast(stored: str) -> bool:
    return stored.startswith(_PREFIX)


def matches(secret: str, stored: str) -> bool:
    """Not rate-limited: use oidc.secret_checks for requests from outside."""
    if not secret or not stored:
        return False
    if not is_fast(stored):
        return check_password(secret, stored)
    salt, _, digest = stored.removeprefix(_PREFIX).partition("$")
    return constant_time_compare(digest, _digest(salt, secret))


def _digest(salt: str, secret: str) -> str:
    return hashlib.sha256(f"{salt}:{secret}".encode()).hexdigest()


def read_basic(header: str) -> tuple[str, str] | None:
    """Client ID and secret of a Basic Authorization header, which are form-encoded (RFC 6749 2.3.1); None for any
    other header."""
    scheme, _, value = header.partition(" ")
    if scheme.lower() != "basic":
        return None
    try:
        name, separator, secret = base64.b64decode(value, validate=True).decode().partition(":")
    except ValueError:  # neither base64 nor text
        return None
    return (unquote_plus(name), unquote_plus(secret)) if separator else None
