"""Statements that are prepared once: the same values as by a cursor, the same errors, and whatever the server forgets."""

import uuid
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

import psycopg
import pytest
from django.db import (
    DEFAULT_DB_ALIAS,
    DataError,
    IntegrityError,
    OperationalError,
    ProgrammingError,
    connections,
    transaction,
)
from django.db.backends.base.base import BaseDatabaseWrapper

from core import prepared, sql
from core.config_models import ConfigVersion

pytestmark = [pytest.mark.postgres, pytest.mark.django_db(transaction=True)]

NOW = datetime(2026, 11, 26, 12, 30, 15, 250_000, tzinfo=UTC)
KEY = uuid.UUID("01a219d2-3c03-76f8-a533-9c9060c98af7")


@pytest.fixture
def wrapper() -> BaseDatabaseWrapper:
    connection = connections[DEFAULT_DB_ALIAS]
    connection.ensure_connection()
    return connection


def one(wrapper: BaseDatabaseWrapper, statement: str, **parameters: Any) -> Any:  # any column's
    result = prepared.execute(wrapper, statement, parameters)
    assert result is not None, "it was left to a cursor"
    return result[1][0][0]


def by_cursor(wrapper: BaseDatabaseWrapper, statement: str, parameters: Mapping[str, Any]) -> list[Any]:
    with wrapper.cursor() as cursor:
        cursor.execute(statement, parameters)
        return list(cursor.fetchall())


VALUES: list[tuple[str, object]] = [
    ("text", "a'; -- \\ é \U0001f600"),
    ("text", ""),
    ("text", None),
    ("int", 7),
    ("bigint", 2**40),
    ("bool", True),
    ("bool", False),
    ("float8", 0.1),
    ("uuid", KEY),
    ("timestamptz", NOW),
    ("interval", timedelta(days=2, seconds=3, microseconds=4)),
    ("bytea", b"\x00\xff'"),
    ("uuid[]", [KEY, KEY]),
    ("text[]", ["a", "b,c", '"']),
    ("text[]", []),
    ("int[]", [1, 2]),
]


@pytest.mark.parametrize(("kind", "value"), VALUES)
def test_values_come_back_as_they_went(kind: str, value: object, wrapper: BaseDatabaseWrapper) -> None:
    statement = f"SELECT %(value)s::{kind} AS value, 'x' AS other"

    for _ in range(2):  # prepared, and prepared before
        result = prepared.execute(wrapper, statement, {"value": value})
        assert result == (("value", "other"), [(value, "x")], 1)
    assert by_cursor(wrapper, statement, {"value": value}) == [(value, "x")]


def test_json_comes_as_a_cursor_of_django_gives_it(wrapper: BaseDatabaseWrapper) -> None:
    statement = "SELECT %(value)s::jsonb, '{1,NULL}'::int[], '-infinity'::timestamptz IS NULL"

    result = prepared.execute(wrapper, statement, {"value": '{"a": [1, null]}'})

    assert result is not None
    assert result[1] == by_cursor(wrapper, statement, {"value": '{"a": [1, null]}'})


def test_one_name_is_one_parameter_wherever_it_stands(wrapper: BaseDatabaseWrapper) -> None:
    statement = "SELECT ARRAY[%(b)s::int, %(a)s::int, %(b)s::int], '100%%', %(a)s::int %% 4"

    result = prepared.execute(wrapper, statement, {"a": 6, "b": 2, "unused": object()})

    assert result is not None
    assert result[1] == [([2, 6, 2], "100%", 2)]


def test_a_parameter_that_is_missing_is_an_error(wrapper: BaseDatabaseWrapper) -> None:
    for statement in ("SELECT %(a)s::int", "SELECT %(a)s::int, %(b)s::int"):
        with pytest.raises(KeyError):
            prepared.execute(wrapper, statement, {"b": 1})


def test_a_null_character_is_refused_and_cuts_nothing_off(wrapper: BaseDatabaseWrapper) -> None:
    with pytest.raises(DataError, match="NUL"):
        one(wrapper, "SELECT %(value)s::text", value="a\0b")
    with pytest.raises(DataError, match="NUL"):
        by_cursor(wrapper, "SELECT %(value)s::text", {"value": "a\0b"})


def test_a_statement_is_prepared_once_for_each_combination_of_types(wrapper: BaseDatabaseWrapper) -> None:
    statement = "SELECT %(value)s::text AS only_here"

    for value in ("a", "b", None, 1, None, "c", 2):
        one(wrapper, statement, value=value)

    held = by_cursor(
        wrapper,
        "SELECT count(*) FROM pg_prepared_statements WHERE statement LIKE %(text)s",
        {"text": "%only_here%"},
    )
    assert held == [(2,)], "text and NULL are alike, a number is another"


def test_a_plan_of_nearly_empty_tables_does_not_stay(
    wrapper: BaseDatabaseWrapper, monkeypatch: pytest.MonkeyPatch
) -> None:
    """PostgreSQL would keep it until it analyses the table."""
    monkeypatch.setattr(prepared, "_FIRST_RENEWAL", 8)
    wrapper.connection.execute("CREATE TEMPORARY TABLE growing (id int PRIMARY KEY)")
    wrapper.connection.execute("VACUUM growing")
    statement = "SELECT count(*) FROM growing WHERE id = %(id)s::int"

    def plan() -> str:
        (name,) = [name for name in held(wrapper) if name not in others]
        rows = wrapper.connection.execute(f"EXPLAIN EXECUTE {name}('1')")
        return " ".join(line for (line,) in rows)

    others = set(held(wrapper))
    for _ in range(8):
        assert one(wrapper, statement, id="1") == 0
    assert "Seq Scan on growing" in plan()
    wrapper.connection.execute("INSERT INTO growing SELECT generate_series(1, 10000)")
    assert "Seq Scan on growing" in plan(), "else this test shows nothing"

    for _ in range(8 * 16 + 10):
        assert one(wrapper, statement, id="1") == 1

    assert "Seq Scan" not in plan()


def test_a_statement_is_prepared_anew_ever_more_seldom(
    wrapper: BaseDatabaseWrapper, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(prepared, "_FIRST_RENEWAL", 2)
    others, names = set(held(wrapper)), []

    for nth in range(40):
        assert one(wrapper, "SELECT %(value)s::text AS seldom", value="a") == "a"
        (name,) = set(held(wrapper)) - others  # the one before is gone
        if name not in names:
            names.append(name)
            renewed = nth
        if nth == 20:
            wrapper.connection.execute("DEALLOCATE ALL")  # as psycopg does after a rollback
            others = set()

    assert (len(names), renewed) == (4, 23)


def test_it_commits_by_itself_and_says_how_many_rows_it_wrote(wrapper: BaseDatabaseWrapper) -> None:
    ConfigVersion.bump()
    update = f"UPDATE {ConfigVersion._meta.db_table} SET value = %(value)s WHERE value <> %(value)s"

    assert prepared.execute(wrapper, update, {"value": 41}) == ((), [], 1)
    assert prepared.execute(wrapper, update, {"value": 41}) == ((), [], 0)

    wrapper.close()
    assert ConfigVersion.objects.get().value == 41


def test_in_a_transaction_it_is_left_to_a_cursor_and_rolled_back(wrapper: BaseDatabaseWrapper) -> None:
    ConfigVersion.bump()
    before = ConfigVersion.objects.get().value
    update = f"UPDATE {ConfigVersion._meta.db_table} SET value = %(value)s"

    def write() -> None:
        assert prepared.execute(wrapper, update, {"value": 77}) is None
        assert sql.run(update, {"value": 77}) == 1
        raise LookupError

    with pytest.raises(LookupError), transaction.atomic():
        write()

    assert ConfigVersion.objects.get().value == before


def test_who_watches_the_cursor_sees_every_statement(wrapper: BaseDatabaseWrapper) -> None:
    seen: list[str] = []

    def note(execute: Any, statement: str, *rest: object) -> object:
        seen.append(statement)
        return execute(statement, *rest)

    with wrapper.execute_wrapper(note):
        assert sql.value("SELECT 1 + %(one)s", {"one": 1}) == 2
    assert seen == ["SELECT 1 + %(one)s"]


def test_a_connection_that_must_not_prepare_is_left_to_a_cursor(
    wrapper: BaseDatabaseWrapper, monkeypatch: pytest.MonkeyPatch
) -> None:
    """PgBouncer gives each transaction another connection."""
    monkeypatch.setattr(wrapper.connection, "prepare_threshold", None)

    assert prepared.execute(wrapper, "SELECT 1", {}) is None


def test_a_traced_connection_is_left_to_a_cursor(
    wrapper: BaseDatabaseWrapper, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Traced(psycopg.Cursor[Any]):
        pass

    monkeypatch.setattr(wrapper.connection, "cursor_factory", Traced)

    assert prepared.execute(wrapper, "SELECT 1", {}) is None


def test_a_connection_prepares_only_so_many(
    wrapper: BaseDatabaseWrapper, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(prepared, "_MOST_STATEMENTS", 2)
    wrapper.close()
    wrapper.connect()

    results = [prepared.execute(wrapper, f"SELECT {number}", {}) for number in (1, 2, 3, 2)]

    assert [result and result[1] for result in results] == [[(1,)], [(2,)], None, [(2,)]]
    assert sql.value("SELECT 3", {}) == 3


# Errors ------------------------------------------------------------------------------------------------


def test_errors_are_those_of_django(wrapper: BaseDatabaseWrapper) -> None:
    ConfigVersion.bump()
    table = ConfigVersion._meta.db_table
    insert = f"INSERT INTO {table} SELECT * FROM {table}"

    with pytest.raises(IntegrityError, match="duplicate key"):
        prepared.execute(wrapper, insert, {})
    with pytest.raises(ProgrammingError, match="does not exist"):
        prepared.execute(wrapper, "SELECT * FROM nothing_here", {})
    assert one(wrapper, "SELECT 5") == 5, "the connection is usable"


def test_psycopg_forgets_all_after_a_rollback_and_nobody_notices(wrapper: BaseDatabaseWrapper) -> None:
    statement = "SELECT %(value)s::text || '!' AS again"
    assert one(wrapper, statement, value="a") == "a!"
    wrapper.connection.execute("DEALLOCATE ALL")

    assert one(wrapper, statement, value="b") == "b!"


def held(wrapper: BaseDatabaseWrapper) -> list[str]:
    """The statements of ours that the server keeps for the connection."""
    rows = wrapper.connection.execute("SELECT name FROM pg_prepared_statements WHERE name LIKE 'authsvc%'")
    return [name for (name,) in rows]


def test_a_table_that_a_migration_changed_is_read_anew(wrapper: BaseDatabaseWrapper) -> None:
    wrapper.connection.execute("CREATE TEMPORARY TABLE changing (one int)")
    wrapper.connection.execute("INSERT INTO changing VALUES (1)")
    assert prepared.execute(wrapper, "SELECT * FROM changing", {}) == (("one",), [(1,)], 1)
    wrapper.connection.execute("ALTER TABLE changing ALTER one TYPE text")

    others = len(held(wrapper))
    result = prepared.execute(wrapper, "SELECT * FROM changing", {})
    assert result is not None
    assert result[1] == [("1",)]
    wrapper.connection.execute("ALTER TABLE changing RENAME one TO another")
    wrapper.connection.execute("ALTER TABLE changing ADD two int")

    assert prepared.execute(wrapper, "SELECT * FROM changing", {}) == (("another", "two"), [("1", None)], 1)
    assert len(held(wrapper)) == others + 2, "the others were not prepared again"


def test_a_connection_that_was_cut_is_an_operational_error(wrapper: BaseDatabaseWrapper) -> None:
    one(wrapper, "SELECT 1")
    with psycopg.connect(wrapper.connection.info.dsn, autocommit=True) as other:
        other.execute("SELECT pg_terminate_backend(%s)", [wrapper.connection.info.backend_pid])

    with pytest.raises(OperationalError):
        one(wrapper, "SELECT 1")

    assert wrapper.connection.closed
    wrapper.close()


def test_after_commit_waits_for_an_open_transaction_only(wrapper: BaseDatabaseWrapper) -> None:
    done: list[str] = []

    sql.after_commit(lambda: done.append("now"))
    with transaction.atomic():
        sql.after_commit(lambda: done.append("then"))
        assert done == ["now"]

    assert done == ["now", "then"]
