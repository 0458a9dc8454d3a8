"""The pages between password and admin: proving the second factor, and setting up the first one."""

from collections.abc import Callable
from typing import Any

from django.contrib import admin, messages
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect, JsonResponse
from django.shortcuts import redirect
from django.template.response import TemplateResponse
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST

from abuse.errors import RateLimited, Unavailable
from console.staff import proofs, set_up, steps
from console.staff.forms import CodeForm
from console.staff_login import wait_text
from users import passkeys, recovery_codes, second_factors
from users.models import User

type PendingView = Callable[[HttpRequest, steps.Pending], HttpResponse]


def _pending_only(view: PendingView) -> Callable[[HttpRequest], HttpResponse]:
    """Only for who has just typed the right password."""

    def page(request: HttpRequest) -> HttpResponse:
        pending = steps.pending_of(request)
        return view(request, pending) if pending else redirect("admin:login")

    return never_cache(page)


def claimant(request: HttpRequest, pending: steps.Pending) -> proofs.Claimant:
    return proofs.Claimant(
        user=pending.user, browser=pending.browser, address=request.META.get("REMOTE_ADDR", "")
    )


@require_http_methods(["GET", "POST"])
@_pending_only
def second_factor(request: HttpRequest, pending: steps.Pending) -> HttpResponse:
    if not second_factors.exist(pending.user.pk):
        return redirect("admin:login")
    if request.method != "POST":
        return _show_second_factor(request, pending)
    try:
        kind = proofs.judge(request, claimant(request, pending))
    except RateLimited as error:
        return _show_second_factor(request, pending, wait_text(error.wait_seconds), 429, error.wait_seconds)
    except Unavailable:
        return _show_second_factor(request, pending, wait_text(1), 503, 1)
    if kind is None:
        return _show_second_factor(request, pending, _("That was not right. Please try again."))
    response = steps.finish(request, pending, kind, HttpResponseRedirect(pending.next_url))
    if kind is steps.Kind.RECOVERY:
        text = _("You used a recovery code: %(left)s are left. Set up a new factor under Your security.")
        messages.warning(request, text % {"left": recovery_codes.left(pending.user.pk)})
    return response


def _show_second_factor(
    request: HttpRequest, pending: steps.Pending, problem: str = "", status: int = 200, wait: int = 0
) -> HttpResponse:
    context = {
        "title": _("Second factor"),
        "form": CodeForm(),
        "problem": problem,
        "has_passkey": passkeys.exist(pending.user.pk, proofs.place_of(request)),
    }
    return show(request, "second_factor.html", context, status=status, wait=wait)


@require_POST
@_pending_only
def passkey_options(request: HttpRequest, pending: steps.Pending) -> HttpResponse:
    """A challenge for the passkeys of who typed the password."""
    return answer_options(request, pending.user)


def answer_options(request: HttpRequest, user: User) -> HttpResponse:
    place = proofs.place_of(request)
    if place is None:
        return JsonResponse({}, status=404)
    challenge = proofs.new_challenge(request, "get")
    return JsonResponse(passkeys.authentication_options(user_id=user.pk, place=place, challenge=challenge))


@require_http_methods(["GET", "POST"])
@_pending_only
def enrol(request: HttpRequest, pending: steps.Pending) -> HttpResponse:
    """The first factor. Who has one proves it instead."""
    if second_factors.exist(pending.user.pk):
        return redirect("admin:second_factor")
    if request.method != "POST":
        return _show_enrol(request, pending)
    try:
        kind, problem = set_up.set_up(request, pending.user)
    except RateLimited as error:
        return _show_enrol(request, pending, wait_text(error.wait_seconds), 429, error.wait_seconds)
    except Unavailable:
        return _show_enrol(request, pending, wait_text(1), 503, 1)
    if kind is None:
        return _show_enrol(request, pending, problem)
    context = {"title": _("Your recovery codes"), "codes": recovery_codes.renew(pending.user.pk)}
    response = show(request, "first_codes.html", context | {"next_url": pending.next_url})
    return steps.finish(request, pending, kind, response)


def _show_enrol(
    request: HttpRequest, pending: steps.Pending, problem: str = "", status: int = 200, wait: int = 0
) -> HttpResponse:
    if not set_up.own_secret(request, pending.user):
        set_up.begin_app(request, pending.user)
    context = {"title": _("Set up your second factor"), "problem": problem}
    return show(
        request, "enrol.html", context | set_up.context(request, pending.user), status=status, wait=wait
    )


@require_POST
@_pending_only
def enrol_options(request: HttpRequest, pending: steps.Pending) -> HttpResponse:
    if second_factors.exist(pending.user.pk):
        return JsonResponse({}, status=409)
    options = set_up.passkey_options(request, pending.user)
    return JsonResponse(options or {}, status=200 if options else 404)


def show(
    request: HttpRequest, template: str, context: dict[str, Any], *, status: int = 200, wait: int = 0
) -> HttpResponse:
    values = {**admin.site.each_context(request), **context}
    response = TemplateResponse(request, f"admin/staff/{template}", values, status=status)
    if wait:
        response.headers["Retry-After"] = str(wait)
    return response
