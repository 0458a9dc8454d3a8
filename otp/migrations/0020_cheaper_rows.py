"""PostgreSQL checks less with each row: a challenge does not lock its project (as 0016 for the sender), and no number is
asked whether it is negative, which a CHECK is read anew for in each statement."""

from collections.abc import Mapping
from typing import Any, ClassVar

import django.db.models.deletion
from django.db import migrations, models

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
_ORPHANED = "NOT EXISTS (SELECT FROM projects_project p WHERE p.id = c.project_id)"


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
