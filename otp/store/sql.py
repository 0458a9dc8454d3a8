"""Running one statement."""

from collections.abc import Mapping
from typing import Any

from django.db import connection


def is_postgres() -> bool:
    return connection.vendor == "postgresql"


def rows(statement: str, parameters: Mapping[str, Any]) -> list[tuple[Any, ...]]:
    """All rows of one statement. It commits by itself unless a transaction is open."""
    with connection.cursor() as cursor:
        cursor.execute(statement, parameters)
        return list(cursor.fetchall())


def run(statement: str, parameters: Mapping[str, Any]) -> None:
    """One statement whose rows nobody needs."""
    with connection.cursor() as cursor:
        cursor.execute(statement, parameters)
