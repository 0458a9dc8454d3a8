"""Deliveries say which request made them: one task sends those of many."""

from typing import ClassVar

from django.db import migrations, models

import core.ids


class Migration(migrations.Migration):
    dependencies: ClassVar = [("otp", "0012_delivery_log_indexes")]

    operations: ClassVar = [
        migrations.AddField(
            model_name="delivery",
            name="request_id",
            field=models.CharField(
                blank=True, db_default="", default=core.ids.request_id, editable=False, max_length=64
            ),
        ),
    ]
