"""New rows as their table takes them: one statement for each kind, made once for all tests.

Saving a project by its model costs eight statements which Django compiles anew each time, and half of all tests begin
with one. What hangs on `save` has tests of its own (tests/projects, tests/channels).
"""

from functools import cache
from typing import Any

from django.db import connection
from django.db.models import AutoField, Field, Model

from core import config_version
from core.config_models import ConfigVersion


@cache
def _columns(model: type[Model], vendor: str, rows: int) -> tuple[str, list["Field[Any, Any]"]]:
    """The statement for so many rows, and the fields of each in its order. A key that counts up is the database's."""
    fields = [item for item in model._meta.local_concrete_fields if not isinstance(item, AutoField)]
    name = connection.ops.quote_name
    columns = ", ".join(name(str(item.column)) for item in fields)
    places = ", ".join(["(" + ", ".join(["%s"] * len(fields)) + ")"] * rows)
    return f"INSERT INTO {name(model._meta.db_table)} ({columns}) VALUES {places}", fields


def insert(*rows: Model) -> None:
    """All of one model."""
    statement, fields = _columns(type(rows[0]), connection.vendor, len(rows))
    values = [
        field.get_db_prep_save(field.pre_save(row, add=True), connection) for row in rows for field in fields
    ]
    with connection.cursor() as cursor:
        cursor.execute(statement, values)
    for row in rows:
        row._state.adding = False
        row._state.db = connection.alias


def count(model: type[Model]) -> int:
    """How many rows there are."""
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT count(*) FROM {connection.ops.quote_name(model._meta.db_table)}")
        found: tuple[int] = cursor.fetchone()
    return found[0]


def raise_version() -> int:
    """What saving a row of configuration does (ConfigVersion.bump), in one statement and at once."""
    table = connection.ops.quote_name(ConfigVersion._meta.db_table)
    with connection.cursor() as cursor:
        cursor.execute(
            f"INSERT INTO {table} (id, value) VALUES (1, 1) "
            f"ON CONFLICT (id) DO UPDATE SET value = {table}.value + 1 RETURNING value"
        )
        version: int = cursor.fetchone()[0]
    config_version.publish(version)
    return version
