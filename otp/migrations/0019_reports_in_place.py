"""No index mentions what a report changes, and pages have room: a report changes its delivery in place."""

from typing import ClassVar

from django.db import migrations, models

from core.online_index import AddIndexOnline, RemoveIndexOnline, RunOnPostgres


class Migration(migrations.Migration):
    atomic = False

    dependencies: ClassVar = [("otp", "0018_timers")]

    operations: ClassVar = [
        AddIndexOnline(
            "delivery",
            models.Index(
                fields=["send_after"],
                condition=models.Q(accepted_at__isnull=True),
                name="delivery_unaccepted",
            ),
        ),
        RemoveIndexOnline("delivery", "delivery_waiting"),
        RemoveIndexOnline("delivery", "delivery_due"),
        RunOnPostgres(
            "ALTER TABLE otp_delivery SET (fillfactor = 50)", "ALTER TABLE otp_delivery SET (fillfactor = 70)"
        ),
    ]
