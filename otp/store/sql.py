"""Running one statement."""

from collections.abc import Mapping, Sequence
from typing import Any

from django.db import connection


def is_postgres() -> bool:
    return connection.vendor == "postgresql"


def rows(statement: str, parameters: Mapping[str, object] | Sequence[object]) -> list[tuple[Any, ...]]:
    """All rows of one statement. It commits by itself unless a transaction is open."""
    with connection.cursor() as cursor:
        cursor.execute(statement, parameters)  # type: ignore[arg-type] # stubs know fewer parameter types than psycopg
        return cursor.fetchall()
