"""The password of staff: limits before the hash, two hashes at a time, every attempt logged. What follows it:
console.staff.steps.

Unknown browsers are counted by address and by name; a browser in which the name logged in before has a counter of its
own. So an attacker can slow down other unknown browsers, but never lock staff out of their own browser.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import structlog
from django.contrib.auth.views import LoginView
from django.core.exceptions import ValidationError
from django.db import transaction
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import redirect
from django.utils.translation import gettext as _
from unfold.forms import AuthenticationForm

from abuse import limiter
from abuse import rules as limits
from abuse.errors import RateLimited, Unavailable
from console import staff_audit
from console.staff import browsers, steps
from users import hashing, second_factors, totp
from users.models import User

log = structlog.get_logger(__name__)

_BUSY_SECONDS = 1
_KNOWN_WAIT_SECONDS = 1.0

type Page = Callable[[], HttpResponse]


class StaffLoginForm(AuthenticationForm):  # type: ignore[misc] # unfold is not annotated
    """A login that the limits refuse fails without hashing."""

    def clean(self) -> Any:  # noqa: ANN401 # Django's type
        refusal = getattr(self.request, "staff_refusal", "")
        if refusal:
            raise ValidationError(refusal)
        return super().clean()


class PasswordView(LoginView):
    """Django's, which ends here with a right password: signing in is the last step's (console.staff.steps)."""

    authentication_form = StaffLoginForm
    template_name = "admin/login.html"
    next_page = "admin:index"

    def form_valid(self, form: Any) -> HttpResponse:  # noqa: ANN401 # Django's type
        self.request.staff_user = form.get_user()  # type: ignore[attr-defined] # for sign_in
        return HttpResponseRedirect(self.get_success_url())


@dataclass(frozen=True, kw_only=True)
class Attempt:
    """`name` is a digest: people type passwords into the wrong field. `browser`: "" unless known for the name."""

    name: str
    browser: str
    address: str

    def charges(self) -> list[limiter.Charge]:
        rules = limits.rules()
        if self.browser:
            return [limiter.Charge(rule=rules["staff.browser"], subject=self.browser)]
        network, _block = limits.address_subjects(self.address)
        return [
            limiter.Charge(rule=rules["staff.address"], subject=network),
            limiter.Charge(rule=rules["staff.name"], subject=self.name),
        ]


def attempt_of(request: HttpRequest) -> Attempt:
    name = browsers.digest(request.POST.get("username", ""))
    browser = browsers.browser_of(request, name)
    return Attempt(name=name, browser=browser, address=request.META.get("REMOTE_ADDR", ""))


def sign_in(request: HttpRequest, page: Page) -> HttpResponse:
    """One attempt. `page` validates the form; when it is right it redirects and leaves `request.staff_user`."""
    attempt = attempt_of(request)
    try:
        limiter.charge(attempt.charges())
        with hashing.slot(
            unknown_browser=not attempt.browser, wait_seconds=_KNOWN_WAIT_SECONDS if attempt.browser else 0.0
        ):
            response = page()
    except RateLimited as error:
        return _refuse(request, page, attempt, "limited", 429, error.wait_seconds)
    except Unavailable:
        return _refuse(request, page, attempt, "limits unavailable", 503, _BUSY_SECONDS)
    except hashing.Busy:
        return _refuse(request, page, attempt, "busy", 503, _BUSY_SECONDS)
    user = getattr(request, "staff_user", None)
    if not isinstance(user, User):
        _log_refusal(attempt, "refused", request.POST.get("username", ""))
        return response
    next_url = response.headers["Location"]
    return _go_on(
        request,
        steps.Pending(user=user, next_url=next_url, name=attempt.name, browser=attempt.browser),
        response,
    )


def _go_on(request: HttpRequest, pending: steps.Pending, response: HttpResponse) -> HttpResponse:
    """To the second factor, to setting one up, or in where the installation only offers one."""
    if second_factors.exist(pending.user.pk):
        steps.begin(request, pending)
        return redirect("admin:second_factor")
    if steps.is_required():
        steps.begin(request, pending)
        totp.begin(pending.user.pk)
        return redirect("admin:enrol")
    return steps.finish(request, pending, steps.Kind.PASSWORD, response)


def change_password(request: HttpRequest, page: Page) -> HttpResponse:
    """One's own password: the old one is a guess like any other. Raises RateLimited, Unavailable and Busy."""
    rule = limits.rules()["staff.browser"]
    limiter.charge([limiter.Charge(rule=rule, subject=f"password:{request.user.pk}")])
    with hashing.slot(unknown_browser=False, wait_seconds=_KNOWN_WAIT_SECONDS), transaction.atomic():
        response = page()
        result = "changed" if response.status_code == 302 else "refused"
        staff_audit.password_tried(request, result)
    log.info("staff.password", result=result, user_id=str(request.user.pk))
    return response


def wait_text(seconds: int) -> str:
    if seconds <= _BUSY_SECONDS:
        return _("Busy. Please try again in a moment.")
    minutes = max(1, round(seconds / 60))
    return _("Too many tries. Please wait %(minutes)s minutes.") % {"minutes": minutes}


def _refuse(
    request: HttpRequest, page: Page, attempt: Attempt, result: str, status: int, wait: int
) -> HttpResponse:
    """The form again, with the same text for every name."""
    request.staff_refusal = wait_text(wait)  # type: ignore[attr-defined] # for the form
    response = page()
    response.status_code = status
    response.headers["Retry-After"] = str(wait)
    _log_refusal(attempt, result, "")
    return response


def _log_refusal(attempt: Attempt, result: str, typed: str) -> None:
    """An unknown name is not logged: people type passwords into the wrong field."""
    _network, block = limits.address_subjects(attempt.address)
    name = browsers.read(typed)
    rows = User.objects.filter(username=name, is_staff=True) if name.isprintable() else User.objects.none()
    user = rows.only("id", "username").first()
    staff_audit.sign_in_refused(user, result)
    log.warning(
        "staff.login",
        result=result,
        user_id=str(user.pk) if user else None,
        name=attempt.name,
        block=block,
        known_browser=bool(attempt.browser),
    )
