"""Running the statements of `.sql` files: named parameters in, rows by the names of their columns out."""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from django.db import connection

# The columns of each statement, which is a constant of a module. Asking the cursor costs as much as the row itself.
_NAMES: dict[str, tuple[str, ...]] = {}


def load(file: Path, **numbers: int) -> str:
    """The statement of a file without its comments. `{name}` stands for a number of ours that the planner must see."""
    lines = file.read_text(encoding="utf-8").splitlines()
    text = "\n".join(line for line in lines if not line.lstrip().startswith("--"))
    for name, number in numbers.items():
        text = text.replace(f"{{{name}}}", str(int(number)))
    return text


def is_postgres() -> bool:
    return connection.vendor == "postgresql"


def rows[Row](statement: str, parameters: Mapping[str, Any], *, make: Callable[..., Row]) -> list[Row]:
    """Each row of one statement, made of its columns by name. It commits by itself unless a transaction is open."""
    with connection.cursor() as cursor:
        cursor.execute(statement, parameters)
        names = _NAMES.get(statement)
        if names is None:
            names = _NAMES[statement] = tuple(column[0] for column in cursor.description)
        return [make(**dict(zip(names, row, strict=True))) for row in cursor.fetchall()]


def value(statement: str, parameters: Mapping[str, Any]) -> Any:  # noqa: ANN401 # the column's type
    """The first column of the first row; None: there is none."""
    with connection.cursor() as cursor:
        cursor.execute(statement, parameters)
        row = cursor.fetchone()
    return row[0] if row else None


def run(statement: str, parameters: Mapping[str, Any]) -> int:
    """One statement without rows; how many it wrote."""
    with connection.cursor() as cursor:
        cursor.execute(statement, parameters)
        return int(cursor.rowcount)
