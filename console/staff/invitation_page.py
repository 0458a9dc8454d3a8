"""Accepting an invitation: a password, then the second factor as at any first sign-in."""

from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError
from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods

from abuse import limiter
from abuse import rules as limits
from abuse.errors import RateLimited, Unavailable
from console import staff_audit
from console.staff import browsers, steps
from console.staff.forms import InvitationForm
from console.staff.sign_in_pages import show
from console.staff_login import wait_text
from users import hashing, invitations
from users.models import User


@require_http_methods(["GET", "POST"])
@never_cache
def invitation(request: HttpRequest) -> HttpResponse:
    form = InvitationForm(request.POST or None)
    if request.method != "POST" or not form.is_valid():
        return _show(request, form)
    try:
        network, _block = limits.address_subjects(request.META.get("REMOTE_ADDR", ""))
        limiter.charge([limiter.Charge(rule=limits.rules()["staff.address"], subject=network)])
        with transaction.atomic():
            user = _accept(form)
            if user is not None:
                staff_audit.acted(user, "accepted the invitation")
    except RateLimited as error:
        return _show(request, form, wait_text(error.wait_seconds), 429, error.wait_seconds)
    except (Unavailable, hashing.Busy):
        return _show(request, form, wait_text(1), 503, 1)
    except invitations.NotValid:
        return _show(request, form, _("This invitation is no longer valid. Ask for a new one."), 400)
    if user is None:
        return _show(request, form)
    name = browsers.digest(user.username or "")
    steps.begin(request, steps.Pending(user=user, next_url=reverse("admin:index"), name=name, browser=""))
    return redirect("admin:enrol")


def _accept(form: InvitationForm) -> User | None:
    """None for a weak password, which the form then names. Raises NotValid and Busy."""
    token, password = form.cleaned_data["invitation"], form.cleaned_data["password"]
    row = invitations.find(token, now=timezone.now())
    try:
        validate_password(password, User(username=row.username))
    except ValidationError as error:
        form.add_error("password", error)
        return None
    with hashing.slot(unknown_browser=True, wait_seconds=1.0):
        return invitations.accept(token, password=password, now=timezone.now())


def _show(
    request: HttpRequest, form: InvitationForm, problem: str = "", status: int = 200, wait: int = 0
) -> HttpResponse:
    context = {"title": _("Your new account"), "form": form, "problem": problem}
    return show(request, "invitation.html", context, status=status, wait=wait)
