"""The login: phone, code, sending again, live state. Only POST changes anything or sends."""

from datetime import timedelta

from django.http import HttpRequest, HttpResponse, HttpResponseRedirect, JsonResponse
from django.shortcuts import render
from django.utils import timezone
from django.utils.crypto import salted_hmac
from django.utils.translation import get_language
from django.utils.translation import gettext as _

from login import csp, forms, pending, refusals, sessions, status, wording
from login.applications import asking
from login.forms import PhoneForm
from login.options import countries_for
from login.pages import ACCOUNT, CODE, LOGIN, page, private, safe_next, see_other, show
from login.pending import Pending
from login.refusals import Refusal
from otp import services
from otp.errors import ChallengeConsumed, ChallengeNotFound, OtpError
from otp.types import ChallengeView, State, Verified
from projects.config import ProjectConfig, projects
from projects.ids import new_id
from users.phones import InvalidPhone

# Without a token in the form, posts of one browser within this time count as one form.
_SAME_FORM = timedelta(minutes=1)


# The phone ---------------------------------------------------------------------------------------


@page("GET", "POST")
def login(request: HttpRequest, project: ProjectConfig) -> HttpResponse:
    mine = pending.read(request, project)
    if request.method == "POST":
        return _start(request, project, mine)
    # What an ended login was on its way to is in its cookie still.
    wanted = request.GET.get("next", "") or ("" if mine.challenge_id else mine.next)
    blank = PhoneForm(phone=mine.hint, country="", channel=None, token="", next=wanted)
    response = _phone_page(request, project, blank, Refusal(status=200, text=refusals.notice(mine.notice)))
    if mine.notice:
        _store(response, project, mine.saying(""))
    return response


def _start(request: HttpRequest, project: ProjectConfig, mine: Pending) -> HttpResponse:
    form = forms.read_phone_form(request.POST)
    try:
        started = services.start_challenge(
            project=project,
            phone=form.parse(),
            language=get_language() or "en",
            origin=f"{request.scheme}://{request.get_host()}",
            address=request.META.get("REMOTE_ADDR", ""),
            form_token=form.token or _stand_in_token(request),
            channel=form.channel,
            replaces=mine.challenge_id,
        )
    except InvalidPhone as problem:
        refusal = Refusal(status=400, text=forms.phone_problem(problem, form.phone))
        return _phone_page(request, project, form, refusal)
    except OtpError as error:
        said = refusals.refusal(error) or Refusal(status=400, text=refusals.end(error).text)
        return _phone_page(request, project, form, said)
    response = HttpResponseRedirect(CODE)
    wanted = safe_next(request, form.next)
    pending.write(
        response,
        project,
        Pending(challenge_id=started.challenge_id, phone_key=started.phone_key, next=wanted),
    )
    return response


def _stand_in_token(request: HttpRequest) -> str:
    """For a client that posts without our form's token: its CSRF secret and the minute."""
    minute = int(timezone.now().timestamp() // _SAME_FORM.total_seconds())
    secret = request.META.get("CSRF_COOKIE", "")
    return salted_hmac("login.form", f"{secret}:{minute}", algorithm="sha256").hexdigest()


def _phone_page(request: HttpRequest, project: ProjectConfig, form: PhoneForm, said: Refusal) -> HttpResponse:
    wanted = safe_next(request, form.next)
    context = {
        "form": form,
        "form_token": form.token or new_id().hex,
        "next": wanted,
        "client": asking(wanted, project),
        "countries": countries_for(
            project, chosen=form.country, accept_language=request.headers.get("Accept-Language", "")
        ),
        "error": said.text,
        "mode": project.verify_phone_by,
    }
    response = show(request, project, "phone.html", context, status=said.status)
    return _with_wait(response, said)


# The code ----------------------------------------------------------------------------------------


@page("GET", "POST")
def code(request: HttpRequest, project: ProjectConfig) -> HttpResponse:
    mine = pending.read(request, project)
    if mine.challenge_id is None:
        return _nothing_pending(request, project)
    if request.method == "POST":
        return _check(request, project, mine)
    view = _view_of(mine)
    if view is None or view.state is State.VERIFIED:
        return _start_again(project, mine, used=view is not None)
    over = refusals.ended(view)
    if over:
        return show(request, project, "ended.html", {"end": over, "next": mine.next}, status=over.status)
    response = _code_page(
        request, project, mine, view, Refusal(status=200, text=refusals.notice(mine.notice))
    )
    if mine.notice:
        _store(response, project, mine.saying(""))
    return response


def _check(request: HttpRequest, project: ProjectConfig, mine: Pending) -> HttpResponse:
    assert mine.challenge_id  # noqa: S101 # the caller looked
    digits = forms.typed_digits(request.POST)
    if not digits:
        return _refused(
            request, project, mine, Refusal(status=400, text=refusals.not_a_code(project.otp_length))
        )

    def open_session(verified: Verified) -> None:
        sessions.open_session(request=request, verified=verified)

    try:
        services.verify_challenge(
            challenge_id=mine.challenge_id,
            code=digits,
            address=request.META.get("REMOTE_ADDR", ""),
            phone_key=mine.phone_key,
            then=open_session,
        )
    except ChallengeConsumed as error:
        if not error.repeated:
            return _start_again(project, mine, used=True)
    except OtpError as error:
        refusal = refusals.refusal(error)
        if refusal:
            return _refused(request, project, mine, refusal)
        over = refusals.end(error, _view_of(mine))
        return show(request, project, "ended.html", {"end": over, "next": mine.next}, status=over.status)
    # Right, for the first time or again within seconds: both answers are the same.
    response = HttpResponseRedirect(safe_next(request, mine.next) or ACCOUNT)
    sessions.hand_over(request=request, response=response, key=sessions.key_of(mine.challenge_id))
    pending.clear(response)
    return response


def _refused(request: HttpRequest, project: ProjectConfig, mine: Pending, said: Refusal) -> HttpResponse:
    """The code page again, with what was wrong."""
    view = _view_of(mine)
    if view is None or view.state is State.VERIFIED:
        return _start_again(project, mine, used=view is not None)
    over = refusals.ended(view)
    if over:
        return show(request, project, "ended.html", {"end": over, "next": mine.next}, status=over.status)
    return _with_wait(_code_page(request, project, mine, view, said, wrong=True), said)


def _code_page(
    request: HttpRequest,
    project: ProjectConfig,
    mine: Pending,
    view: ChallengeView,
    said: Refusal,
    *,
    wrong: bool = False,
) -> HttpResponse:
    now = timezone.now()
    context = {
        "view": view,
        "live": wording.live(view, now=now),
        "error": said.text,
        "wrong": wrong,
        "next": mine.next,
        "etag": status.fingerprint(view, now=now),
    }
    response = show(request, project, "code.html", context, status=said.status)
    csp.let_form_reach(response, mine.next)
    return response


def _nothing_pending(request: HttpRequest, project: ProjectConfig) -> HttpResponse:
    """No login under way: a second click after the first one was answered, or somebody who came by chance."""
    if sessions.person_of(request, project):
        return see_other(safe_next(request, request.POST.get("next", "")) or ACCOUNT)
    return see_other(LOGIN)


def _start_again(project: ProjectConfig, mine: Pending, *, used: bool) -> HttpResponse:
    response = HttpResponseRedirect(LOGIN)
    notice = ChallengeConsumed.code if used else ""
    _store(response, project, Pending(challenge_id=None, next=mine.next, notice=notice))
    return response


# Sending again, another number, live state -------------------------------------------------------


@page("POST")
def send(request: HttpRequest, project: ProjectConfig) -> HttpResponse:
    """Send the code again, or another way. Scripts get the new state, others go back to the code page."""
    mine = pending.read(request, project)
    scripted = request.headers.get("Accept", "") == "application/json"
    if mine.challenge_id is None:
        return HttpResponse(status=404) if scripted else see_other(LOGIN)
    refusal, notice = Refusal(status=200, text=""), ""
    try:
        services.resend(
            challenge_id=mine.challenge_id,
            address=request.META.get("REMOTE_ADDR", ""),
            channel=forms.chosen_channel(request.POST),
        )
    except OtpError as error:
        over = refusals.end(error)
        refusal = refusals.refusal(error) or Refusal(status=over.status, text=over.text)
        notice = refusals.notice_of(error)
    if not scripted:
        response: HttpResponse = see_other(CODE)
        _store(response, project, mine.saying(notice))
        return response
    view = _view_of(mine)
    live = status.payload(view, now=timezone.now()) if view else {}
    return _with_wait(JsonResponse(live | {"error": refusal.text}, status=refusal.status), refusal)


@page("POST")
def cancel(request: HttpRequest, project: ProjectConfig) -> HttpResponse:
    """Another number: nothing more is sent to the first one."""
    mine = pending.read(request, project)
    if mine.challenge_id:
        services.cancel(challenge_id=mine.challenge_id)
    response = see_other(LOGIN)
    _store(response, project, Pending(challenge_id=None, next=mine.next))
    return response


@page("GET", "HEAD")
def live_state(request: HttpRequest, project: ProjectConfig) -> HttpResponse:
    """This browser's own challenge, nobody else's: an id alone opens nothing."""
    view = _view_of(pending.read(request, project))
    if view is None:
        return HttpResponse(status=404)
    now = timezone.now()
    etag = status.fingerprint(view, now=now)
    if request.headers.get("If-None-Match") == etag:
        response: HttpResponse = HttpResponse(status=304)
    else:
        response = JsonResponse(status.payload(view, now=now))
    response.headers["ETag"] = etag
    return response


# Shared ------------------------------------------------------------------------------------------


def _view_of(mine: Pending) -> ChallengeView | None:
    if mine.challenge_id is None:
        return None
    try:
        return services.describe(challenge_id=mine.challenge_id)
    except ChallengeNotFound:
        return None


def _store(response: HttpResponse, project: ProjectConfig, mine: Pending) -> None:
    if mine.challenge_id or mine.next or mine.notice or mine.hint:
        pending.write(response, project, mine)
    else:
        pending.clear(response)


def _with_wait(response: HttpResponse, said: Refusal) -> HttpResponse:
    if said.wait_seconds:
        response.headers["Retry-After"] = str(said.wait_seconds)
    return response


def csrf_failure(request: HttpRequest, reason: str = "") -> HttpResponse:  # noqa: ARG001 # Django passes it by name
    """A form that is not ours, or no cookies. Whoever is signed in already meant to be: a late second click."""
    project = projects.get().for_host(request.get_host())
    if project and request.path == CODE and sessions.person_of(request, project):
        return private(see_other(safe_next(request, request.POST.get("next", "")) or ACCOUNT))
    context = {"reason": _("The page was open for too long, or your browser did not send its cookie.")}
    return private(render(request, "login/csrf.html", context, status=403))
