"""Secrets at rest: a model field that is encrypted with Fernet. The keys come from settings and can be rotated."""

from collections.abc import Sequence
from functools import lru_cache
from typing import Any

from cryptography.fernet import Fernet, InvalidToken, MultiFernet
from django.conf import settings
from django.db import models


class UnreadableSecret(Exception):
    """A stored secret was encrypted with a key that is no longer configured."""


@lru_cache(maxsize=4)
def _box(keys: tuple[str, ...]) -> MultiFernet:
    return MultiFernet([Fernet(key) for key in keys])


def _current_box() -> MultiFernet:
    return _box(tuple(settings.AUTHSVC_ENCRYPTION_KEYS))


def encrypt(plain: str) -> str:
    return _current_box().encrypt(plain.encode()).decode()


def decrypt(token: str) -> str:
    """The plain text. Raises UnreadableSecret when no configured key fits."""
    try:
        return _current_box().decrypt(token.encode()).decode()
    except InvalidToken as error:
        raise UnreadableSecret("no configured encryption key opens this secret") from error


class EncryptedField(models.TextField):  # type: ignore[type-arg] # not subscriptable at run time
    """Text that is encrypted in the database; the empty string stays empty. Not searchable."""

    def get_prep_value(self, value: Any) -> Any:  # noqa: ANN401 # Django's signature
        plain = super().get_prep_value(value)
        return encrypt(plain) if plain else plain

    def from_db_value(self, value: str | None, _expression: object, _connection: object) -> str | None:
        return decrypt(value) if value else value

    def get_lookup(self, _lookup_name: str) -> None:  # Fernet is randomised: no comparison can work
        return None


def fernet_problem(keys: Sequence[str]) -> str | None:
    """What is wrong with configured keys, in words, or None."""
    for number, key in enumerate(keys, 1):
        try:
            Fernet(key)
        except (ValueError, TypeError):
            return f"key number {number} is not a Fernet key (32 bytes, url-safe base64)"
    return None
