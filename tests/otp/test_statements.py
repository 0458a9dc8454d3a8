"""The `.sql` files and the models that they write: a new column cannot be forgotten."""

import re
from pathlib import Path

import pytest
from django.apps import apps
from django.db.models import NOT_PROVIDED, Field, Model
from psycopg._queries import MAX_CACHED_STATEMENT_LENGTH

from channels.types import Status
from core import sql
from oidc import issue
from otp.store import claim, prices, purge, start, timers, unreported, updates, verify
from tests.processes import ROOT

FILES = sorted(file for file in ROOT.glob("*/**/*.sql") if ".venv" not in file.parts)
MODELS: dict[str, type[Model]] = {model._meta.db_table: model for model in apps.get_models()}
INSERTS = [
    pytest.param(table, {name.strip() for name in columns.split(",")}, id=f"{file.stem}-{table}")
    for file in FILES
    for table, columns in re.findall(r"INSERT INTO (\w+)(?: AS \w+)?\s*\(([^)]+)\)", sql.load(file))
]


def needs_a_value(field: "Field[object, object]") -> bool:
    return not (
        field.null or field.db_default is not NOT_PROVIDED or field.get_internal_type().endswith("AutoField")
    )


def test_all_writes_are_looked_at() -> None:
    tables = {parameters.values[0] for parameters in INSERTS}

    assert tables == {
        "otp_challenge", "otp_delivery", "otp_deliveryevent", "otp_phonerecord", "otp_timer", "users_user", "events_event",
        "oidc_tokenfamily", "oidc_accesstoken", "oidc_refreshtoken", "login_session",
        "stats_loginrollup", "stats_deliveryrollup", "stats_timingrollup",
    }  # fmt: skip


@pytest.mark.parametrize(("table", "columns"), INSERTS)
def test_no_column_without_a_default_is_missing(table: str, columns: set[str]) -> None:
    """A NOT NULL column that another app adds would stop logins, on PostgreSQL only."""
    fields = MODELS[table]._meta.concrete_fields

    assert {field.column for field in fields if needs_a_value(field)} - columns == set()
    assert columns - {field.column for field in fields} == set()


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
def test_no_statement_holds_an_enum_value(file: Path) -> None:
    """They are parameters: a renamed value would be missed in a text."""
    texts = set(re.findall(r"'([^']*)'", sql.load(file)))

    # Behind the fourth: of the session hash, and of a session's signed data.
    assert texts <= {"", " ", "-infinity", "epoch", ":", "UTF8", "hex", "base64", r"+/\n", "-_", "="}
    assert not re.search(r"status\)? *(?:=|<|>|IN) *\(?\d", sql.load(file))


def test_comments_are_not_sent_to_the_database(tmp_path: Path) -> None:
    file = tmp_path / "one.sql"
    file.write_text("-- What it does.\nSELECT 1\n  -- 100% of it\n WHERE 2 = {two}\n")

    assert sql.load(file, two=Status.ACCEPTED) == "SELECT 1\nWHERE 2 = 2"


@pytest.mark.parametrize(
    "statement",
    [
        start._START, start._RESTART, claim._CLAIM, claim._CLAIM_WAITING, claim._ACCEPT, claim._ACCEPT_SEVERAL,
        updates._RECORD_RAISED, updates._RECORD_ANY, verify._VERIFY,
        unreported._SENDS, purge._CHALLENGES, purge._PHONE_RECORDS, prices._PRICED, timers._DUE,
    ],
)  # fmt: skip
def test_statements_are_whole(statement: str) -> None:
    assert statement.split(maxsplit=1)[0] in ("WITH", "UPDATE", "SELECT")
    assert statement.count("(") == statement.count(")")
    assert "--" not in statement
    assert "{" not in statement
    assert len(statement) <= MAX_CACHED_STATEMENT_LENGTH


def test_a_login_with_its_tokens_is_read_once_by_psycopg() -> None:
    """A longer one it would take apart at each login."""
    assert len(sql.extended(verify._VERIFY, issue._TOKENS)) <= MAX_CACHED_STATEMENT_LENGTH
