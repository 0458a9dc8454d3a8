"""What the set-up list (console.setup_list) says of this installation: read in five statements, with its links."""

import threading
import uuid
from collections.abc import Collection, Sequence

from django.db.models import OuterRef, Q, QuerySet, Subquery
from django.http import HttpRequest
from django.urls import reverse
from django.utils.text import capfirst

from channels import alerts
from channels.alerts import Alert
from channels.models import ChannelChoice, Sender
from console.scoping import own_alerts, projects_with
from console.setup_list import Facts, Links, Setup, decide
from oidc.models import Client
from projects import rules
from projects.models import Project
from projects.origin import origin_of_project
from users import fictional
from users.models import User


def setup_of(request: HttpRequest, *, known: Sequence[Alert] | None = None) -> Setup | None:
    """None for staff who may not see projects. `known`: the alerts, when the page has read them already. Staff who may
    not see senders are told of none."""
    if not request.user.has_perm("projects.view_project"):
        return None
    project = _project(projects_with(request.user, "projects.view_project"))
    if known is None and request.user.has_perm("channels.view_sender"):
        known = own_alerts(request.user, alerts.current())
    return decide(_facts(project, known or ()), _links(request, project))


_in_use = threading.Event()  # once it is so it stays so


def is_in_use() -> bool:
    """Whether a person has logged in: a rehearsal does not count. From then on the index shows figures."""
    if not _in_use.is_set() and _people().exists():
        _in_use.set()
    return _in_use.is_set()


def forget() -> None:
    _in_use.clear()


def _people() -> QuerySet[User]:
    return User.objects.filter(project__isnull=False, last_login__isnull=False).exclude(fictional.rows())


def _project(allowed: Collection[uuid.UUID] | None) -> Project | None:
    """The default one, else the oldest, of those that are allowed, with its client's key; one statement."""
    clients = Client.objects.filter(project=OuterRef("pk"), is_active=True).order_by("pk")
    rows = Project.objects.filter(archived_at=None, deletion_began_at=None).select_related("login_methods")
    own = rows if allowed is None else rows.filter(pk__in=allowed)
    annotated = own.annotate(client_pk=Subquery(clients.values("pk")[:1]))
    return annotated.order_by("-is_default", "created_at").first()


def _facts(project: Project | None, known: Sequence[Alert]) -> Facts:
    if project is None:
        return Facts()
    promised = rules.CHANNELS_OF[project.login_methods.verify_phone_by]
    serving = _serving(project, promised)
    people = _people().filter(project=project)
    missing = [channel for channel in promised if not serving[channel]]
    in_use = {sender_id for ids in serving.values() for sender_id in ids}
    return Facts(
        project=project.name,
        promised=[_name(channel) for channel in promised],
        missing=[_name(channel) for channel in missing],
        first_missing=missing[0] if missing else "",
        troubles=[_sentences(alert) for alert in known if alert.sender_id in in_use],
        methods_problems=[
            f"{capfirst(text)}." for _field, text in rules.login_methods_problems(vars(project.login_methods))
        ],
        has_client=project.client_pk is not None,  # type: ignore[attr-defined] # annotated above
        has_login=people.exists(),
    )


def _serving(project: Project, promised: Sequence[str]) -> dict[str, set[uuid.UUID]]:
    """The ids of the senders of each channel: the project's own, else the shared ones."""
    rows = Sender.objects.filter(Q(project=None) | Q(project=project), is_active=True, channel__in=promised)
    ids: dict[tuple[str, bool], set[uuid.UUID]] = {}
    for channel, project_id, sender_id in rows.values_list("channel", "project_id", "id"):
        ids.setdefault((channel, project_id is not None), set()).add(sender_id)
    return {channel: ids.get((channel, True)) or ids.get((channel, False), set()) for channel in promised}


def _name(channel: str) -> str:
    return str(ChannelChoice(channel).label)


def _sentences(alert: Alert) -> str:
    return f"{alert.sender}: {alert.problem}. {alert.remedy}"


def _links(request: HttpRequest, project: Project | None) -> Links:
    def link(permission: str, name: str, *arguments: object) -> str:
        return reverse(f"admin:{name}", args=arguments) if request.user.has_perm(permission) else ""

    senders = link("channels.view_sender", "channels_sender_changelist")
    add_sender = link("channels.add_sender", "channels_sender_add")
    rehearsal = link("channels.add_rehearsal", "channels_rehearsal_changelist")
    if project is None:
        return Links(project=link("projects.add_project", "projects_project_add"), senders=senders)
    client_pk = project.client_pk  # type: ignore[attr-defined] # annotated above
    return Links(
        senders=senders,
        add_sender=add_sender,
        methods=link("projects.view_loginmethods", "projects_loginmethods_change", project.login_methods.pk),
        client=link("oidc.view_client", "oidc_client_snippets", client_pk)
        if client_pk
        else link("oidc.add_client", "oidc_client_add"),
        login=f"{origin_of_project(project, request)}/login/",
        rehearsal=rehearsal,
    )
