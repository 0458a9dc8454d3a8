"""The columns that settings and secrets replaced are no longer fields. The next version drops them."""

import datetime
from typing import ClassVar

from django.db import migrations, models

_REPLACED = (
    "phone_number_id",
    "business_account_id",
    "access_token",
    "app_secret",
    "app_secret_previous",
    "verify_token",
    "template_name",
    "template_languages",
    "account_sid",
    "auth_token",
    "auth_token_previous",
    "from_number",
    "messaging_service_sid",
    "url",
    "signing_secret",
)


class Migration(migrations.Migration):
    dependencies: ClassVar = [("channels", "0008_copy_settings")]

    operations: ClassVar = [
        migrations.SeparateDatabaseAndState(
            state_operations=[migrations.RemoveField("sender", name) for name in _REPLACED]
        ),
        # Other names for people who read the code; the columns keep theirs.
        migrations.AlterField(
            "senderhealth",
            "mending",
            models.CharField(blank=True, db_column="mending", db_default="", default="", max_length=10),
        ),
        migrations.RenameField("senderhealth", "mending", "recovery_source"),
        migrations.AlterField(
            "senderhealth", "pace", models.DurationField(db_column="pace", default=datetime.timedelta)
        ),
        migrations.RenameField("senderhealth", "pace", "throttle"),
        migrations.AlterField(
            "senderhealth", "paced_at", models.DateTimeField(db_column="paced_at", null=True)
        ),
        migrations.RenameField("senderhealth", "paced_at", "throttled_at"),
    ]
