"""What must hold between senders and login methods: asked by the configuration file and by the admin alike."""

import uuid

from channels.models import Sender
from projects.config import CHANNELS_OF
from projects.models import LoginMethods

# What each provider cannot send or be believed without.
REQUIRED_FIELDS: dict[str, tuple[str, ...]] = {
    "meta": (
        "phone_number_id",
        "business_account_id",
        "access_token",
        "app_secret",
        "verify_token",
        "template_name",
        "template_languages",
    ),
    "twilio": ("account_sid", "auth_token"),
    "http": ("url", "signing_secret"),
    "console": (),
    "memory": (),
}


def missing_fields(sender: Sender) -> list[str]:
    """The fields that this sender's provider needs and that are empty."""
    missing = [name for name in REQUIRED_FIELDS[sender.provider] if not getattr(sender, name)]
    if sender.provider == "twilio" and not (sender.from_number or sender.messaging_service_sid):
        missing.append("from_number")
    return missing


def unserved_channels(*, project_id: uuid.UUID | None, verify_phone_by: str) -> list[str]:
    """The channels that a mode promises although no active sender, own or shared, serves them."""
    served = set(Sender.objects.filter(is_active=True, project=None).values_list("channel", flat=True)) | set(
        Sender.objects.filter(is_active=True, project_id=project_id).values_list("channel", flat=True)
        if project_id
        else ()
    )
    return [channel for channel in CHANNELS_OF[verify_phone_by] if channel not in served]


def projects_left_without(sender: Sender) -> list[str]:
    """The names of projects whose mode could not keep its promise without this sender."""
    methods = LoginMethods.objects.select_related("project")
    if sender.project_id:
        methods = methods.filter(project_id=sender.project_id)
    others = Sender.objects.filter(is_active=True, channel=sender.channel).exclude(pk=sender.pk)
    if others.filter(project=None).exists():
        return []
    own = set(others.exclude(project=None).values_list("project_id", flat=True))
    return [
        row.project.name
        for row in methods
        if sender.channel in CHANNELS_OF[row.verify_phone_by] and row.project_id not in own
    ]
