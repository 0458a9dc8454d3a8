"""A message does not lock its sender: each check of a foreign key locks the row that it finds, all messages find the
same one, and PostgreSQL writes that down each time."""

from typing import ClassVar

import django.db.models.deletion
from django.db import migrations, models

from core.online_index import DropForeignKey, RunOnPostgres


class Migration(migrations.Migration):
    atomic = False

    dependencies: ClassVar = [("otp", "0015_lean_events")]

    operations: ClassVar = [
        DropForeignKey(
            "delivery",
            "sender",
            models.ForeignKey(
                db_constraint=False,
                db_index=False,
                null=True,
                on_delete=django.db.models.deletion.SET_NULL,
                related_name="+",
                to="channels.sender",
            ),
        ),
        # And back: the constraint bears no message of a sender that was deleted at the same moment.
        RunOnPostgres(
            migrations.RunSQL.noop,
            "UPDATE otp_delivery d SET sender_id = NULL WHERE sender_id IS NOT NULL"
            " AND NOT EXISTS (SELECT FROM channels_sender s WHERE s.id = d.sender_id)",
        ),
    ]
