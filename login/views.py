"""The login: phone and code. Only POST changes or sends anything."""

import time
from dataclasses import replace
from datetime import timedelta

from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.utils import timezone
from django.utils.crypto import salted_hmac
from django.utils.translation import get_language
from django.utils.translation import gettext as _

from abuse import known_browsers, rules
from core.errors import DomainError
from login import login_cookie, sessions
from login.code_page import Visit, code_page, ended_page, view_of
from login.login_cookie import LoginCookie, PendingLogin
from login.messages import errors as error_messages
from login.messages.errors import Refusal
from login.pages import ACCOUNT, CODE, LOGIN, login_url, page, private, safe_next, see_other
from login.phone_page import PhoneForm, phone_page, read_phone_form
from otp import services
from otp.errors import ChallengeConsumed
from otp.types import Started, State, Verified
from projects.config import ProjectConfig
from projects.origin import origin_of, project_of
from users.phones import InvalidPhone, Phone

# Without a form token, posts of one browser within this time count as one form.
_SAME_FORM = timedelta(minutes=1)


# The phone ----------------------------------------------------------------------------------------


@page("GET", "POST")
def login(request: HttpRequest, project: ProjectConfig) -> HttpResponse:
    cookie = login_cookie.read(request, project)
    changed = login_cookie.named_login(request, cookie)
    if request.method == "POST":
        return _start_login(request, project, cookie, changed)
    # Every way back to this page keeps what was typed in this browser.
    # An application's hint comes before the number last typed; whoever is signed in begins with an empty form.
    hides_latest = bool(cookie.hint or sessions.person_of(request, project))
    typed = changed or (None if hides_latest else cookie.latest)
    form = PhoneForm(
        phone=typed.phone if typed else cookie.hint,
        country=typed.country if typed else "",
        channel=None,
        token="",
        next=request.GET.get("next", "") or (changed.next if changed else ""),
    )
    response = phone_page(request, project, cookie, form, changed=changed)
    if cookie.is_new or cookie.notice:
        login_cookie.write(response, project, replace(cookie, notice=""))
    return response


def _start_login(
    request: HttpRequest, project: ProjectConfig, cookie: LoginCookie, changed: PendingLogin | None
) -> HttpResponse:
    form = read_phone_form(request.POST)
    if changed and "phone" not in request.POST:  # the button for a new code to the same number
        form = replace(form, phone=changed.phone, country=changed.country, next=changed.next)
    try:
        phone = form.parse()
        running, replaced = _earlier_logins(project, cookie, phone, form=form, changed=changed)
        started = _start_challenge(request, project, phone, form=form, replaces=running or replaced)
    except InvalidPhone as error:
        refusal = Refusal(status=400, text=error_messages.phone_problem(error, form.phone))
        return phone_page(request, project, cookie, form, changed=changed, refusal=refusal)
    except DomainError as error:
        refusal = error_messages.refusal(error) or Refusal(status=400, text=error_messages.end(error).text)
        return phone_page(request, project, cookie, form, changed=changed, refusal=refusal)
    if running and replaced and replaced.challenge_id != started.challenge_id:
        services.cancel(challenge_id=replaced.challenge_id)
    response = HttpResponseRedirect(CODE)
    pending = _pending_login(request, started, form)
    login_cookie.write(response, project, cookie.adding(pending, replacing=changed or replaced))
    return response


def _earlier_logins(
    project: ProjectConfig,
    cookie: LoginCookie,
    phone: Phone,
    *,
    form: PhoneForm,
    changed: PendingLogin | None,
) -> tuple[PendingLogin | None, PendingLogin | None]:
    """This browser's login with the same number, which continues; and the login that this form replaces."""
    running = cookie.with_number(rules.phone_key(project_id=project.id, phone=phone.e164))
    replaced = changed or cookie.leading_to(form.next)
    return running, None if replaced and cookie.is_shared(replaced) else replaced


def _start_challenge(
    request: HttpRequest,
    project: ProjectConfig,
    phone: Phone,
    *,
    form: PhoneForm,
    replaces: PendingLogin | None,
) -> Started:
    return services.start_challenge(
        project=project,
        phone=phone,
        browser=known_browsers.subject(request, project, phone),
        language=get_language() or "en",
        origin=origin_of(request),
        address=request.META.get("REMOTE_ADDR", ""),
        form_token=form.token or _fallback_token(request),
        channel=form.channel,
        replaces=replaces.challenge_id if replaces else None,
    )


def _fallback_token(request: HttpRequest) -> str:
    """For a client that posts without our form's token: derived from its CSRF secret and the minute."""
    minute = int(timezone.now().timestamp() // _SAME_FORM.total_seconds())
    secret = request.META.get("CSRF_COOKIE", "")
    return salted_hmac("login.form", f"{secret}:{minute}", algorithm="sha256").hexdigest()


def _pending_login(request: HttpRequest, started: Started, form: PhoneForm) -> PendingLogin:
    return PendingLogin(
        challenge_id=started.challenge_id,
        started_ms=int(time.time() * 1000),
        phone_key=started.phone_key,
        next=form.next if safe_next(request, form.next) else "",
        phone=form.phone,
        country=form.country,
    )


# The code -----------------------------------------------------------------------------------------


@page("GET", "POST")
def code(request: HttpRequest, project: ProjectConfig) -> HttpResponse:
    cookie = login_cookie.read(request, project)
    login = login_cookie.current_login(request, cookie)
    if login is None:
        # A second click after the first one was answered, or a visitor without a login.
        is_signed_in = sessions.person_of(request, project)
        return see_other(
            (safe_next(request, request.POST.get("next", "")) or ACCOUNT) if is_signed_in else LOGIN
        )
    visit = Visit(request=request, project=project, cookie=cookie, login=login)
    if request.method == "POST":
        return _verify(visit)
    response = _code_or_end(visit, Refusal(status=200, text=error_messages.notice(login.notice)))
    if login.notice and response.status_code == 200:
        login_cookie.write(response, project, cookie.with_notice("", login))
    return response


def _verify(visit: Visit) -> HttpResponse:
    request, challenge_id = visit.request, visit.login.challenge_id
    outcome = services.verify_challenge(
        challenge_id=challenge_id,
        code=request.POST.get("code") or "",
        address=request.META.get("REMOTE_ADDR", ""),
        opens=sessions.opens(request=request, challenge_id=challenge_id),
    )
    if isinstance(outcome, Verified):
        return _log_in(visit, outcome)
    if not isinstance(outcome.error, ChallengeConsumed):
        return _refuse(visit, outcome.error)
    # Another tab with the same number may have used it: its session is this browser's.
    if not outcome.error.repeated or sessions.person_of(visit.request, visit.project):
        return _leave(visit, used=True)
    return _log_in(visit, None)


def _refuse(visit: Visit, error: DomainError) -> HttpResponse:
    refusal = error_messages.refusal(error, of_guess=True)
    if refusal:
        return _code_or_end(visit, refusal, wrong=True)
    return ended_page(visit, view_of(visit.login), error)


def _log_in(visit: Visit, verified: Verified | None) -> HttpResponse:
    """`verified` is None when the same right code comes again within seconds: the answer is the same."""
    request, project, login = visit.request, visit.project, visit.login
    response = HttpResponseRedirect(safe_next(request, login.next) or ACCOUNT)
    sessions.set_cookie(request=request, response=response, challenge_id=login.challenge_id)
    login_cookie.write(response, project, visit.cookie.without(login))
    if verified:
        phone, session_salt = verified.phone, verified.session_salt
        known_browsers.remember(request, response, project, phone=phone, session_salt=session_salt)
    return response


def _code_or_end(visit: Visit, refusal: Refusal, *, wrong: bool = False) -> HttpResponse:
    """The code page, or what takes its place when the challenge has ended meanwhile."""
    view = view_of(visit.login)
    if view is None or view.state is State.VERIFIED:
        return _leave(visit, used=view is not None)
    if error_messages.ended(view):
        return ended_page(visit, view)
    return code_page(visit, view, refusal, wrong=wrong)


def _leave(visit: Visit, *, used: bool) -> HttpResponse:
    """The challenge was used, perhaps in another tab, or is gone. A signed-in person goes where this tab leads."""
    cookie, next_url = visit.cookie.without(visit.login), visit.login.next
    if used and sessions.person_of(visit.request, visit.project):
        response: HttpResponse = see_other(safe_next(visit.request, next_url) or ACCOUNT)
    else:
        response = HttpResponseRedirect(login_url(next_url))
        cookie = replace(cookie, notice=ChallengeConsumed.code if used else "")
    login_cookie.write(response, visit.project, cookie)
    return response


# CSRF ---------------------------------------------------------------------------------------------


def csrf_failure(request: HttpRequest, reason: str = "") -> HttpResponse:  # noqa: ARG001 # Django passes it by name
    """Not our form, or no cookies. For a signed-in person it is a late second click: send them on."""
    project = project_of(request)
    if project and request.path == CODE and sessions.person_of(request, project):
        return private(see_other(safe_next(request, request.POST.get("next", "")) or ACCOUNT))
    next_url = request.POST.get("next", "")
    context = {
        "project": project,
        "reason": _("The page was open for too long, or your browser did not send its cookie."),
        "back": login_url(next_url if safe_next(request, next_url) else ""),
    }
    return private(render(request, "login/csrf.html", context, status=403))
