"""Due times have a narrow table of their own, which the database itself fills. In one transaction: nobody sets a time
between the triggers and what they find."""

from typing import Any, ClassVar

import django.db.models.deletion
from django.db import migrations, models
from django.db.backends.base.schema import BaseDatabaseSchemaEditor

# Whoever sets `due_at`, this version or the one before, leaves a timer that is not later. A time that is put off leaves
# the earlier timer, which the sweep moves when it gets there. SQLite drops triggers when Django rebuilds a table: a
# later migration that alters deliveries ends with `make_triggers` again (a test looks for them).
_SET = "NEW.due_at IS NOT NULL"
_EARLIER = "NEW.due_at IS NOT NULL AND (OLD.due_at IS NULL OR NEW.due_at < OLD.due_at)"
# The same time once more is written, too, so that a sweep that is about to remove it sees that. The schema is named,
# because a restore has none in its path.
_ON_POSTGRESQL = f"""
CREATE OR REPLACE FUNCTION otp_set_timer() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO {{schema}}.otp_timer (at, delivery_id) VALUES (NEW.due_at, NEW.id)
        ON CONFLICT (at, delivery_id) DO UPDATE SET at = EXCLUDED.at;
    RETURN NULL;
END $$;
CREATE OR REPLACE TRIGGER otp_timer_of_new AFTER INSERT ON otp_delivery
    FOR EACH ROW WHEN ({_SET}) EXECUTE FUNCTION otp_set_timer();
CREATE OR REPLACE TRIGGER otp_timer_of_earlier AFTER UPDATE OF due_at ON otp_delivery
    FOR EACH ROW WHEN ({_EARLIER}) EXECUTE FUNCTION otp_set_timer();
"""
_INSERT = "INSERT OR IGNORE INTO otp_timer (at, delivery_id) VALUES (NEW.due_at, NEW.id)"
_ON_SQLITE = (
    f"""CREATE TRIGGER IF NOT EXISTS otp_timer_of_new AFTER INSERT ON otp_delivery
    WHEN {_SET} BEGIN {_INSERT}; END""",
    f"""CREATE TRIGGER IF NOT EXISTS otp_timer_of_earlier AFTER UPDATE OF due_at ON otp_delivery
    WHEN {_EARLIER} BEGIN {_INSERT}; END""",
)
_FILL = (
    "INSERT INTO otp_timer (at, delivery_id) SELECT due_at, id FROM otp_delivery WHERE due_at IS NOT NULL "
    "ON CONFLICT DO NOTHING"
)


def make_triggers(_apps: Any, schema_editor: BaseDatabaseSchemaEditor) -> None:
    if schema_editor.connection.vendor == "postgresql":
        with schema_editor.connection.cursor() as cursor:
            cursor.execute("SELECT quote_ident(current_schema())")
            (schema,) = cursor.fetchone()
        schema_editor.execute(_ON_POSTGRESQL.format(schema=schema), params=None)
        return
    for statement in _ON_SQLITE:
        schema_editor.execute(statement)


def drop_triggers(_apps: Any, schema_editor: BaseDatabaseSchemaEditor) -> None:
    if schema_editor.connection.vendor == "postgresql":
        schema_editor.execute("DROP FUNCTION IF EXISTS otp_set_timer() CASCADE")
        return
    for name in ("otp_timer_of_new", "otp_timer_of_earlier"):
        schema_editor.execute(f"DROP TRIGGER IF EXISTS {name}")


class Migration(migrations.Migration):
    dependencies: ClassVar = [("otp", "0017_indexes_of_reports")]

    operations: ClassVar = [
        migrations.CreateModel(
            name="Timer",
            fields=[
                (
                    "pk",
                    models.CompositePrimaryKey(
                        "at", "delivery_id", blank=True, editable=False, primary_key=True, serialize=False
                    ),
                ),
                ("at", models.DateTimeField()),
                (
                    "delivery",
                    models.ForeignKey(
                        db_constraint=False,
                        db_index=False,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        related_name="timers",
                        to="otp.delivery",
                    ),
                ),
            ],
        ),
        migrations.RunPython(make_triggers, drop_triggers),
        migrations.RunSQL(_FILL, migrations.RunSQL.noop),
    ]
