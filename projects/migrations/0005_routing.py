"""Other orders, waits and senders by country. The version before neither writes nor reads them."""

from typing import ClassVar

from django.db import migrations, models

import projects.routing


class Migration(migrations.Migration):
    dependencies: ClassVar = [("projects", "0004_ten_minutes")]

    operations: ClassVar = [
        migrations.AddField(
            "loginmethods",
            "routing",
            models.JSONField(
                blank=True,
                db_default=models.Value([], models.JSONField()),
                default=list,
                validators=[projects.routing.validate_routing],
                verbose_name="Routing",
            ),
        ),
    ]
