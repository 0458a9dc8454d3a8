"""What must hold of senders, test numbers and login methods: asked by the configuration file and by the admin alike.

Problems are pairs of a field's name and a sentence; both places show the same ones.
"""

import re
import uuid

from django.core.exceptions import ValidationError
from django.db.models import Q
from django.utils.translation import gettext as _

from channels.models import Sender
from channels.provider import Problem
from channels.providers import PROVIDERS, serving
from projects.models import LoginMethods
from projects.rules import CHANNELS_OF
from users.phones import InvalidPhone, read

_CODE = re.compile(r"[0-9]{6,10}\Z")

# Senders ------------------------------------------------------------------------------------------


def sender_problems(sender: Sender) -> list[Problem]:
    """All that is wrong with a sender that is to be stored."""
    if problem := provider_problem(sender.channel, sender.provider):
        return [("provider", problem)]
    return PROVIDERS[sender.provider].problems(sender.values)


def provider_problem(channel: str, provider: str) -> str:
    names = [item.name for item in serving(channel)]
    return "" if provider in names else _("must be one of %(names)s") % {"names": ", ".join(names)}


# Test numbers -------------------------------------------------------------------------------------


def phone_of(typed: str) -> str:
    """The number in E.164. Raises ValidationError with the sentence."""
    try:
        return read(typed).e164
    except InvalidPhone as error:
        raise ValidationError(_("must be a mobile number in the form +15005550199")) from error


def code_problem(code: str) -> str:
    """Of a fixed code, which may be empty when one is stored."""
    if not code:
        return _("is required, none is stored yet")
    return "" if _CODE.match(code) else _("must have from 6 to 10 digits")


# Promises -----------------------------------------------------------------------------------------


def unserved_channels(*, project_id: uuid.UUID | None, verify_phone_by: str) -> list[str]:
    """The channels that a mode promises although no active sender, own or shared, serves them."""
    active = Sender.objects.filter(Q(project=None) | Q(project_id=project_id), is_active=True)
    served = set(active.values_list("channel", flat=True))
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
