"""Reports write less: two indexes of events became one, and no index of deliveries mentions their status.

Fill factors leave room for the next version of a row on its page, which then needs no entries in indexes.
"""

from typing import ClassVar

import django.db.models.deletion
from django.db import migrations, models
from django.db.models.functions import NullIf

from core.online_index import (
    AddIndexOnline,
    AddUniqueOnline,
    DropForeignKey,
    RemoveIndexOnline,
    RemoveUniqueOnline,
    RunOnPostgres,
)


class Migration(migrations.Migration):
    atomic = False

    dependencies: ClassVar = [("otp", "0014_waiting_deliveries")]

    operations: ClassVar = [
        AddUniqueOnline(
            "deliveryevent",
            models.UniqueConstraint(
                models.F("delivery"),
                NullIf("provider_message_id", models.Value("")),
                models.F("status"),
                name="event_once_per_report",
            ),
        ),
        RemoveUniqueOnline("deliveryevent", "one_event_per_report"),
        RemoveIndexOnline("deliveryevent", "event_by_delivery"),
        AddIndexOnline(
            "delivery",
            models.Index(
                fields=["sender", "accepted_at"],
                condition=models.Q(accepted_at__isnull=False) & ~models.Q(provider_message_id=""),
                name="delivery_by_acceptance",
            ),
        ),
        RemoveIndexOnline("delivery", "delivery_unreported"),
        DropForeignKey(
            "deliveryevent",
            "delivery",
            models.ForeignKey(
                db_constraint=False,
                db_index=False,
                on_delete=django.db.models.deletion.CASCADE,
                related_name="events",
                to="otp.delivery",
            ),
        ),
        RunOnPostgres(
            migrations.RunSQL.noop,  # and back: the constraint bears none without a delivery
            "DELETE FROM otp_deliveryevent e WHERE NOT EXISTS (SELECT FROM otp_delivery d WHERE d.id = e.delivery_id)",
        ),
        RunOnPostgres(
            "ALTER TABLE otp_delivery SET (fillfactor = 70)", "ALTER TABLE otp_delivery RESET (fillfactor)"
        ),
    ]
