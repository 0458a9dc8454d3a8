"""Indexes on tables that grow are made without holding up logins, where the database can."""

from typing import Any

from django.db import migrations, models
from django.db.backends.base.schema import BaseDatabaseSchemaEditor


class AddIndexOnline(migrations.AddIndex):
    """`AddIndex`, concurrently on PostgreSQL. Its migration is not atomic.

    One that was interrupted leaves an index that is not valid; running it again replaces it.
    """

    atomic = False
    index: models.Index

    def database_forwards(
        self,
        app_label: str,
        schema_editor: BaseDatabaseSchemaEditor,
        from_state: Any,  # noqa: ANN401 # Django's type
        to_state: Any,  # noqa: ANN401 # likewise
    ) -> None:
        if schema_editor.connection.vendor != "postgresql":
            super().database_forwards(app_label, schema_editor, from_state, to_state)
            return
        editor: Any = schema_editor
        model = to_state.apps.get_model(app_label, self.model_name)
        # It waits for transactions that began before, of other tables, too: for as long as a backup takes.
        editor.execute("SET statement_timeout = 0; SET lock_timeout = 0")
        editor.execute(f"DROP INDEX CONCURRENTLY IF EXISTS {self.index.name}")
        editor.add_index(model, self.index, concurrently=True)
        editor.execute("RESET statement_timeout; RESET lock_timeout")


class RunOnPostgres(migrations.RunSQL):
    """`RunSQL` that does nothing on other databases: for an index that only PostgreSQL can use."""

    def database_forwards(
        self,
        app_label: str,
        schema_editor: BaseDatabaseSchemaEditor,
        from_state: Any,  # noqa: ANN401 # Django's type
        to_state: Any,  # noqa: ANN401 # likewise
    ) -> None:
        if schema_editor.connection.vendor == "postgresql":
            super().database_forwards(app_label, schema_editor, from_state, to_state)

    def database_backwards(
        self,
        app_label: str,
        schema_editor: BaseDatabaseSchemaEditor,
        from_state: Any,  # noqa: ANN401 # Django's type
        to_state: Any,  # noqa: ANN401 # likewise
    ) -> None:
        if schema_editor.connection.vendor == "postgresql":
            super().database_backwards(app_label, schema_editor, from_state, to_state)
