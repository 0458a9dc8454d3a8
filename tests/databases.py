"""Databases that are migrated already: migrating takes longer than most tests, and a copy costs next to nothing.

scripts/run_tests.py makes the originals once for both of its runs. Where pytest is called by itself there are none,
and each database is migrated.
"""

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings
from django.db import connection

# The name of a database on the server of this run, and the path of a file.
POSTGRES = os.environ.get("TEST_POSTGRES_TEMPLATE", "")
SQLITE = os.environ.get("TEST_SQLITE_TEMPLATE", "")


def is_sqlite() -> bool:
    return str(settings.DATABASES["default"]["ENGINE"]).endswith("sqlite3")


def copy_sqlite(path: Path) -> None:
    """The migrated file at `path`, if there is an original."""
    if SQLITE:
        shutil.copyfile(SQLITE, path)


# What migrating writes: it is the same for every test.
_KEPT = frozenset({"django_content_type", "auth_permission"})


@contextmanager
def emptied_by_deleting() -> Iterator[None]:
    """After a test with real transactions the tables are emptied. TRUNCATE, Django's way on PostgreSQL, makes new
    files for each table and index: close to a second, where deleting a few rows takes milliseconds. Audit events go
    by the door of their retention purge: nothing else lets them."""
    by_django = connection.ops.sql_flush

    def on_postgres(_style: object, tables: list[str], **_options: Any) -> list[str]:
        names = [connection.ops.quote_name(table) for table in tables if table not in _KEPT]
        deletions = " ".join(f"DELETE FROM {name};" for name in names)
        return [f"SET LOCAL authsvc.audit_purge = 'on'; {deletions}"]

    def on_sqlite(style: Any, tables: list[str], **options: Any) -> list[str]:
        deletions = by_django(style, tables, **options)
        return ["INSERT INTO audit_purge (is_open) VALUES (1)", *deletions, "DELETE FROM audit_purge"]

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(connection.ops, "sql_flush", on_sqlite if is_sqlite() else on_postgres)
        if not is_sqlite():
            patch.setattr(
                "django.core.management.commands.flush.emit_post_migrate_signal", lambda *_arguments: None
            )
        yield


def commit_without_waiting() -> None:
    """Tests' own data may be lost with the server."""
    if not is_sqlite():
        name = connection.ops.quote_name(connection.settings_dict["NAME"])
        with connection.cursor() as cursor:
            cursor.execute(f"ALTER DATABASE {name} SET synchronous_commit = off")
        connection.close()
