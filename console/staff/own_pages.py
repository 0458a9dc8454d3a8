"""A member of staff's own security page: factors, recovery codes, sessions. Changing a factor needs a fresh proof."""

import uuid
from collections.abc import Callable
from typing import Any

from django.contrib import messages
from django.contrib.auth import update_session_auth_hash
from django.db import transaction
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import redirect
from django.utils.http import url_has_allowed_host_and_scheme
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from abuse import limiter
from abuse import rules as limits
from abuse.errors import RateLimited, Unavailable
from console import staff_audit
from console.staff import browsers, proofs, set_up, steps
from console.staff.forms import CodeForm, PasswordForm
from console.staff.sign_in_pages import answer_options, show
from console.staff.steps import Kind
from console.staff_login import wait_text
from users import hashing, passkeys, recovery_codes, second_factors
from users.models import Passkey, Totp, User

type View = Callable[[HttpRequest, User], HttpResponse]


def _own(view: View) -> Callable[[HttpRequest], HttpResponse]:
    """With the member of staff; the site has checked that it is one."""

    def page(request: HttpRequest) -> HttpResponse:
        assert isinstance(request.user, User)  # noqa: S101 # the site's check
        return view(request, request.user)

    return page


def _fresh(view: View) -> View:
    """Ask for a proof again unless one was given within the last minutes."""

    def page(request: HttpRequest, user: User) -> HttpResponse:
        return view(request, user) if steps.is_fresh(request) else redirect("admin:confirm")

    return page


@require_GET
@_own
def security(request: HttpRequest, user: User) -> HttpResponse:
    context = {
        "title": _("Your security"),
        "has_app": Totp.objects.filter(user=user, is_confirmed=True).exists(),
        "passkeys": list(Passkey.objects.filter(user=user).order_by("created_at")),
        "codes_left": recovery_codes.left(user.pk),
        "is_required": steps.is_required(),
        "is_fresh": steps.is_fresh(request),
    }
    return show(request, "security.html", context | set_up.context(request, user))


@require_POST
@_own
@_fresh
def begin_app(request: HttpRequest, user: User) -> HttpResponse:
    """A new secret, which the page then shows until its first code was typed."""
    set_up.begin_app(request, user)
    return redirect("admin:security")


@require_POST
@_own
@_fresh
def add(request: HttpRequest, user: User) -> HttpResponse:
    """Set up an app or a passkey. An app takes the place of the one before, and all other sessions end."""
    try:
        kind, problem = set_up.set_up(request, user)
    except RateLimited as error:
        kind, problem = None, wait_text(error.wait_seconds)
    except Unavailable:
        kind, problem = None, wait_text(1)
    if kind is None:
        messages.error(request, problem)
        return redirect("admin:security")
    have_ended = _keep_this_session(request, user)
    steps.mark(request, kind)
    if codes := set_up.first_codes(user.pk):
        return _show_codes(request, codes)
    text = _("The new factor is set up, and your other sessions have ended.")
    messages.success(request, text if have_ended else _("The new factor is set up."))
    return redirect("admin:security")


@require_POST
@_own
@_fresh
def passkey_options(request: HttpRequest, user: User) -> HttpResponse:
    options = set_up.passkey_options(request, user)
    return JsonResponse(options or {}, status=200 if options else 404)


@require_POST
@_own
@_fresh
def remove(request: HttpRequest, user: User) -> HttpResponse:
    """Remove a passkey (`passkey` is its id) or without one the app. All other sessions end."""
    try:
        passkey_id = uuid.UUID(request.POST["passkey"][:40]) if request.POST.get("passkey") else None
        done = _removed(user, passkey_id)
    except second_factors.LastFactor:
        messages.error(request, _("This is your only second factor. Set up another one first."))
        return redirect("admin:security")
    except ValueError:
        done = False
    if done:
        _keep_this_session(request, user)
        messages.success(request, _("The factor is removed, and your other sessions have ended."))
    return redirect("admin:security")


@transaction.atomic
def _removed(user: User, passkey_id: uuid.UUID | None) -> bool:
    """Raises second_factors.LastFactor."""
    done = second_factors.remove(user.pk, passkey_id=passkey_id, keep_one=steps.is_required())
    if done:
        staff_audit.acted(user, f"second factor removed: {'passkey' if passkey_id else 'totp'}")
    return done


def _keep_this_session(request: HttpRequest, user: User) -> bool:
    """Whether all sessions were ended; this one goes on."""
    before = user.session_salt
    user.refresh_from_db(fields=["session_salt"])
    if user.session_salt == before:
        return False
    update_session_auth_hash(request, user)
    return True


@require_POST
@_own
@_fresh
def new_codes(request: HttpRequest, user: User) -> HttpResponse:
    if not second_factors.exist(user.pk):
        messages.error(request, _("Set up an app or a passkey first."))
        return redirect("admin:security")
    with transaction.atomic():
        codes = recovery_codes.renew(user.pk)
        staff_audit.acted(user, "recovery codes renewed")
    return _show_codes(request, codes)


def _show_codes(request: HttpRequest, codes: list[str]) -> HttpResponse:
    return show(request, "codes.html", {"title": _("Your recovery codes"), "codes": codes})


# A proof again --------------------------------------------------------------------------------------


@require_http_methods(["GET", "POST"])
@_own
def confirm(request: HttpRequest, user: User) -> HttpResponse:
    """The second factor, or without one the password."""
    if request.method != "POST":
        return _show_confirm(request, user)
    try:
        kind = _confirmed(request, user)
    except RateLimited as error:
        return _show_confirm(request, user, wait_text(error.wait_seconds), 429, error.wait_seconds)
    except (Unavailable, hashing.Busy):
        return _show_confirm(request, user, wait_text(1), 503, 1)
    if kind is None:
        return _show_confirm(request, user, _("That was not right. Please try again."))
    steps.mark(request, kind)
    return redirect(_next(request))


def _confirmed(request: HttpRequest, user: User) -> Kind | None:
    """Raises RateLimited, Unavailable and Busy."""
    browser = browsers.browser_of(request, browsers.digest(user.username or ""))
    if steps.has_factor(request):
        address = request.META.get("REMOTE_ADDR", "")
        return proofs.judge(request, proofs.Claimant(user=user, browser=browser, address=address))
    rule = limits.rules()["staff.browser"]
    limiter.charge([limiter.Charge(rule=rule, subject=f"password:{user.pk}")])
    with hashing.slot(unknown_browser=False, wait_seconds=1.0):
        is_right = user.check_password(request.POST.get("password", "")[:1000])
    return Kind.PASSWORD if is_right else None


def _next(request: HttpRequest) -> str:
    address = request.POST.get("next", "")
    is_ours = url_has_allowed_host_and_scheme(address, allowed_hosts=None, require_https=request.is_secure())
    return address if is_ours and address.startswith("/") else "admin:security"


def _show_confirm(
    request: HttpRequest, user: User, problem: str = "", status: int = 200, wait: int = 0
) -> HttpResponse:
    has_factor = steps.has_factor(request)
    context: dict[str, Any] = {
        "title": _("Confirm that it is you"),
        "form": CodeForm() if has_factor else PasswordForm(),
        "problem": problem,
        "next_url": request.POST.get("next") or request.GET.get("next", ""),
        "has_passkey": has_factor and passkeys.exist(user.pk, proofs.place_of(request)),
    }
    return show(request, "confirm.html", context, status=status, wait=wait)


@require_POST
@_own
def confirm_options(request: HttpRequest, user: User) -> HttpResponse:
    return answer_options(request, user)
