"""Statements of PostgreSQL that run in every request: prepared once on each connection, then one call of libpq each.

A cursor does the same in 130 functions of Django and psycopg, which cost more than the statement. Parameters and
columns are still converted by psycopg (`psycopg.adapt.Transformer`), with the types of Django's connection.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from itertools import count
from operator import itemgetter
from typing import Any

import psycopg
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.backends.postgresql.base import ServerBindingCursor
from psycopg import pq
from psycopg.adapt import PyFormat, Transformer
from psycopg.errors import error_from_result

type Connection = psycopg.Connection[Any]

_PARAMETER = re.compile(r"%(?:\((\w+)\)s|(%))")
_ATTRIBUTE = "_authsvc_prepared"
# Each has as many forms as its parameters have combinations of types; what goes beyond runs by a cursor.
_MOST_STATEMENTS = 300
# Nothing was done, because the server has forgotten the statement (psycopg deallocates all after a rollback), or a
# migration has changed what it returns.
_FORGOTTEN, _CHANGED = b"26000", b"0A000"
_SQLSTATE = pq.DiagnosticField.SQLSTATE
_NUMBERS = count()  # a name is never used twice
# A plan is made for the tables as they are, and kept: one that was made while they were nearly empty reads them from
# end to end until PostgreSQL analyses them, minutes later. So it is made anew after so many runs, and again
# after so many times as many.
_FIRST_RENEWAL, _NEXT_RENEWAL = 128, 16
_ROWS, _NO_ROWS, _FAILED = pq.ExecStatus.TUPLES_OK, pq.ExecStatus.COMMAND_OK, pq.ExecStatus.FATAL_ERROR


@dataclass(frozen=True, slots=True)
class _Parsed:
    """A statement as the server takes it. `values` takes its parameters, in their order, and raises KeyError when one
    is missing."""

    query: bytes
    values: Callable[[Mapping[str, Any]], tuple[Any, ...]]
    formats: list[PyFormat]


@dataclass(slots=True)
class _Kept:
    """A statement that a connection has prepared."""

    name: bytes
    renewed_at: int  # runs
    runs: int = 0


class _Prepared:
    """What one connection has prepared, by the text of statements and the types of their parameters."""

    __slots__ = ("kept", "transformer")

    def __init__(self, connection: Connection) -> None:
        self.transformer = Transformer(connection)
        self.kept: dict[tuple[str, Any], _Kept] = {}


# The names of the columns, the rows, and how many rows were written by a statement that returns none.
type Result = tuple[tuple[str, ...], list[tuple[Any, ...]], int]


def execute(wrapper: BaseDatabaseWrapper, statement: str, parameters: Mapping[str, Any]) -> Result | None:
    """Run one statement in a transaction of its own. None: it is one for a cursor, nothing was done.

    A cursor is for SQLite, for PgBouncer, for an open transaction, and while somebody watches the cursors (traces,
    tests). Raises Django's database errors.
    """
    if wrapper.vendor != "postgresql" or wrapper.in_atomic_block:
        return None
    if wrapper.execute_wrappers or wrapper.force_debug_cursor:
        return None
    connection: Connection | None = wrapper.connection
    try:
        if connection is not None:
            return _execute(connection, statement, parameters)
        pool = wrapper.pool  # type: ignore[attr-defined] # PostgreSQL's
        if pool is None:
            return None  # a connection of the thread's own, which Django opens
        if pool.closed:
            pool.open()
        connection = pool.getconn()
        try:
            return _execute(connection, statement, parameters)
        finally:
            pool.putconn(connection)
    except psycopg.Error:
        with wrapper.wrap_database_errors:
            raise


def _execute(connection: Connection, statement: str, parameters: Mapping[str, Any]) -> Result | None:
    factory: Any = connection.cursor_factory  # a traced one when telemetry is on
    if factory is not ServerBindingCursor or connection.prepare_threshold is None:
        return None
    result = _run(connection, statement, parameters)
    if result is not None and result.status == _FAILED and _forget(connection, statement, result):
        result = _run(connection, statement, parameters)
    if result is None:
        return None
    if result.status == _ROWS:
        transformer = getattr(connection, _ATTRIBUTE).transformer
        transformer.set_pgresult(result)
        rows = transformer.load_rows(0, result.ntuples, tuple)
        return _columns(statement, result), rows, len(rows)
    _check(connection, result)
    return (), [], result.command_tuples or 0


def _forget(connection: Connection, statement: str, failed: pq.abc.PGresult) -> bool:
    """Whether it failed because it has to be prepared anew."""
    state = failed.error_field(_SQLSTATE)
    if state == _FORGOTTEN:
        delattr(connection, _ATTRIBUTE)
    elif state == _CHANGED:
        _COLUMNS.pop(statement, None)
        kept = getattr(connection, _ATTRIBUTE).kept
        for key in [key for key in kept if key[0] == statement]:
            del kept[key]
    return state in (_FORGOTTEN, _CHANGED)


def _run(connection: Connection, statement: str, parameters: Mapping[str, Any]) -> pq.abc.PGresult | None:
    """None: this connection has prepared enough."""
    prepared: _Prepared | None = getattr(connection, _ATTRIBUTE, None)
    if prepared is None:
        prepared = _Prepared(connection)
        setattr(connection, _ATTRIBUTE, prepared)
    parsed, transformer = _parse(statement), prepared.transformer
    values = transformer.dump_sequence(parsed.values(parameters), parsed.formats)
    types, formats = transformer.types, transformer.formats
    kept = prepared.kept.get((statement, types))
    if kept is None:
        if len(prepared.kept) >= _MOST_STATEMENTS:
            return None
        kept = prepared.kept[statement, types] = _Kept(
            _prepare(connection, parsed.query, types), _FIRST_RENEWAL
        )
    elif kept.runs >= kept.renewed_at:
        old, kept.name = kept.name, _prepare(connection, parsed.query, types)
        kept.renewed_at *= _NEXT_RENEWAL
        connection.pgconn.exec_(b"DEALLOCATE " + old)  # refused where the server has forgotten it
    kept.runs += 1
    return connection.pgconn.exec_prepared(kept.name, values, formats)  # type: ignore[arg-type] # None is NULL


def _prepare(connection: Connection, query: bytes, types: Any) -> bytes:  # noqa: ANN401 # the transformer's
    """The name under which the server has it. Raises psycopg's error."""
    name = b"authsvc_%d" % next(_NUMBERS)
    _check(connection, connection.pgconn.prepare(name, query, types))
    return name


def _check(connection: Connection, result: pq.abc.PGresult) -> None:
    """Raises psycopg's error when the statement failed."""
    if result.status in (_ROWS, _NO_ROWS):
        return
    error = error_from_result(result, encoding=connection.info.encoding)
    if connection.closed:
        raise psycopg.OperationalError(str(error)) from error
    raise error


# The columns of each statement, which is a constant of a module.
_COLUMNS: dict[str, tuple[str, ...]] = {}


def _columns(statement: str, result: pq.abc.PGresult) -> tuple[str, ...]:
    columns = _COLUMNS.get(statement)
    if columns is None:
        names = (result.fname(number) or b"" for number in range(result.nfields))
        columns = _COLUMNS[statement] = tuple(name.decode() for name in names)
    return columns


@lru_cache(maxsize=_MOST_STATEMENTS)
def _parse(statement: str) -> _Parsed:
    """`%(name)s` becomes `$1`, wherever it stands; `%%` a percent sign."""
    names: dict[str, int] = {}

    def number(match: re.Match[str]) -> str:
        return "%" if match[2] else f"${names.setdefault(match[1], len(names) + 1)}"

    query = _PARAMETER.sub(number, statement).encode()
    # `itemgetter` gives a tuple only of two and more.
    values = (
        itemgetter(*names) if len(names) > 1 else lambda parameters: tuple(parameters[name] for name in names)
    )
    return _Parsed(query, values, [PyFormat.AUTO] * len(names))
