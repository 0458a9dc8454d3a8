"""Running the statements of `.sql` files: named parameters in, rows by the names of their columns out."""

import json
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from functools import cache, lru_cache
from pathlib import Path
from typing import Any

from django.db import DEFAULT_DB_ALIAS, connection, connections, transaction

from core import prepared

# The columns of each statement, which is a constant of a module. Asking the cursor costs as much as the row itself.
_NAMES: dict[str, tuple[str, ...]] = {}
_quoted = json.JSONEncoder(ensure_ascii=False).encode


def load(file: Path, **numbers: int) -> str:
    """The statement of a file without its comments and indents: psycopg reads one of more than 4,096 characters anew
    each time. `{name}` stands for a number of ours that the planner must see."""
    lines = [line.strip() for line in file.read_text(encoding="utf-8").splitlines()]
    text = "\n".join(line for line in lines if not line.startswith("--"))
    for name, number in numbers.items():
        text = text.replace(f"{{{name}}}", str(int(number)))
    return text


@dataclass(frozen=True, kw_only=True)
class WithQueries:
    """Queries that another app adds to a statement of PostgreSQL, so that both happen or neither (WITH).

    `text` is `name AS (...), name AS (...)`, a constant: every text is a prepared statement of its own.
    """

    text: str
    parameters: Mapping[str, Any] = field(repr=False)


@lru_cache
def extended(statement: str, queries: str) -> str:
    """The statement with more WITH queries, which may read from all of its own. Its main query is the last line that
    begins with SELECT."""
    own, select, main = statement.rpartition("\nSELECT ")
    if not select:
        raise ValueError("a statement without WITH queries")
    return f"{own}, {queries}{select}{main}"


@cache
def is_postgres() -> bool:
    return connection.vendor == "postgresql"


def array(values: Iterable[str | float | None]) -> str:
    """A parameter for `%(name)s::type[]` of PostgreSQL, as one text: the driver takes longer for each value of a list
    than the database for its row.

    Text must be printable: JSON and PostgreSQL quote that alike, and control characters would come out changed.
    """
    return f"{{{_quoted(list(values))[1:-1]}}}"


def rows[Row](statement: str, parameters: Mapping[str, Any], *, make: Callable[..., Row]) -> list[Row]:
    """Each row of one statement, made of its columns by name. It commits by itself unless a transaction is open."""
    names, fetched, _ = _execute(statement, parameters)
    return [make(**dict(zip(names, row, strict=True))) for row in fetched]


def tuples(
    statement: str, parameters: Mapping[str, Any], *, columns: tuple[str, ...]
) -> list[tuple[Any, ...]]:
    """As `rows`, as they come: for many rows at once. Raises TypeError when they are others or
    in another order."""
    names, fetched, _ = _execute(statement, parameters)
    if names != columns:
        raise TypeError(f"columns {names}, expected {columns}")
    return fetched


def value(statement: str, parameters: Mapping[str, Any]) -> Any:  # noqa: ANN401 # the column's type
    """The first column of the first row; None: there is none."""
    _, fetched, _ = _execute(statement, parameters)
    return fetched[0][0] if fetched else None


def run(statement: str, parameters: Mapping[str, Any]) -> int:
    """One statement without rows; how many it wrote."""
    return _execute(statement, parameters)[2]


def after_commit(act: Callable[[], None]) -> None:
    """Call `act` once the open transaction is committed, or now: outside of one each statement commits by itself."""
    if connections[DEFAULT_DB_ALIAS].in_atomic_block:
        transaction.on_commit(act)
    else:
        act()


def _execute(statement: str, parameters: Mapping[str, Any]) -> prepared.Result:
    wrapper = connections[DEFAULT_DB_ALIAS]
    result = prepared.execute(wrapper, statement, parameters)
    if result is not None:
        return result
    with wrapper.cursor() as cursor:
        cursor.execute(statement, parameters)
        if cursor.description is None:
            return (), [], cursor.rowcount
        names = _NAMES.get(statement)
        if names is None:
            names = _NAMES[statement] = tuple(column[0] for column in cursor.description)
        return names, cursor.fetchall(), cursor.rowcount
