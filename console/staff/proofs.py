"""Judging a second factor: a code of the app, a recovery code, or a passkey; limited and logged.

Only the codes of an app can be guessed. Strangers' tries count for the account, those of a browser in which the name
signed in before for that browser: whoever learned a password cannot lock its owner out.
"""

import secrets
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from urllib.parse import urlsplit

import structlog
from django.http import HttpRequest
from django.utils import timezone
from django.utils.http import urlsafe_base64_decode, urlsafe_base64_encode

from abuse import limiter
from abuse import rules as limits
from abuse.errors import RateLimited
from console import staff_audit
from console.staff.steps import Kind
from projects.origin import address_of
from users import passkeys, recovery_codes, totp
from users.models import User

log = structlog.get_logger(__name__)

_CHALLENGE = "staff_challenge"
_CHALLENGE_LIFE = timedelta(minutes=5)
_LOOPBACK = "localhost"


@dataclass(frozen=True, kw_only=True)
class Claimant:
    """Who is to prove something; `browser`: "" unless known for the name."""

    user: User
    browser: str
    address: str

    def charges(self) -> list[limiter.Charge]:
        rules = limits.rules()
        if self.browser:
            names = ("staff.browser", "staff.browser.day")
            return [limiter.Charge(rule=rules[name], subject=f"factor:{self.browser}") for name in names]
        network, _block = limits.address_subjects(self.address)
        user = str(self.user.pk)
        return [
            limiter.Charge(rule=rules["staff.address"], subject=network),
            limiter.Charge(rule=rules["staff.factor"], subject=user),
            limiter.Charge(rule=rules["staff.factor.day"], subject=user),
        ]


@dataclass(frozen=True, kw_only=True)
class Challenge:
    """What a browser's passkey has to sign, and since when."""

    value: bytes
    at: datetime


def judge(request: HttpRequest, claimant: Claimant) -> Kind | None:
    """What the post proves; None if nothing. Raises RateLimited and Unavailable, with nothing judged."""
    # Apps show a code in two groups, and people type it as they see it.
    user_id, code = claimant.user.pk, "".join(request.POST.get("code", "")[:100].split())
    if answer := request.POST.get("credential", ""):
        kind, why = _judge_passkey(request, claimant, answer), "passkey refused"
    elif len(code) > totp.DIGITS:
        kind, why = Kind.RECOVERY if recovery_codes.use(user_id, code) else None, "wrong recovery code"
    else:
        _charge(request, claimant)
        is_right = totp.verify(user_id, code, now=timezone.now())
        kind, why = Kind.TOTP if is_right else None, staff_audit.WRONG_CODE
    if kind is None:
        staff_audit.factor_refused(request, claimant.user, why)
    _log(claimant, kind.value if kind else "refused")
    return kind


def _charge(request: HttpRequest, claimant: Claimant) -> None:
    """Raises RateLimited and Unavailable."""
    try:
        limiter.charge(claimant.charges())
    except RateLimited:
        staff_audit.factor_refused(request, claimant.user, "limited")
        raise


def _judge_passkey(request: HttpRequest, claimant: Claimant, answer: str) -> Kind | None:
    place, challenge = place_of(request), take_challenge(request, "get")
    if place is None or challenge is None:
        return None
    try:
        passkeys.verify(
            user_id=claimant.user.pk,
            place=place,
            challenge=challenge.value,
            asked_at=challenge.at,
            answer=answer,
            now=timezone.now(),
        )
    except passkeys.Refused as error:
        log.warning("staff.passkey", result="refused", why=str(error), user_id=str(claimant.user.pk))
        return None
    return Kind.PASSKEY


def _log(claimant: Claimant, result: str) -> None:
    line = log.warning if result == "refused" else log.info
    line(
        "staff.factor",
        result=result,
        user_id=str(claimant.user.pk),
        block=limits.address_subjects(claimant.address)[1],
        known_browser=bool(claimant.browser),
    )


# Passkeys in a browser ----------------------------------------------------------------------------


def place_of(request: HttpRequest) -> passkeys.Place | None:
    """None where browsers have no passkeys: at a numeric address, and over plain http except on this machine."""
    origin = address_of(request)
    parts = urlsplit(origin)
    name = parts.hostname or ""
    is_local = name == _LOOPBACK or name.endswith(f".{_LOOPBACK}")
    if not name or (parts.scheme != "https" and not is_local) or _is_numeric(name):
        return None
    return passkeys.Place(rp_id=name, origin=origin)


def _is_numeric(name: str) -> bool:
    try:
        ip_address(name)
    except ValueError:
        return False
    return True


def new_challenge(request: HttpRequest, purpose: str) -> bytes:
    """For one answer in this session; it replaces the one before. `purpose`: create or get."""
    challenge = secrets.token_bytes(32)
    at = timezone.now().timestamp()
    request.session[_CHALLENGE] = {"value": urlsafe_base64_encode(challenge), "purpose": purpose, "at": at}
    return challenge


def take_challenge(request: HttpRequest, purpose: str) -> Challenge | None:
    """The challenge, once; None if it is too old or was made for something else."""
    value = request.session.pop(_CHALLENGE, None)
    if not value or value["purpose"] != purpose:
        return None
    at = datetime.fromtimestamp(value["at"], tz=UTC)
    if timezone.now() - at >= _CHALLENGE_LIFE:
        return None
    return Challenge(value=urlsafe_base64_decode(value["value"]), at=at)
