"""Encrypts all stored secrets anew with the first configured key, so that older keys can be taken away.

Finds every `EncryptedField` of every model by itself. Row by row and value by value: a secret that somebody saves at
the same moment is left alone, because it is written only where the old token still stands.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field

from cryptography.fernet import Fernet, InvalidToken
from django.apps import apps
from django.conf import settings
from django.db import models
from django.db.models.functions import Cast

from projects.secrets import EncryptedField, UnreadableSecret, decrypt


@dataclass(frozen=True, kw_only=True)
class Field:
    """One encrypted column."""

    model: type[models.Model]
    name: str

    @property
    def label(self) -> str:
        return f"{self.model._meta.label}.{self.name}"


@dataclass(kw_only=True)
class Count:
    """What was found in one column."""

    current: int = 0  # already under the first key
    old: int = 0  # under an older one: encrypted anew, unless only counted
    unreadable: list[object] = field(default_factory=list)  # keys of the rows that no configured key opens


def fields() -> Iterator[Field]:
    for model in apps.get_models():
        for column in model._meta.concrete_fields:
            if isinstance(column, EncryptedField):
                yield Field(model=model, name=column.name)


def rekey(field: Field, *, only_count: bool) -> Count:
    """Re-encrypt one column, or only count what would be."""
    first, count = Fernet(settings.AUTHSVC_ENCRYPTION_KEYS[0]), Count()
    for key, token in _tokens(field):
        if _opens(first, token):
            count.current += 1
            continue
        try:
            plain = decrypt(token)
        except UnreadableSecret:
            count.unreadable.append(key)
            continue
        count.old += 1
        if not only_count:
            _replace(field, key, token, plain)
    return count


def _rows(field: Field) -> "models.QuerySet[models.Model]":
    """All rows with their tokens as stored, in `token`."""
    return field.model._default_manager.annotate(token=Cast(field.name, models.TextField()))


def _tokens(field: Field) -> list[tuple[object, str]]:
    return list(_rows(field).exclude(token="").order_by("pk").values_list("pk", "token"))


def _replace(field: Field, key: object, token: str, plain: str) -> None:
    """Only where the old token still stands; the field encrypts as it writes."""
    _rows(field).filter(pk=key, token=token).update(**{field.name: plain})


def _opens(box: Fernet, token: str) -> bool:
    try:
        box.decrypt(token.encode())
    except InvalidToken:
        return False
    return True
