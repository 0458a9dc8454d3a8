"""The page that takes a code, and the page of a login that has ended."""

from dataclasses import dataclass

from django.http import HttpRequest, HttpResponse
from django.utils import timezone

from core.errors import DomainError
from login import csp
from login.login_cookie import LoginCookie, PendingLogin
from login.messages import delivery as delivery_messages
from login.messages import errors as error_messages
from login.messages import live as live_messages
from login.messages.errors import Refusal
from login.pages import code_url, safe_next, show, with_retry_after
from otp import services
from otp.errors import ChallengeNotFound
from otp.types import ChallengeView
from projects.config import ProjectConfig
from users import phones


@dataclass(frozen=True, kw_only=True)
class Visit:
    """A request to the code page of one login."""

    request: HttpRequest
    project: ProjectConfig
    cookie: LoginCookie
    login: PendingLogin


def view_of(login: PendingLogin) -> ChallengeView | None:
    try:
        return services.describe(challenge_id=login.challenge_id)
    except ChallengeNotFound:
        return None


def code_page(visit: Visit, view: ChallengeView, refusal: Refusal, *, wrong: bool = False) -> HttpResponse:
    cookie, login, now = visit.cookie, visit.login, timezone.now()
    reference, is_latest = cookie.reference(login), cookie.is_latest(login)
    context = {
        "view": view,
        "number": phones.formatted(view.phone),
        "live": delivery_messages.live(view, now=now),
        "refusal": refusal,
        "wrong": wrong,
        "next": login.next,
        "login": cookie.form_value(login),
        "reference": reference,
        "page_url": code_url(reference),
        "is_latest": is_latest,
        "etag": live_messages.fingerprint(view, is_latest=is_latest, now=now),
    }
    response = show(visit.request, visit.project, "code.html", context, status=refusal.status)
    csp.allow_application_of(response, safe_next(visit.request, login.next))
    return with_retry_after(response, refusal)


def ended_page(visit: Visit, view: ChallengeView | None, error: DomainError | None = None) -> HttpResponse:
    """Keeps the number, so that a new code is one button away."""
    end = error_messages.end(error, view)
    context = {
        "end": end,
        "number": phones.formatted(view.phone) if view else "",
        "login": visit.cookie.form_value(visit.login),
        "form_token": visit.cookie.form_token(),
        "next": visit.login.next,
    }
    return show(visit.request, visit.project, "ended.html", context, status=end.status)
