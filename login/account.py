"""The account page: the person's number, their sessions and applications, and signing out."""

import ipaddress
import uuid
from dataclasses import replace

from django.http import HttpRequest, HttpResponse
from django.utils import timezone

from login import login_cookie, sessions, sign_out, user_agents
from login.messages import errors as error_messages
from login.messages.applications import scope_texts
from login.models import Session
from login.pages import ACCOUNT, LOGIN, login_url, page, safe_next, see_other, show
from oidc import services as oidc
from projects.config import ProjectConfig
from users import phones
from users.models import User

_MAX_SESSIONS = 50


@page("GET", "HEAD")
def home(_request: HttpRequest, _project: ProjectConfig) -> HttpResponse:
    return see_other(ACCOUNT)


@page("GET", "HEAD")
def account(request: HttpRequest, project: ProjectConfig) -> HttpResponse:
    person = sessions.person_of(request, project)
    if person is None:
        return _staff_or_login(request, project)
    context = {
        "phone_masked": phones.mask(person.phone or ""),
        "apps": [(app, scope_texts(app.scopes)) for app in oidc.grants_of(person.id)],
        "sessions": _sessions_of(person, sessions.hashed_key_of(request)),
    }
    return show(request, project, "account.html", context)


@page("POST")
def end_sessions(request: HttpRequest, project: ProjectConfig) -> HttpResponse:
    """End one session of the person (`session` is its id), or `all` of them."""
    person = sessions.person_of(request, project)
    if person is None:
        return see_other(login_url(ACCOUNT))
    if request.POST.get("all"):
        sign_out.end_everything(user_id=person.id)
        return _signed_out(request, project)
    try:
        session_id = uuid.UUID(request.POST.get("session", "")[:40])
    except ValueError:
        return see_other(ACCOUNT)
    this_one = Session.objects.filter(user=person, session_key=sessions.hashed_key_of(request))
    if this_one.filter(id=session_id).exists():
        return _signed_out(request, project)
    sign_out.end_sessions([session_id], user_id=person.id)
    return see_other(ACCOUNT)


@page("POST")
def revoke_app(request: HttpRequest, project: ProjectConfig) -> HttpResponse:
    """Withdraw the consent and tokens of an application (`client_id`)."""
    person = sessions.person_of(request, project)
    if person is None:
        return see_other(login_url(ACCOUNT))
    oidc.revoke_grant(user_id=person.id, client_id=request.POST.get("client_id", "")[:100].replace("\0", ""))
    return see_other(ACCOUNT)


@page("GET", "POST")
def logout(request: HttpRequest, project: ProjectConfig) -> HttpResponse:
    """A GET only asks: a link or an image on another site must not sign anyone out."""
    if request.method == "POST":
        return _signed_out(request, project, safe_next(request, request.POST.get("next", "")))
    if not request.user.is_authenticated:
        return see_other(LOGIN)
    return show(request, project, "logout.html", {"next": safe_next(request, request.GET.get("next", ""))})


def _signed_out(request: HttpRequest, project: ProjectConfig, next_url: str = "") -> HttpResponse:
    sign_out.end_this_session(request)
    response = see_other(next_url or LOGIN)
    # Logins in other tabs go on, but the next person at this device sees no number.
    cookie = login_cookie.read(request, project).without_numbers()
    notice = "" if next_url else error_messages.SIGNED_OUT
    login_cookie.write(response, project, replace(cookie, notice=notice))
    return response


def _staff_or_login(request: HttpRequest, project: ProjectConfig) -> HttpResponse:
    user = request.user
    if isinstance(user, User) and user.is_staff:
        return show(request, project, "staff.html", {})
    return see_other(login_url(ACCOUNT))


def _sessions_of(person: User, current_key: str) -> list[dict[str, object]]:
    """This browser first, then the newest."""
    rows = Session.objects.filter(user=person, expire_date__gt=timezone.now()).order_by("-created_at")
    lines: list[dict[str, object]] = [
        {
            "id": row.id,
            "browser": user_agents.browser(row.user_agent),
            "system": user_agents.system(row.user_agent),
            "address": masked_address(row.address or ""),
            "since": row.created_at,
            "is_current": row.session_key == current_key,
        }
        for row in rows[:_MAX_SESSIONS]
    ]
    return sorted(lines, key=lambda line: not line["is_current"])


def masked_address(address: str) -> str:
    """Enough to recognise one's own network: without the last part, or of IPv6 only the first three groups."""
    try:
        ip = ipaddress.ip_address(address)
    except ValueError:
        return ""
    if isinstance(ip, ipaddress.IPv6Address):
        return ":".join(ip.exploded.split(":")[:3]) + ":…"
    return address.rpartition(".")[0] + ".…"
