"""What must hold of senders, test numbers and login methods: asked by the configuration file and by the admin alike.

Problems are pairs of a field's name and a sentence; both places show the same ones.
"""

import re
import uuid

from django.core.exceptions import ValidationError
from django.db.models import F, Max, Q
from django.utils.translation import gettext as _

from channels.models import Sender
from channels.provider import Problem
from channels.providers import PROVIDERS, serving
from projects import routing
from projects.models import LoginMethods, Project
from projects.rules import CHANNELS_OF
from users import fictional
from users.models import User
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


def name_problem(name: str) -> str:
    try:
        Sender._meta.get_field("name").clean(name, None)
    except ValidationError:
        return _("must have at most 40 letters, digits, hyphens and underscores")
    return ""


def next_priority(project: Project | None, channel: str) -> int:
    """Behind all other active senders of a project, or the shared ones, for a channel."""
    rows = Sender.objects.filter(project=project, channel=channel, is_active=True)
    return min((rows.aggregate(last=Max("priority"))["last"] or 0) + 1, 1000)


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


# Routes -------------------------------------------------------------------------------------------


def named_senders(project_id: uuid.UUID | None) -> dict[str, str]:
    """The channels of the active senders with a name, own and shared, that routes of a project can name."""
    rows = Sender.objects.filter(Q(project=None) | Q(project_id=project_id), is_active=True).exclude(name="")
    # An own one comes last, so that it counts.
    return dict(rows.order_by(F("project").asc(nulls_first=True)).values_list("name", "channel"))


def route_problems(methods: LoginMethods) -> list[tuple[int, str]]:
    """Numbers of stored routes, and what is wrong with the senders that they name."""
    values = {**vars(methods), "routing": methods.routing}
    problems = routing.problems(values, senders=named_senders(methods.project_id))
    return [(number, problem) for number, key, problem in problems if key == "sender"]


def routes_naming(sender: Sender) -> list[str]:
    """The names of projects of which a route names this stored sender, and no other has the name."""
    if not sender.name or not sender.is_active:
        return []
    methods = LoginMethods.objects.select_related("project").exclude(routing=[]).order_by("project__name")
    others = Sender.objects.filter(is_active=True, name=sender.name, channel=sender.channel).exclude(
        pk=sender.pk
    )
    elsewhere = set(others.values_list("project_id", flat=True))
    return [
        row.project.name
        for row in (methods.filter(project_id=sender.project_id) if sender.project_id else methods)
        if not elsewhere & {row.project_id, None} and any(r.get("sender") == sender.name for r in row.routing)
    ]


# Promises -----------------------------------------------------------------------------------------


def unserved_channels(*, project_id: uuid.UUID | None, verify_phone_by: str) -> list[str]:
    """The channels that a mode promises although no active sender, own or shared, serves them."""
    active = Sender.objects.filter(Q(project=None) | Q(project_id=project_id), is_active=True)
    served = set(active.values_list("channel", flat=True))
    return [channel for channel in CHANNELS_OF[verify_phone_by] if channel not in served]


def may_wait(project_id: uuid.UUID) -> bool:
    """Whether a project's mode may be stored before its senders: nobody has logged in yet, and no channel of the stored
    mode has a sender. From then on a promise must be kept (docs/security.md, D13; decision 0127)."""
    stored = (
        LoginMethods.objects.filter(project_id=project_id).values_list("verify_phone_by", flat=True).first()
    )
    if stored is None or len(CHANNELS_OF[stored]) > len(
        unserved_channels(project_id=project_id, verify_phone_by=stored)
    ):
        return False
    return not User.objects.filter(project_id=project_id).exclude(fictional.rows()).exists()


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
