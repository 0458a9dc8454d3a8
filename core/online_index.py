"""Indexes on tables that grow are made without holding up logins, where the database can."""

from typing import Any

from django.db import migrations, models
from django.db.backends.base.schema import BaseDatabaseSchemaEditor
from django.db.backends.ddl_references import Statement

# Django's types, which it does not declare.
type State = Any
type Editor = BaseDatabaseSchemaEditor


def _is_online(editor: Editor) -> bool:
    return editor.connection.vendor == "postgresql"


def _run(editor: Any, *statements: str) -> None:  # noqa: ANN401 # an editor, and what only PostgreSQL's has
    # They wait for transactions that began before, of other tables, too: for as long as a backup takes.
    editor.execute("SET statement_timeout = 0; SET lock_timeout = 0")
    for statement in statements:
        editor.execute(statement)
    editor.execute("RESET statement_timeout; RESET lock_timeout")


def _drop(name: str) -> str:
    return f"DROP INDEX CONCURRENTLY IF EXISTS {name}"


def _add(editor: Editor, name: str, statement: Statement | str | None) -> None:
    """One that was interrupted left an index that is not valid, which is replaced. One that is valid stays: the
    migration has been here before, and the indexes that this one replaces may be gone."""
    with editor.connection.cursor() as cursor:
        cursor.execute("SELECT bool_and(indisvalid) FROM pg_index WHERE indexrelid = to_regclass(%s)", [name])
        (is_valid,) = cursor.fetchone()
    if not is_valid:
        made = str(statement).replace("INDEX ", "INDEX CONCURRENTLY ", 1)
        _run(editor, _drop(name), made)


class AddIndexOnline(migrations.AddIndex):
    """`AddIndex`, concurrently on PostgreSQL. Its migration is not atomic."""

    atomic = False
    index: models.Index

    def database_forwards(
        self, app_label: str, schema_editor: Editor, from_state: State, to_state: State
    ) -> None:
        if not _is_online(schema_editor):
            super().database_forwards(app_label, schema_editor, from_state, to_state)
            return
        model = to_state.apps.get_model(app_label, self.model_name)
        _add(schema_editor, self.index.name, self.index.create_sql(model, schema_editor))


class RemoveIndexOnline(migrations.RemoveIndex):
    """`RemoveIndex`, and back, concurrently on PostgreSQL. Its migration is not atomic."""

    atomic = False

    def database_forwards(
        self, app_label: str, schema_editor: Editor, from_state: State, to_state: State
    ) -> None:
        if _is_online(schema_editor):
            _run(schema_editor, _drop(self.name))
        else:
            super().database_forwards(app_label, schema_editor, from_state, to_state)

    def database_backwards(
        self, app_label: str, schema_editor: Editor, from_state: State, to_state: State
    ) -> None:
        if not _is_online(schema_editor):
            super().database_backwards(app_label, schema_editor, from_state, to_state)
            return
        index = to_state.models[app_label, self.model_name_lower].get_index_by_name(self.name)
        model = to_state.apps.get_model(app_label, self.model_name)
        _add(schema_editor, self.name, index.create_sql(model, schema_editor))


class AddUniqueOnline(migrations.AddConstraint):
    """`AddConstraint` of one that is unique by an index: with a condition, or of expressions. As `AddIndexOnline`."""

    atomic = False

    def database_forwards(
        self, app_label: str, schema_editor: Editor, from_state: State, to_state: State
    ) -> None:
        if not _is_online(schema_editor):
            super().database_forwards(app_label, schema_editor, from_state, to_state)
            return
        model = to_state.apps.get_model(app_label, self.model_name)
        _add(schema_editor, self.constraint.name, self.constraint.create_sql(model, schema_editor))


class RemoveUniqueOnline(migrations.RemoveConstraint):
    """The way back of `AddUniqueOnline`."""

    atomic = False

    def database_forwards(
        self, app_label: str, schema_editor: Editor, from_state: State, to_state: State
    ) -> None:
        if _is_online(schema_editor):
            _run(schema_editor, _drop(self.name))
        else:
            super().database_forwards(app_label, schema_editor, from_state, to_state)

    def database_backwards(
        self, app_label: str, schema_editor: Editor, from_state: State, to_state: State
    ) -> None:
        if not _is_online(schema_editor):
            super().database_backwards(app_label, schema_editor, from_state, to_state)
            return
        constraint = to_state.models[app_label, self.model_name_lower].get_constraint_by_name(self.name)
        model = to_state.apps.get_model(app_label, self.model_name)
        _add(schema_editor, self.name, constraint.create_sql(model, schema_editor))


class DropForeignKey(migrations.AlterField):
    """`AlterField` to one with `db_constraint=False`. The way back checks the rows without holding up those who write.

    Its migration is not atomic.
    """

    def database_backwards(
        self, app_label: str, schema_editor: Editor, from_state: State, to_state: State
    ) -> None:
        if not _is_online(schema_editor):
            super().database_backwards(app_label, schema_editor, from_state, to_state)
            return
        editor: Any = schema_editor
        model = to_state.apps.get_model(app_label, self.model_name)
        field = model._meta.get_field(self.name)
        created = editor._create_fk_sql(model, field, "_fk_%(to_table)s_%(to_column)s")  # noqa: SLF001 # as AlterField
        table = editor.quote_name(model._meta.db_table)
        _run(
            editor, f"{created} NOT VALID", f"ALTER TABLE {table} VALIDATE CONSTRAINT {created.parts['name']}"
        )


class DropPositiveCheck(migrations.AlterField):
    """`AlterField` from a positive number to any: PostgreSQL parses a CHECK in each statement that writes the table.
    The way back checks the rows without holding up those who write. SQLite, which would copy the table, keeps it.

    Its migration is not atomic.
    """

    def database_forwards(
        self, app_label: str, schema_editor: Editor, from_state: State, to_state: State
    ) -> None:
        if _is_online(schema_editor):
            super().database_forwards(app_label, schema_editor, from_state, to_state)

    def database_backwards(
        self,
        app_label: str,
        schema_editor: Editor,
        from_state: State,  # noqa: ARG002 # Django's signature
        to_state: State,
    ) -> None:
        if not _is_online(schema_editor):
            return
        options = to_state.apps.get_model(app_label, self.model_name)._meta
        column = options.get_field(self.name).column
        table, name = options.db_table, f"{options.db_table}_{column}_check"
        _run(
            schema_editor,
            f"ALTER TABLE {table} DROP CONSTRAINT IF EXISTS {name}",  # an interrupted way back has been here
            f"ALTER TABLE {table} ADD CONSTRAINT {name} CHECK ({column} >= 0) NOT VALID",
            f"ALTER TABLE {table} VALIDATE CONSTRAINT {name}",
        )


class RunOnPostgres(migrations.RunSQL):
    """`RunSQL` that does nothing on other databases: for an index that only PostgreSQL can use."""

    def database_forwards(
        self,
        app_label: str,
        schema_editor: Editor,
        from_state: State,
        to_state: State,
    ) -> None:
        if _is_online(schema_editor):
            super().database_forwards(app_label, schema_editor, from_state, to_state)

    def database_backwards(
        self,
        app_label: str,
        schema_editor: Editor,
        from_state: State,
        to_state: State,
    ) -> None:
        if _is_online(schema_editor):
            super().database_backwards(app_label, schema_editor, from_state, to_state)
