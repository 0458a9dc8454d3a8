"""What an event says about a row: its columns as JSON, secrets as a word, phone numbers masked.

Whether a column changed is decided by what is stored, not by what is shown: two numbers look the same when masked, two
long texts when cut.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, time
from typing import Any

from django.db.models import DateField, ForeignKey, Model

from audit import long_texts
from core.fields import UnreadableSecret
from core.secret_columns import is_secret, secret_names

type Values = dict[str, Any]

# Words in the place of a secret.
CHANGED, SET, HIDDEN = "changed", "set", "••••"
# E.164, as numbers are stored everywhere.
_NUMBER = re.compile(r"\+\d{5,13}(?=\d\d)")
_PHONE_NAME = re.compile(r"(^|_)phone$")


def mask(text: str) -> str:
    """Every number in E.164 without all but its last two digits."""
    return _NUMBER.sub("••••", text)


@dataclass(frozen=True, kw_only=True)
class Column:
    """`stored` is compared, and never written or printed. `word` is shown in its place; None: its own text, masked."""

    stored: Any = field(repr=False)
    word: Any = None

    @property
    def shown(self) -> Any:  # noqa: ANN401 # any JSON
        return plain(self.stored) if self.word is None else self.word


type State = dict[str, Column]

_NO_COLUMN = Column(stored=None)


def state(row: Model) -> State:
    """The loaded columns and lists of a row, without its key, its secrets and what saving sets by itself."""
    unloaded = row.get_deferred_fields()
    plain_columns = {
        field.name: _column(row, field)
        for field in row._meta.concrete_fields
        if not (field.primary_key or field.attname in unloaded or is_secret(field) or _is_automatic(field))
    }
    lists = {field.name: _list(row, field) for field in row._meta.many_to_many} if row.pk else {}
    return plain_columns | lists


def columns(row: Model) -> Values:
    """The same as an event shows it."""
    return {name: column.shown for name, column in state(row).items()}


def changes(before: State, after: State) -> tuple[Values, Values]:
    """The fields whose stored values differ, as an event shows them; of long texts the part that differs."""
    was: Values = {}
    now: Values = {}
    for name in {**before, **after}:
        old, new = before.get(name, _NO_COLUMN), after.get(name, _NO_COLUMN)
        if _json(old.stored, str) == _json(new.stored, str):
            continue
        is_own = old.word is None and new.word is None
        pair = _both(old.stored, new.stored) if is_own else (old.shown, new.shown)
        if name in before:
            was[name] = pair[0]
        if name in after:
            now[name] = pair[1]
    return was, now


def _both(old: Any, new: Any) -> tuple[Any, Any]:  # noqa: ANN401 # any JSON
    """Both values as they are shown side by side."""
    match old, new:
        case str(), str() if old != new:
            return long_texts.difference(old, new, mask=mask)
        case Mapping(), Mapping():
            pairs = {key: _both(old.get(key), new.get(key)) for key in {**old, **new}}
            return {str(key): pairs[key][0] for key in old}, {str(key): pairs[key][1] for key in new}
    return plain(old), plain(new)


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


def _column(row: Model, field: Any) -> Column:  # noqa: ANN401 # any column
    value = getattr(row, field.attname)
    if isinstance(field, ForeignKey):
        return Column(
            stored=value, word=_name_of(field.remote_field.model, field.target_field.attname, value)
        )
    if _PHONE_NAME.search(field.name) and value:
        return Column(stored=value, word=HIDDEN + str(value)[-2:])
    return Column(stored=value)


def _name_of(model: type[Model], key: str, value: object) -> str | None:
    """The text of the row that a key leads to. Without its secrets: a lost encryption key must not stop a save."""
    if value is None:
        return None
    rows = model._default_manager.defer(*secret_names(model))
    row = rows.filter(**{key: value}).first()
    return mask(str(row)) if row else str(value)


def _list(row: Model, field: Any) -> Column:  # noqa: ANN401 # of any model
    items = list(getattr(row, field.name).all())
    return Column(
        stored=sorted(str(item.pk) for item in items),
        word=sorted(mask(str(getattr(item, "codename", item))) for item in items),
    )


def plain(value: Any) -> Any:  # noqa: ANN401 # any JSON
    """Any value of a column as JSON, masked, its lines cut to a readable length."""
    return _json(HIDDEN if isinstance(value, bytes | memoryview) else value, _text)


def _text(text: str) -> str:
    return long_texts.whole(text, mask=mask)


def _json(value: Any, text: Callable[[str], str]) -> Any:  # noqa: ANN401 # any JSON
    """`text` makes what stands for each text in it."""
    match value:
        case None | bool() | int() | float():
            return value
        case str():
            return text(value)
        case datetime() | date() | time():
            return value.isoformat()
        case Mapping():
            return {str(key): _json(item, text) for key, item in value.items()}
        case list() | tuple() | set() | frozenset():
            return [_json(item, text) for item in value]
        case bytes() | memoryview():
            return bytes(value).hex()
    return text(str(value))
