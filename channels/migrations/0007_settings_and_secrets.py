"""Settings and secrets by provider. The columns they replace stay, for one version, so that migrating back finds them:
they may be empty from now on, and nothing reads them. Which provider serves which channel is the registry's to say."""

from typing import ClassVar

from django.db import migrations, models

import channels.models
import core.fields

_TEXT = {
    "phone_number_id": ("Phone number ID", 64),
    "business_account_id": ("WhatsApp Business Account ID", 64),
    "template_name": ("Template name", 512),
    "account_sid": ("Account SID", 64),
    "from_number": ("From", 32),
    "messaging_service_sid": ("Messaging Service SID", 64),
}
_SECRETS = {
    "access_token": "Access token",
    "app_secret": "App secret",
    "app_secret_previous": "Previous app secret",
    "verify_token": "Verify token",
    "auth_token": "Auth token",
    "auth_token_previous": "Previous auth token",
    "signing_secret": "Signing secret",
}


class Migration(migrations.Migration):
    dependencies: ClassVar = [("channels", "0006_sender_reports")]

    operations: ClassVar = [
        migrations.RemoveConstraint("sender", "provider_serves_channel"),
        migrations.AlterField(
            "sender",
            "provider",
            models.CharField(choices=channels.models.provider_choices, max_length=10, verbose_name="provider"),
        ),
        migrations.AddField("sender", "settings", models.JSONField(blank=True, default=dict)),
        migrations.AddField(
            "sender", "secrets", core.fields.EncryptedJSONField(blank=True, default=dict)
        ),
        *(
            migrations.AlterField(
                "sender",
                name,
                models.CharField(blank=True, default="", max_length=longest, null=True, verbose_name=label),
            )
            for name, (label, longest) in _TEXT.items()
        ),
        migrations.AlterField(
            "sender", "template_languages", models.JSONField(blank=True, default=list, null=True)
        ),
        migrations.AlterField(
            "sender", "url", models.URLField(blank=True, default="", max_length=500, null=True, verbose_name="URL")
        ),
        *(
            migrations.AlterField(
                "sender",
                name,
                core.fields.EncryptedField(blank=True, default="", null=True, verbose_name=label),
            )
            for name, label in _SECRETS.items()
        ),
    ]
