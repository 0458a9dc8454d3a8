"""PostgreSQL checks less with each row: a challenge does not lock its project (as 0016 for the sender), no number is asked
whether it is negative, for which a CHECK is parsed in each statement, and a new message has no timer yet."""

from collections.abc import Mapping
from typing import Any, ClassVar

import django.db.models.deletion
from django.db import migrations, models
from django.db.backends.base.schema import BaseDatabaseSchemaEditor

from core.online_index import DropForeignKey, DropPositiveCheck, RunOnPostgres

_STATUSES = [
    (0, "queued"), (1, "queued"), (2, "accepted"), (3, "sent"), (4, "expired"), (5, "failed"), (6, "delivered"), (7, "read"),
]  # fmt: skip
_NUMBERS: Mapping[str, Mapping[str, Mapping[str, Any]]] = {
    "challenge": {
        "attempts": {"db_default": 0, "default": 0, "verbose_name": "wrong codes"},
        "code_length": {},
        "max_attempts": {},
        "sends": {"db_default": 1, "default": 1},
    },
    "delivery": {
        "crashes": {"db_default": 0, "default": 0},
        "number": {"db_default": 1, "default": 1},
        "status": {"choices": _STATUSES, "db_default": 0, "default": 0, "verbose_name": "status"},
        "tries": {"db_default": 0, "default": 0},
    },
    "deliveryevent": {"status": {"choices": _STATUSES}},
}
# As `otp_set_timer` of 0018, without being ready for one that is there: that takes as long again as to write it.
_ADD_TIMER = """
CREATE OR REPLACE FUNCTION otp_add_timer() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO {schema}.otp_timer (at, delivery_id) VALUES (NEW.due_at, NEW.id);
    RETURN NULL;
END $$;
"""
_OF_NEW = """
CREATE OR REPLACE TRIGGER otp_timer_of_new AFTER INSERT ON otp_delivery
    FOR EACH ROW WHEN (NEW.due_at IS NOT NULL) EXECUTE FUNCTION {function}();
"""
_ORPHANED = "NOT EXISTS (SELECT FROM projects_project p WHERE p.id = c.project_id)"


def _add_timers(_apps: Any, schema_editor: BaseDatabaseSchemaEditor) -> None:
    if schema_editor.connection.vendor == "postgresql":
        with schema_editor.connection.cursor() as cursor:
            cursor.execute("SELECT quote_ident(current_schema())")
            (schema,) = cursor.fetchone()
        schema_editor.execute(_ADD_TIMER.format(schema=schema), params=None)
        schema_editor.execute(_OF_NEW.format(function="otp_add_timer"), params=None)


def _set_timers(_apps: Any, schema_editor: BaseDatabaseSchemaEditor) -> None:
    if schema_editor.connection.vendor == "postgresql":
        schema_editor.execute(_OF_NEW.format(function="otp_set_timer"), params=None)
        schema_editor.execute("DROP FUNCTION IF EXISTS otp_add_timer()")


class Migration(migrations.Migration):
    atomic = False

    dependencies: ClassVar = [("otp", "0019_reports_in_place"), ("projects", "0005_routing")]

    operations: ClassVar = [
        *(
            DropPositiveCheck(model, name, models.SmallIntegerField(**options))
            for model, fields in _NUMBERS.items()
            for name, options in fields.items()
        ),
        DropForeignKey(
            "challenge",
            "project",
            models.ForeignKey(
                db_constraint=False,
                db_index=False,
                on_delete=django.db.models.deletion.CASCADE,
                related_name="+",
                to="projects.project",
            ),
        ),
        migrations.RunPython(_add_timers, _set_timers),
        # And back: the constraint bears no challenge of a project that was deleted at the same moment.
        RunOnPostgres(
            migrations.RunSQL.noop,
            [
                "DELETE FROM otp_deliveryevent e USING otp_delivery d, otp_challenge c"
                f" WHERE e.delivery_id = d.id AND d.challenge_id = c.id AND {_ORPHANED}",
                f"DELETE FROM otp_delivery d USING otp_challenge c WHERE d.challenge_id = c.id AND {_ORPHANED}",
                f"DELETE FROM otp_challenge c WHERE {_ORPHANED}",
            ],
        ),
    ]
