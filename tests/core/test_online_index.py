"""An index is made beside everything else that goes on."""

import threading
import time

import psycopg
import pytest
from django.apps import apps
from django.db import connection, models
from django.db.migrations.state import ProjectState

from core.online_index import AddIndexOnline

INDEX = models.Index(fields=["host"], name="made_online")


@pytest.mark.postgres
@pytest.mark.django_db(transaction=True)
def test_it_waits_longer_than_a_login_may() -> None:
    """For a transaction of another table, as a backup has: else a broken index would stay behind."""
    parts = connection.get_connection_params()
    backup = psycopg.connect(
        host=parts.get("host"), port=parts.get("port"), user=parts["user"], dbname=parts["dbname"]
    )
    backup.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ")
    backup.execute("SELECT count(*) FROM users_user")
    ending = threading.Timer(0.6, backup.close)
    state = ProjectState.from_apps(apps)
    with connection.cursor() as cursor:
        cursor.execute("SET lock_timeout = 100")
    ending.start()
    started = time.monotonic()
    try:
        with connection.schema_editor(atomic=False) as editor:
            AddIndexOnline("domain", INDEX).database_forwards("projects", editor, state, state)
        with connection.cursor() as cursor:
            cursor.execute("SELECT indisvalid FROM pg_index WHERE indexrelid = 'made_online'::regclass")
            assert cursor.fetchone() == (True,)
            cursor.execute("SHOW lock_timeout")
            assert cursor.fetchone() != ("0",)
        assert time.monotonic() - started > 0.3
    finally:
        ending.join()
        with connection.cursor() as cursor:
            cursor.execute("DROP INDEX CONCURRENTLY IF EXISTS made_online")
        connection.close()
