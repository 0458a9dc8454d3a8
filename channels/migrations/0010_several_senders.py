"""Several active senders of one project and channel, tried in order. The version before uses one of them.

The columns are added in SQL: on SQLite Django would make the table anew, without the columns that 0009 keeps for the
way back.
"""

from typing import ClassVar

import django.core.validators
from django.db import migrations, models
from django.db.models import Q

_NAME = models.SlugField(
    blank=True,
    db_default="",
    db_index=False,
    default="",
    help_text="For routes by country, and to tell several senders apart: for example india.",
    max_length=40,
    verbose_name="name",
)
_PRIORITY = models.PositiveSmallIntegerField(
    db_default=1,
    default=1,
    help_text="Among the project's senders for this channel: 1 is tried first.",
    validators=[
        django.core.validators.MinValueValidator(1),
        django.core.validators.MaxValueValidator(1000),
    ],
    verbose_name="order",
)


def _add(name: str, field: models.Field, column: str) -> migrations.RunSQL:
    return migrations.RunSQL(
        f"ALTER TABLE channels_sender ADD COLUMN {name} {column}",
        f"ALTER TABLE channels_sender DROP COLUMN {name}",
        state_operations=[migrations.AddField("sender", name, field)],
    )


class Migration(migrations.Migration):
    dependencies: ClassVar = [("channels", "0009_forget_columns")]

    operations: ClassVar = [
        _add("name", _NAME, "varchar(40) DEFAULT '' NOT NULL"),
        _add("priority", _PRIORITY, "smallint DEFAULT 1 NOT NULL CHECK (priority >= 0)"),
        migrations.RemoveConstraint("sender", "one_active_sender_per_channel"),
        migrations.RemoveConstraint("sender", "one_active_shared_sender_per_channel"),
        migrations.AddConstraint(
            "sender",
            models.UniqueConstraint(
                fields=["project", "name"],
                condition=Q(("is_active", True)) & ~Q(("name", "")),
                name="one_active_sender_per_name",
                violation_error_message="Another active sender of this project has this name.",
            ),
        ),
        migrations.AddConstraint(
            "sender",
            models.UniqueConstraint(
                fields=["name"],
                condition=Q(is_active=True, project__isnull=True) & ~Q(name=""),
                name="one_active_shared_sender_per_name",
                violation_error_message="Another active shared sender has this name.",
            ),
        ),
    ]
