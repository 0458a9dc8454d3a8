"""The person's own page: their number, where they are signed in, and ways out."""

import ipaddress
import uuid
from dataclasses import dataclass
from datetime import datetime

from django.http import HttpRequest, HttpResponse
from django.utils import timezone

from login import agents, ending, pending, sessions
from login.authorize import scope_text
from login.models import Session
from login.pages import ACCOUNT, LOGIN, login_url, page, safe_next, see_other, show
from oidc import services as oidc
from oidc.types import GrantLine
from projects.config import ProjectConfig
from users import phones
from users.models import User

_SHOWN = 50


@dataclass(frozen=True, kw_only=True)
class SessionLine:
    id: uuid.UUID
    browser: str
    system: str
    address: str
    since: datetime
    is_current: bool


@page("GET", "HEAD")
def home(_request: HttpRequest, _project: ProjectConfig) -> HttpResponse:
    return see_other(ACCOUNT)


@page("GET", "HEAD")
def account(request: HttpRequest, project: ProjectConfig) -> HttpResponse:
    person = sessions.person_of(request, project)
    if person is None:
        return _not_a_person(request, project)
    context = {
        "phone_masked": phones.mask(person.phone or ""),
        "apps": [(app, app_scopes(app)) for app in oidc.grants_of(person.id)],
        "sessions": _sessions_of(person, request.session.session_key or ""),
    }
    return show(request, project, "account.html", context)


@page("POST")
def end_sessions(request: HttpRequest, project: ProjectConfig) -> HttpResponse:
    """End one session of the person (`session` is its id), or every one of them (`all`)."""
    person = sessions.person_of(request, project)
    if person is None:
        return see_other(login_url(ACCOUNT))
    if request.POST.get("all"):
        ending.end_everything(user_id=person.id)
        return _signed_out(request)
    try:
        wanted = uuid.UUID(request.POST.get("session", "")[:40])
    except ValueError:
        return see_other(ACCOUNT)
    if Session.objects.filter(id=wanted, user=person, session_key=request.session.session_key).exists():
        return _signed_out(request)
    ending.end_sessions([wanted], user_id=person.id)
    return see_other(ACCOUNT)


@page("POST")
def revoke_app(request: HttpRequest, project: ProjectConfig) -> HttpResponse:
    """Take back what an application (`client_id`) was given."""
    person = sessions.person_of(request, project)
    if person is None:
        return see_other(login_url(ACCOUNT))
    oidc.revoke_grant(user_id=person.id, client_id=request.POST.get("client_id", "")[:100].replace("\0", ""))
    return see_other(ACCOUNT)


@page("GET", "POST")
def logout(request: HttpRequest, project: ProjectConfig) -> HttpResponse:
    """Asking by GET changes nothing: a link or an image on another site must not sign anybody out."""
    if request.method == "POST":
        return _signed_out(request, safe_next(request, request.POST.get("next", "")))
    if not request.user.is_authenticated:
        return see_other(LOGIN)
    return show(request, project, "logout.html", {"next": safe_next(request, request.GET.get("next", ""))})


def _signed_out(request: HttpRequest, wanted: str = "") -> HttpResponse:
    ending.end_this_session(request)
    response = see_other(wanted or LOGIN)
    pending.clear(response)
    return response


def _not_a_person(request: HttpRequest, project: ProjectConfig) -> HttpResponse:
    user = request.user
    if isinstance(user, User) and user.is_staff:
        return show(request, project, "staff.html", {})
    return see_other(login_url(ACCOUNT))


def _sessions_of(person: User, current_key: str) -> list[SessionLine]:
    """This browser first, then the newest."""
    rows = Session.objects.filter(user=person, expire_date__gt=timezone.now()).order_by("-created_at")[
        :_SHOWN
    ]
    lines = [
        SessionLine(
            id=row.id,
            browser=agents.browser(row.user_agent),
            system=agents.system(row.user_agent),
            address=masked_address(row.address or ""),
            since=row.created_at,
            is_current=row.session_key == current_key,
        )
        for row in rows
    ]
    return sorted(lines, key=lambda line: not line.is_current)


def app_scopes(app: GrantLine) -> list[str]:
    return [text for scope in app.scopes if (text := scope_text(scope))]


def masked_address(address: str) -> str:
    """Enough to recognise one's own network: the last part, or all but the first half of IPv6, is left out."""
    try:
        ip = ipaddress.ip_address(address)
    except ValueError:
        return ""
    if isinstance(ip, ipaddress.IPv6Address):
        return ":".join(ip.exploded.split(":")[:3]) + ":…"
    return address.rpartition(".")[0] + ".…"
