"""What waits to be sent is read by an index of its own."""

from typing import ClassVar

from django.db import migrations, models

from core.online_index import AddIndexOnline


class Migration(migrations.Migration):
    atomic = False

    dependencies: ClassVar = [("otp", "0013_request_of_a_delivery")]

    operations: ClassVar = [
        AddIndexOnline(
            model_name="delivery",
            index=models.Index(
                condition=models.Q(("accepted_at__isnull", True), ("due_at__isnull", False)),
                fields=["send_after"],
                name="delivery_waiting",
            ),
        ),
    ]
