"""Setting up a factor, at the first sign-in and on one's own page alike."""

import uuid
from typing import Any
from urllib.parse import urlsplit

import segno
import structlog
from django.db import transaction
from django.http import HttpRequest
from django.utils import timezone
from django.utils.crypto import constant_time_compare, salted_hmac
from django.utils.translation import gettext as _

from abuse import limiter
from abuse import rules as limits
from console import staff_audit
from console.staff import proofs
from console.staff.forms import PasskeyForm, SetUpForm
from console.staff.steps import Kind
from projects.origin import address_of
from users import passkeys, recovery_codes, second_factors, totp
from users.models import User

log = structlog.get_logger(__name__)

_BEGUN = "staff_app_begun"


def begin_app(request: HttpRequest, user: User) -> None:
    """Make a new secret, which this session alone sees and confirms: others may know the password as well."""
    request.session[_BEGUN] = _mark(totp.begin(user.pk))


def own_secret(request: HttpRequest, user: User) -> str:
    """The secret that this session began and that waits for its first code; "" also for another session's."""
    secret = totp.waiting(user.pk)
    begun = request.session.get(_BEGUN, "")
    return secret if secret and constant_time_compare(begun, _mark(secret)) else ""


def _mark(secret: str) -> str:
    """What a session keeps of a secret: not the secret."""
    return salted_hmac(_BEGUN, secret, algorithm="sha256").hexdigest()


def context(request: HttpRequest, user: User) -> dict[str, Any]:
    """The forms, and for the app the secret as a picture and as text."""
    secret = own_secret(request, user)
    values: dict[str, Any] = {
        "set_up_form": SetUpForm(),
        "passkey_form": PasskeyForm() if proofs.place_of(request) else None,
        "secret": secret,
    }
    if secret:
        issuer = f"authsvc {urlsplit(address_of(request)).netloc}"
        address = totp.address(secret, name=user.username or "", issuer=issuer)
        values["picture"] = segno.make(address, error="m", micro=False).svg_data_uri(scale=5, light="white")
        values["secret_groups"] = " ".join(secret[at : at + 4] for at in range(0, len(secret), 4))
    return values


def passkey_options(request: HttpRequest, user: User) -> dict[str, Any] | None:
    """For `navigator.credentials.create`; None where there are no passkeys."""
    place = proofs.place_of(request)
    if place is None:
        return None
    challenge = proofs.new_challenge(request, "create")
    return passkeys.registration_options(
        user_id=user.pk, name=user.username or "", place=place, challenge=challenge
    )


def set_up(request: HttpRequest, user: User) -> tuple[Kind | None, str]:
    """The factor that the post sets up, or why it does not. Raises RateLimited and Unavailable."""
    with transaction.atomic():
        if answer := request.POST.get("credential", ""):
            kind, problem = _set_up_passkey(request, user, answer)
        else:
            kind, problem = _set_up_app(request, user)
        if kind:
            staff_audit.acted(user, f"second factor set up: {kind.value}")
    log.info("staff.factor_set_up", result=kind.value if kind else "refused", user_id=str(user.pk))
    return kind, problem


def _set_up_app(request: HttpRequest, user: User) -> tuple[Kind | None, str]:
    form = SetUpForm(request.POST)
    rule = limits.rules()["staff.browser"]
    limiter.charge([limiter.Charge(rule=rule, subject=f"set up:{user.pk}")])
    code = "".join(form.cleaned_data["code"].split()) if form.is_valid() else ""
    if own_secret(request, user) and totp.confirm(user.pk, code, now=timezone.now()):
        return Kind.TOTP, ""
    return None, _("This is not the code that the app shows now. Check the clock of your device.")


def _set_up_passkey(request: HttpRequest, user: User, answer: str) -> tuple[Kind | None, str]:
    form, place = PasskeyForm(request.POST), proofs.place_of(request)
    challenge = proofs.take_challenge(request, "create")
    problem = _("The passkey was not made. Please try again.")
    if place is None or challenge is None or not form.is_valid():
        return None, problem
    name = form.cleaned_data["name"]
    try:
        passkeys.register(user_id=user.pk, name=name, place=place, challenge=challenge.value, answer=answer)
    except passkeys.Refused as error:
        log.warning("staff.passkey", result="not made", why=str(error), user_id=str(user.pk))
        return None, problem
    return Kind.PASSKEY, ""


def first_codes(user_id: uuid.UUID) -> list[str]:
    """Recovery codes for who has none yet: to be called after a factor was set up."""
    has_codes = bool(recovery_codes.left(user_id))
    return [] if has_codes or not second_factors.exist(user_id) else recovery_codes.renew(user_id)
