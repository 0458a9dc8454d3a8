"""Each sender's columns into its settings and secrets, and back. Columns of other providers are left as they are.

A secret that no configured key opens cannot be copied: the sender lacks it until somebody types it again, and its
column keeps it for the way back.
"""

import sys
from typing import Any, ClassVar

from django.db import migrations, models
from django.db.models.functions import Cast

from core.fields import UnreadableSecret, decrypt

_PLAIN = {
    "meta": ("phone_number_id", "business_account_id", "template_name", "template_languages"),
    "twilio": ("account_sid", "from_number", "messaging_service_sid"),
    "http": ("url",),
}
_SECRET = {
    "meta": ("access_token", "app_secret", "app_secret_previous", "verify_token"),
    "twilio": ("auth_token", "auth_token_previous"),
    "http": ("signing_secret",),
}
# Those that send nothing take the fields of a WhatsApp sender.
for _fields in (_PLAIN, _SECRET):
    _fields["console"] = _fields["memory"] = _fields["meta"]
_EVERY_PLAIN = {name for names in _PLAIN.values() for name in names}
_EVERY_SECRET = {name for names in _SECRET.values() for name in names}


def _rows(apps: Any) -> Any:
    """Their secrets as tokens, so that one unreadable secret stops nothing."""
    Sender = apps.get_model("channels", "Sender")  # noqa: N806 # a class
    tokens = {f"{name}_token": Cast(name, models.TextField()) for name in _EVERY_SECRET}
    return Sender.objects.annotate(**tokens).defer("secrets", *_EVERY_SECRET)


def _decrypted(row: Any, name: str) -> str | None:
    """None when no configured key opens it."""
    token = getattr(row, f"{name}_token")
    try:
        return decrypt(token) if token else ""
    except UnreadableSecret:
        return None


def to_json(apps: Any, _schema_editor: object) -> None:
    for row in _rows(apps):
        plain = {name: getattr(row, name) for name in _PLAIN[row.provider]}
        secrets = {name: _decrypted(row, name) for name in _SECRET[row.provider]}
        for name in (name for name, secret in secrets.items() if secret is None):
            print(f"sender {row.pk}: {name} cannot be decrypted, enter it again", file=sys.stderr)  # noqa: T201
        row.settings = {name: value for name, value in plain.items() if value}
        row.secrets = {name: secret for name, secret in secrets.items() if secret}
        row.save(update_fields=["settings", "secrets"])


def to_columns(apps: Any, _schema_editor: object) -> None:
    Sender = apps.get_model("channels", "Sender")  # noqa: N806 # a class
    newer = sorted(set(Sender.objects.exclude(provider__in=_PLAIN).values_list("provider", flat=True)))
    if newer:
        raise RuntimeError(f"the version before does not know {', '.join(newer)}: delete these senders first")
    for row in _rows(apps):
        known = Sender.objects.filter(pk=row.pk).values("secrets").get()["secrets"]
        values: dict[str, Any] = {name: row.settings.get(name, "") for name in _PLAIN[row.provider]}
        if "template_languages" in values:
            values["template_languages"] = values["template_languages"] or []
        values |= {
            name: known.get(name, "")
            for name in _SECRET[row.provider]
            if name in known or _decrypted(row, name) is not None
        }
        Sender.objects.filter(pk=row.pk).update(**_defaults(row) | values)


def _defaults(row: Any) -> dict[str, Any]:
    """Of columns that a row made since then has no value for."""
    empty = {name: "" for name in _EVERY_PLAIN if getattr(row, name) is None}
    empty |= {name: "" for name in _EVERY_SECRET if getattr(row, f"{name}_token") is None}
    if "template_languages" in empty:
        return empty | {"template_languages": []}
    return empty


class Migration(migrations.Migration):
    dependencies: ClassVar = [("channels", "0007_settings_and_secrets")]

    operations: ClassVar = [migrations.RunPython(to_json, to_columns)]
