"""Statements from files: what is read of a file, and what comes back from each kind of database."""

from dataclasses import dataclass
from pathlib import Path

import pytest
from django.db import connection

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
