"""Which columns hold what must never be shown."""

import re

from django.db.models import Field, Model

from core.fields import EncryptedField

# Columns with such names hold credentials, or hashes of them.
_SECRET_NAME = re.compile(
    r"(^|_)(password|secret|salt|token|pem|hash|session_key|session_data|start_key|totp)(_|$)"
)


def is_secret(field: object) -> bool:
    """Whether a column's value must never be shown: it is encrypted, or its name says so."""
    return isinstance(field, EncryptedField) or (
        isinstance(field, Field) and bool(_SECRET_NAME.search(field.name))
    )


def secret_names(model: type[Model]) -> frozenset[str]:
    return frozenset(field.name for field in model._meta.get_fields() if is_secret(field))
