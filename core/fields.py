"""Encrypted model fields (Fernet). The keys come from settings and can be rotated."""

import json
from collections.abc import Sequence
from functools import lru_cache
from typing import Any

from cryptography.fernet import Fernet, InvalidToken, MultiFernet
from django.conf import settings
from django.db import models


class UnreadableSecret(Exception):
    """A stored secret cannot be decrypted: its key is no longer configured."""


@lru_cache(maxsize=4)
def _box(keys: tuple[str, ...]) -> MultiFernet:
    return MultiFernet([Fernet(key) for key in keys])


def _current_box() -> MultiFernet:
    return _box(tuple(settings.AUTHSVC_ENCRYPTION_KEYS))


def encrypt(plain: str) -> str:
    return _current_box().encrypt(plain.encode()).decode()


def decrypt(token: str) -> str:
    """Raises UnreadableSecret if no configured key decrypts it."""
    try:
        return _current_box().decrypt(token.encode()).decode()
    except InvalidToken as error:
        raise UnreadableSecret("no configured encryption key decrypts this secret") from error


class EncryptedField(models.TextField):  # type: ignore[type-arg] # not subscriptable at run time
    """Text that is encrypted in the database; the empty string stays empty. Not searchable."""

    def get_prep_value(self, value: Any) -> Any:  # noqa: ANN401 # Django's signature
        plain = super().get_prep_value(value)
        return encrypt(plain) if plain else plain

    def from_db_value(self, value: str | None, _expression: object, _connection: object) -> str | None:
        return decrypt(value) if value else value

    def get_lookup(self, _lookup_name: str) -> None:  # Fernet is randomized, so comparisons cannot work
        return None


class EncryptedJSONField(EncryptedField):
    """A mapping that is encrypted as a whole; an empty one is stored as the empty string."""

    def get_prep_value(self, value: Any) -> Any:  # noqa: ANN401 # Django's signature
        return encrypt(json.dumps(value)) if value else ""

    def from_db_value(self, value: str | None, expression: object, connection: object) -> Any:  # noqa: ANN401 # Django's signature
        return self.to_python(super().from_db_value(value, expression, connection))

    def to_python(self, value: Any) -> Any:  # noqa: ANN401 # Django's signature
        return (json.loads(value) if value else {}) if isinstance(value, str | None) else value


def fernet_problem(keys: Sequence[str]) -> str | None:
    """What is wrong with the configured keys, None if nothing."""
    for number, key in enumerate(keys, 1):
        try:
            Fernet(key)
        except (ValueError, TypeError):
            return f"key number {number} is not a Fernet key (32 bytes, url-safe base64)"
    return None
