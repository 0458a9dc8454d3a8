"""One more cause of a delivery. Nothing changes in the database."""

from typing import ClassVar

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies: ClassVar = [("otp", "0010_prices_and_country")]

    operations: ClassVar = [
        migrations.AlterField(
            "delivery",
            "cause",
            models.CharField(
                choices=[
                    ("start", "start"),
                    ("resend", "resend"),
                    ("switch", "chosen by the user"),
                    ("fallback", "automatic fallback"),
                    ("failover", "next sender of the channel"),
                ],
                db_default="start",
                default="start",
                max_length=10,
                verbose_name="cause",
            ),
        ),
    ]
