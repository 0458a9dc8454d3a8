"""Reports write less and look up less: a message by WhatsApp has no entry in the log's index of channels, and the few
numbers that WhatsApp does not know have an index of their own."""

from typing import ClassVar

from django.db import migrations, models

from core.online_index import AddIndexOnline, RemoveIndexOnline


class Migration(migrations.Migration):
    atomic = False

    dependencies: ClassVar = [("otp", "0016_no_lock_on_the_sender")]

    operations: ClassVar = [
        AddIndexOnline(
            "delivery",
            models.Index(
                fields=["channel", "challenge"],
                condition=~models.Q(channel="whatsapp"),
                name="delivery_by_other_channel",
            ),
        ),
        RemoveIndexOnline("delivery", "delivery_by_channel"),
        AddIndexOnline(
            "phonerecord",
            models.Index(
                fields=["project", "phone"],
                condition=models.Q(not_on_whatsapp_at__isnull=False),
                name="phone_not_on_whatsapp",
            ),
        ),
    ]
