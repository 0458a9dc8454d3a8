"""The login of staff: limits before the hash, two hashes at a time, sessions of twelve hours, every attempt logged.

Unknown browsers are counted by address and by name; a browser in which the name logged in before has a counter of its
own. So an attacker can slow down other unknown browsers, but never lock staff out of their own browser.
"""

import secrets
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import structlog
from django.conf import settings
from django.core import signing
from django.core.exceptions import ValidationError
from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from django.utils.crypto import salted_hmac
from django.utils.translation import gettext as _
from unfold.forms import AuthenticationForm

from abuse import limiter
from abuse import rules as limits
from abuse.errors import RateLimited, Unavailable
from users import hashing
from users.models import User

log = structlog.get_logger(__name__)

SESSION = timedelta(hours=12)  # from the login, whatever the activity
_BROWSER_DAYS = 180
_BUSY_SECONDS = 1
_KNOWN_WAIT_SECONDS = 1.0
_SALT = "authsvc.staff_browser"

type Page = Callable[[], HttpResponse]


class StaffLoginForm(AuthenticationForm):  # type: ignore[misc] # unfold is not annotated
    """A login that the limits refuse fails without hashing."""

    def clean(self) -> Any:  # noqa: ANN401 # Django's type
        refusal = getattr(self.request, "staff_refusal", "")
        if refusal:
            raise ValidationError(refusal)
        return super().clean()


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


def cookie_name() -> str:
    return settings.SESSION_COOKIE_NAME.removesuffix("sessionid") + "staff_browser"


def attempt_of(request: HttpRequest) -> Attempt:
    typed = request.POST.get("username", "")[:200]
    name = _digest(typed.strip().casefold())
    return Attempt(name=name, browser=_browser(request, name), address=request.META.get("REMOTE_ADDR", ""))


def sign_in(request: HttpRequest, page: Page) -> HttpResponse:
    """One attempt. `page` validates the form, and signs in when it is right."""
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
    if response.status_code != 302 or not isinstance(request.user, User):
        _log_refusal(attempt, "refused", request.POST.get("username", ""))
        return response
    request.session.set_expiry(timezone.now() + SESSION)
    _remember(response, attempt)
    log.info(
        "staff.login",
        result="signed in",
        user_id=str(request.user.pk),
        block=limits.address_subjects(attempt.address)[1],
        known_browser=bool(attempt.browser),
    )
    return response


def change_password(request: HttpRequest, page: Page) -> HttpResponse:
    """One's own password: the old one is a guess like any other. Raises RateLimited, Unavailable and Busy."""
    rule = limits.rules()["staff.browser"]
    limiter.charge([limiter.Charge(rule=rule, subject=f"password:{request.user.pk}")])
    with hashing.slot(unknown_browser=False, wait_seconds=_KNOWN_WAIT_SECONDS):
        response = page()
    result = "changed" if response.status_code == 302 else "refused"
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
    rows = User.objects.filter(username=typed, is_staff=True) if typed.isprintable() else User.objects.none()
    user_id = rows.values_list("pk", flat=True).first()
    log.warning(
        "staff.login",
        result=result,
        user_id=str(user_id) if user_id else None,
        name=attempt.name,
        block=block,
        known_browser=bool(attempt.browser),
    )


def _digest(name: str) -> str:
    """Of a length that logs leave whole (users.phones.mask_text), however many digits it has."""
    return salted_hmac(_SALT, name, algorithm="sha256").hexdigest()[:32]


def _browser(request: HttpRequest, name: str) -> str:
    """The id that this browser got when this name logged in with it; "" without one."""
    try:
        value = signing.loads(
            request.COOKIES.get(cookie_name(), ""), salt=_SALT, max_age=timedelta(days=_BROWSER_DAYS)
        )
    except signing.BadSignature:
        return ""
    return str(value["browser"]) if value["name"] == name else ""


def _remember(response: HttpResponse, attempt: Attempt) -> None:
    value = {"name": attempt.name, "browser": attempt.browser or secrets.token_hex(12)}
    response.set_cookie(
        cookie_name(),
        signing.dumps(value, salt=_SALT),
        max_age=timedelta(days=_BROWSER_DAYS),
        secure=settings.SESSION_COOKIE_SECURE,
        httponly=True,
        samesite="Lax",
    )
