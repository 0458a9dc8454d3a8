"""Re-encrypts all stored secrets with the first configured key, so that older keys can be removed.

Covers every `EncryptedField` of every model. A value is replaced only while its old token is still stored, so that a
secret saved at the same time is kept.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field

from cryptography.fernet import Fernet, InvalidToken
from django.apps import apps
from django.conf import settings
from django.db import models
from django.db.models.functions import Cast

from core.fields import EncryptedField, UnreadableSecret, decrypt


@dataclass(kw_only=True)
class Count:
    """The secrets of one column, by the key that decrypts them."""

    current: int = 0  # the first key
    old: int = 0  # an older key
    unreadable: list[object] = field(default_factory=list)  # no key; primary keys of the rows


def fields() -> Iterator[EncryptedField]:
    """All encrypted columns; as text each is `app.Model.name`."""
    for model in apps.get_models():
        for column in model._meta.concrete_fields:
            if isinstance(column, EncryptedField):
                yield column


def rekey(field: EncryptedField, *, only_count: bool) -> Count:
    """Re-encrypt one column, or only count."""
    first, count = Fernet(settings.AUTHSVC_ENCRYPTION_KEYS[0]), Count()
    for key, token in _tokens(field):
        if _decrypts(first, token):
            count.current += 1
            continue
        try:
            plain = decrypt(token)
        except UnreadableSecret:
            count.unreadable.append(key)
            continue
        count.old += 1
        if not only_count:
            _replace(field, key, token, field.to_python(plain))
    return count


def _rows(field: EncryptedField) -> "models.QuerySet[models.Model]":
    """All rows with their tokens as stored, in `token`."""
    return field.model._default_manager.annotate(token=Cast(field.name, models.TextField()))


def _tokens(field: EncryptedField) -> list[tuple[object, str]]:
    return list(_rows(field).exclude(token="").order_by("pk").values_list("pk", "token"))


def _replace(field: EncryptedField, key: object, token: str, value: object) -> None:
    """Only where the old token is still stored; the field encrypts as it writes."""
    _rows(field).filter(pk=key, token=token).update(**{field.name: value})


def _decrypts(key: Fernet, token: str) -> bool:
    try:
        key.decrypt(token.encode())
    except InvalidToken:
        return False
    return True
