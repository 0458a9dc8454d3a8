"""The page that takes a code, and the page of a login that has ended."""

from collections.abc import Hashable, Iterable
from dataclasses import dataclass

from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from django.utils.html import format_html_join
from django.utils.safestring import SafeString

from core.errors import DomainError
from login import csp, sheets
from login.login_cookie import FIELD, LoginCookie, PendingLogin
from login.messages import delivery as delivery_messages
from login.messages import errors as error_messages
from login.messages import live as live_messages
from login.messages.delivery import Send
from login.messages.errors import Refusal
from login.pages import code_url, safe_next, show, show_filled, with_retry_after
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
    live = delivery_messages.live(view, now=now)
    fixed: dict[str, Hashable] = {
        "code_length": view.code_length,
        "wrong": wrong,
        "is_latest": is_latest,
        "tone": live.tone,
        "channel": live.channel or "",
        "has_two_channels": len(view.channels) > 1,
        "rows": live.rows,
    }
    values: dict[str, str | int] = {
        "number": phones.formatted(view.phone),
        "refusal": refusal.text,
        "wait_seconds": refusal.wait_seconds,
        "next": login.next,
        "login": cookie.form_value(login),
        "reference": reference,
        "kept_query": f"{FIELD}={reference}",
        "page_url": code_url(reference),
        "etag": live_messages.fingerprint(view, is_latest=is_latest, now=now),
        "headline": live.headline,
        "detail": live.detail,
        "countdown": live.countdown,
        "countdown_seconds": live.countdown_seconds,
        "countdown_text": live.countdown_text,
        "send_buttons": _send_buttons(live.sends),
    }
    response = show_filled(
        visit.request, visit.project, "code.html", fixed=fixed, values=values, status=refusal.status
    )
    csp.allow_application_of(response, safe_next(visit.request, login.next))
    return with_retry_after(response, refusal)


def _send_buttons(sends: Iterable[Send]) -> SafeString:
    buttons = [
        sheets.fill(
            "login/send_button.html",
            fixed={"choice": send.choice, "label": send.label, "waiting": send.waiting},
            values={"seconds": send.seconds, "text": send.text},
        )
        for send in sends
    ]
    return format_html_join("", "{}", ((button,) for button in buttons))


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
