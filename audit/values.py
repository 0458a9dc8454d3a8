"""What an event says about a row: its columns as JSON, secrets as a word, phone numbers masked."""

import re
from collections.abc import Mapping
from datetime import date, datetime, time
from typing import Any

from django.db.models import DateField, ForeignKey, Model

from core.fields import UnreadableSecret
from core.secret_columns import is_secret, secret_names

type Values = dict[str, Any]

# Words in the place of a secret.
CHANGED, SET, HIDDEN = "changed", "set", "••••"
_LONGEST = 1000
# E.164, as numbers are stored everywhere.
_NUMBER = re.compile(r"\+\d{5,13}(?=\d\d)")
_PHONE_NAME = re.compile(r"(^|_)phone$")


def mask(text: str) -> str:
    """Every number in E.164 without all but its last two digits."""
    return _NUMBER.sub("••••", text)


def columns(row: Model) -> Values:
    """The loaded columns and lists of a row, without its key, its secrets and what saving sets by itself."""
    unloaded = row.get_deferred_fields()
    values = {
        field.name: _column(row, field)
        for field in row._meta.concrete_fields
        if not (field.primary_key or field.attname in unloaded or is_secret(field) or _is_automatic(field))
    }
    lists = {field.name: _list(row, field) for field in row._meta.many_to_many} if row.pk else {}
    return values | lists


def secrets(row: Model) -> Values:
    """The secrets, to be compared and then forgotten. A mapping of secrets counts by its names."""
    values: Values = {}
    for name in sorted(secret_names(type(row))):
        try:
            value = getattr(row, name)
        except UnreadableSecret:
            value = HIDDEN
        if isinstance(value, Mapping):
            values |= {f"{name}.{key}": item for key, item in value.items()}
        elif value:
            values[name] = value
    return values


def difference(before: Mapping[str, Any], after: Mapping[str, Any]) -> tuple[Values, Values]:
    """The fields that differ, as they were and as they are."""
    names = [name for name in {**before, **after} if before.get(name) != after.get(name)]
    return (
        {name: before[name] for name in names if name in before},
        {name: after[name] for name in names if name in after},
    )


def changed_secrets(before: Mapping[str, Any], after: Mapping[str, Any]) -> tuple[Values, Values]:
    """The same for secrets: only that they changed, never a value."""
    was, now = difference(before, after)
    words = {name: CHANGED if name in was else SET for name in now}
    return dict.fromkeys(was, HIDDEN), words


def _is_automatic(field: Any) -> bool:  # noqa: ANN401 # of any type
    if isinstance(field, DateField) and field.auto_now:
        return True
    return str(field.name) == "last_login"


def _column(row: Model, field: Any) -> Any:  # noqa: ANN401 # any column, any JSON
    value = getattr(row, field.attname)
    if isinstance(field, ForeignKey):
        return _name_of(field.remote_field.model, field.target_field.attname, value)
    if _PHONE_NAME.search(field.name):
        return HIDDEN + str(value)[-2:] if value else value
    return plain(value)


def _name_of(model: type[Model], key: str, value: object) -> str | None:
    """The text of the row that a key leads to. Without its secrets: a lost encryption key must not stop a save."""
    if value is None:
        return None
    rows = model._default_manager.defer(*secret_names(model))
    row = rows.filter(**{key: value}).first()
    return mask(str(row)) if row else str(value)


def _list(row: Model, field: Any) -> list[str]:  # noqa: ANN401 # of any model
    return sorted(str(getattr(item, "codename", item)) for item in getattr(row, field.name).all())


def plain(value: Any) -> Any:  # noqa: ANN401 # any JSON
    """Any value of a column as JSON, masked, cut to a readable length."""
    match value:
        case None | bool() | int() | float():
            return value
        case str():
            text = mask(value)
            return text if len(text) <= _LONGEST else text[:_LONGEST] + "…"
        case datetime() | date() | time():
            return value.isoformat()
        case Mapping():
            return {str(key): plain(item) for key, item in value.items()}
        case list() | tuple() | set() | frozenset():
            return [plain(item) for item in value]
    return HIDDEN if isinstance(value, bytes | memoryview) else mask(str(value))
