"""The other forms of the code page, and its poll: send again, change the number, the live state."""

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.utils import timezone

from core.errors import DomainError
from login import login_cookie
from login.code_page import view_of
from login.login_cookie import FIELD, LoginCookie, PendingLogin
from login.messages import errors as error_messages
from login.messages import live as live_messages
from login.messages.errors import Refusal
from login.pages import CODE, LOGIN, chosen_channel, code_url, page, see_other, with_retry_after
from otp import services
from projects.config import ProjectConfig


@page("POST")
def send(request: HttpRequest, project: ProjectConfig) -> HttpResponse:
    """Send the code again, or over another channel. Scripts get the new state as JSON, others the code page."""
    cookie = login_cookie.read(request, project)
    login = login_cookie.current_login(request, cookie)
    wants_json = request.headers.get("Accept", "") == "application/json"
    if login is None:
        return HttpResponse(status=404) if wants_json else see_other(LOGIN)
    error = _resend(request, login)
    if wants_json:
        return _json(cookie, login, error)
    response = see_other(CODE if cookie.is_latest(login) else code_url(cookie.reference(login)))
    notice = error_messages.notice_of(error) if error else ""
    login_cookie.write(response, project, cookie.with_notice(notice, login))
    return response


def _resend(request: HttpRequest, login: PendingLogin) -> DomainError | None:
    try:
        services.resend(
            challenge_id=login.challenge_id,
            address=request.META.get("REMOTE_ADDR", ""),
            channel=chosen_channel(request.POST),
        )
    except DomainError as error:
        return error
    return None


def _json(cookie: LoginCookie, login: PendingLogin, error: DomainError | None) -> HttpResponse:
    refusal = error_messages.refusal_or_end(error) if error else Refusal(status=200, text="")
    view, is_latest = view_of(login), cookie.is_latest(login)
    state = live_messages.payload(view, is_latest=is_latest, now=timezone.now()) if view else {}
    return with_retry_after(JsonResponse(state | {"error": refusal.text}, status=refusal.status), refusal)


@page("POST")
def cancel(request: HttpRequest, project: ProjectConfig) -> HttpResponse:
    """Change the number. The challenge stays valid until another number replaces it."""
    cookie = login_cookie.read(request, project)
    login = login_cookie.current_login(request, cookie)
    return see_other(f"{LOGIN}?{FIELD}={cookie.reference(login)}" if login else LOGIN)


@page("GET", "HEAD")
def live_state(request: HttpRequest, project: ProjectConfig) -> HttpResponse:
    """Only for this browser's own challenge: an id alone gives no access."""
    cookie = login_cookie.read(request, project)
    login = login_cookie.current_login(request, cookie)
    view = view_of(login) if login else None
    if login is None or view is None:
        return HttpResponse(status=404)
    now, is_latest = timezone.now(), cookie.is_latest(login)
    etag = live_messages.fingerprint(view, is_latest=is_latest, now=now)
    if request.headers.get("If-None-Match") == etag:
        response: HttpResponse = HttpResponse(status=304)
    else:
        response = JsonResponse(live_messages.payload(view, is_latest=is_latest, now=now))
    response.headers["ETag"] = etag
    return response
