"""Statements from files: what is read of a file, and what comes back from each kind of database."""

import uuid
from dataclasses import dataclass
from pathlib import Path

import pytest
from django.db import connection
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from core import sql
from core.config_models import ConfigVersion


@dataclass(frozen=True)
class Pair:
    one: int
    other: str


@pytest.mark.parametrize(
    ("text", "numbers", "statement"),
    [
        ("-- why\nSELECT 1\n  -- and why not\n", {}, "SELECT 1"),
        ("SELECT {count} + {count}", {"count": 7}, "SELECT 7 + 7"),
        ("SELECT '{other}', {count}", {"count": 7}, "SELECT '{other}', 7"),
        ("SELECT 1 -- behind a statement", {}, "SELECT 1 -- behind a statement"),
    ],
)
def test_a_file_is_its_statement_without_comments(
    text: str, numbers: dict[str, int], statement: str, tmp_path: Path
) -> None:
    file = tmp_path / "one.sql"
    file.write_text(text)

    assert sql.load(file, **numbers) == statement


def test_only_numbers_are_put_into_a_statement(tmp_path: Path) -> None:
    """Everything else is a parameter."""
    file = tmp_path / "one.sql"
    file.write_text("SELECT {count}")

    with pytest.raises(ValueError, match="invalid literal"):
        sql.load(file, count="1; DROP TABLE x")  # type: ignore[arg-type] # on purpose


@pytest.mark.django_db
def test_rows_are_made_of_their_columns_by_name() -> None:
    statement = "SELECT 'b' AS other, 2 AS one UNION ALL SELECT %(text)s, 1 ORDER BY 2"

    assert sql.rows(statement, {"text": "a'; --"}, make=Pair) == [Pair(1, "a'; --"), Pair(2, "b")]
    assert sql.rows(f"SELECT * FROM ({statement}) AS x WHERE one > 5", {"text": ""}, make=Pair) == []


@pytest.mark.django_db
def test_a_column_that_is_not_expected_is_an_error() -> None:
    with pytest.raises(TypeError, match="third"):
        sql.rows("SELECT 1 AS one, 'a' AS other, 3 AS third", {}, make=Pair)


@pytest.mark.django_db
def test_a_value_is_the_first_of_the_first_row_or_none() -> None:
    assert sql.value("SELECT %(number)s + 1, 9", {"number": 6}) == 7
    assert sql.value("SELECT 1 WHERE 1 = 0", {}) is None


@pytest.mark.django_db
def test_a_statement_without_rows_says_how_many_it_wrote() -> None:
    ConfigVersion.bump()
    table = ConfigVersion._meta.db_table

    assert sql.run(f"UPDATE {table} SET value = %(value)s", {"value": 41}) == 1
    assert sql.run(f"UPDATE {table} SET value = 0 WHERE value > %(value)s", {"value": 41}) == 0
    assert ConfigVersion.objects.get().value == 41
    assert sql.is_postgres() is (connection.vendor == "postgresql")


def test_queries_are_added_before_the_last_select() -> None:
    statement = "WITH one AS (\n  SELECT 1\n), two AS (\nSELECT 2\n)\nSELECT *\nFROM one"

    assert sql.extended(statement, "three AS (SELECT 3)") == (
        "WITH one AS (\n  SELECT 1\n), two AS (\nSELECT 2\n), three AS (SELECT 3)\nSELECT *\nFROM one"
    )


def test_only_a_statement_with_queries_takes_more() -> None:
    with pytest.raises(ValueError, match="without WITH"):
        sql.extended("SELECT 1", "two AS (SELECT 2)")


def test_parameters_of_queries_are_not_printed() -> None:
    assert "hush" not in repr(sql.WithQueries(text="a AS (SELECT %(a)s)", parameters={"a": "hush"}))


@pytest.mark.django_db
def test_tuples_come_as_they_are() -> None:
    statement = "SELECT 1 AS one, 'a' AS other UNION ALL SELECT 2, 'b' ORDER BY 1"

    for _ in range(2):  # the names are kept after the first time
        assert sql.tuples(statement, {}, columns=("one", "other")) == [(1, "a"), (2, "b")]


@pytest.mark.django_db
@pytest.mark.parametrize("columns", [("other", "one"), ("one",), ("one", "other", "third"), ()])
def test_columns_in_another_order_are_an_error(columns: tuple[str, ...]) -> None:
    """Of values without names nobody would notice it."""
    for _ in range(2):
        with pytest.raises(TypeError, match="expected"):
            sql.tuples("SELECT 1 AS one, 'a' AS other", {}, columns=columns)


PRINTABLE = st.text(st.characters(exclude_categories=["Cc", "Cs"]), max_size=20)


@pytest.mark.postgres
@pytest.mark.django_db
@settings(max_examples=100, suppress_health_check=list(HealthCheck))
@given(st.lists(st.none() | PRINTABLE))
def test_an_array_arrives_as_it_was_written(values: list[str | None]) -> None:
    """Quotes, backslashes, braces, commas, `NULL`: none of it ends an element."""
    assert sql.value("SELECT %(values)s::text[]", {"values": sql.array(values)}) == values


@pytest.mark.postgres
@pytest.mark.django_db
def test_arrays_of_numbers_and_keys() -> None:
    key = uuid.UUID(int=7)

    assert sql.value("SELECT %(n)s::smallint[]", {"n": sql.array([6, 7])}) == [6, 7]
    assert sql.value("SELECT %(n)s::float8[]", {"n": sql.array([1795428012.25, -0.5])}) == [
        1795428012.25,
        -0.5,
    ]
    assert sql.value("SELECT %(n)s::uuid[]", {"n": sql.array([key.hex, None])}) == [key, None]
    assert sql.value("SELECT %(n)s::uuid[]", {"n": sql.array([])}) == []


@pytest.mark.postgres
@pytest.mark.django_db
def test_control_characters_change_and_end_nothing() -> None:
    assert sql.value("SELECT %(t)s::text[]", {"t": sql.array(['a\n"},\x00b', "c"])}) == ['an"},u0000b', "c"]
