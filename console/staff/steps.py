"""The steps of a sign-in and what a session knows of them.

Between password and second factor nobody is signed in: the session only names who typed the right password. A whole
sign-in with a factor leaves a mark in the session, which every page of the admin asks for.
"""

import uuid
from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum
from urllib.parse import urlencode

import structlog
from django.conf import settings
from django.contrib import auth
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils import timezone
from django.utils.crypto import constant_time_compare

from abuse import rules as limits
from console import staff_audit
from console.staff import browsers
from core.addresses import UNKNOWN, block_of
from login import sessions
from login.models import Session
from users import second_factors
from users.models import User

log = structlog.get_logger(__name__)

SESSION = timedelta(hours=12)  # from the sign-in, whatever the activity
PENDING = timedelta(minutes=10)  # from the password to the second factor
FRESH = timedelta(minutes=10)  # how long a proof also opens what asks for one again
SEEN_EVERY = timedelta(minutes=5)
_PENDING, _MARK, _PROVEN, _SEEN = "staff_pending", "staff_factor", "staff_proven_at", "staff_seen_at"
_BACKEND = "django.contrib.auth.backends.ModelBackend"


class Kind(StrEnum):
    """What was proven last."""

    PASSWORD = "password"  # noqa: S105 # the word
    TOTP = "totp"
    PASSKEY = "passkey"
    RECOVERY = "recovery code"


@dataclass(frozen=True, kw_only=True)
class Pending:
    """Somebody who typed the right password. `name` and `browser` are those of console.staff.browsers."""

    user: User
    next_url: str
    name: str
    browser: str


def is_required() -> bool:
    return bool(settings.AUTHSVC_STAFF_SECOND_FACTOR == "required")


def begin(request: HttpRequest, pending: Pending) -> None:
    """Remember, in a new session of ten minutes, that the password was right."""
    request.session.flush()
    request.session[_PENDING] = {
        "user": str(pending.user.pk),
        "hash": pending.user.get_session_auth_hash(),
        "next": pending.next_url,
        "name": pending.name,
        "browser": pending.browser,
    }
    request.session.set_expiry(timezone.now() + PENDING)


def pending_of(request: HttpRequest) -> Pending | None:
    """Who typed the right password in this browser; None also after a change of the password or the account."""
    value = request.session.get(_PENDING)
    if not value:
        return None
    user = User.objects.filter(pk=uuid.UUID(value["user"]), is_active=True, is_staff=True).first()
    if user is None or not constant_time_compare(user.get_session_auth_hash(), value["hash"]):
        return None
    return Pending(user=user, next_url=value["next"], name=value["name"], browser=value["browser"])


def finish(request: HttpRequest, pending: Pending, kind: Kind, response: HttpResponse) -> HttpResponse:
    """Sign in, in a new session of twelve hours. Returns the response, which also makes the browser known."""
    request.session.flush()
    auth.login(request, pending.user, backend=_BACKEND)
    request.session.set_expiry(timezone.now() + SESSION)
    request.session[_SEEN] = timezone.now().timestamp()
    mark(request, kind)
    address = request.META.get("REMOTE_ADDR", "")
    Session.objects.filter(session_key=sessions.hashed_key_of(request)).update(
        user_agent=request.headers.get("User-Agent", "").replace("\0", "")[:200],
        address=address if block_of(address) != UNKNOWN else None,
    )
    staff_audit.signed_in(pending.user)
    browsers.remember(response, name=pending.name, browser=pending.browser)
    log.info(
        "staff.login",
        result="signed in",
        user_id=str(pending.user.pk),
        factor=kind.value,
        block=limits.address_subjects(address)[1],
        known_browser=bool(pending.browser),
    )
    return response


def mark(request: HttpRequest, kind: Kind) -> None:
    """This session proved this just now. A password alone is no second factor."""
    request.session[_PROVEN] = timezone.now().timestamp()
    if kind is not Kind.PASSWORD:
        request.session[_MARK] = kind.value


def is_verified(request: HttpRequest) -> bool:
    """Whether the signed-in member of staff has done everything that a sign-in asks of them."""
    if request.session.get(_MARK):
        return True
    return not is_required() and not has_factor(request)


def has_factor(request: HttpRequest) -> bool:
    """Asked once in a request."""
    if "staff_has_factor" not in request.META:
        request.META["staff_has_factor"] = second_factors.exist(uuid.UUID(str(request.user.pk)))
    return bool(request.META["staff_has_factor"])


def is_fresh(request: HttpRequest) -> bool:
    """Whether a proof was given within the last minutes."""
    proven = float(request.session.get(_PROVEN, 0))
    return timezone.now().timestamp() - proven < FRESH.total_seconds()


def ask_again(request: HttpRequest) -> HttpResponse:
    """To the proof, and from there back to this page."""
    return redirect(f"{reverse('admin:confirm')}?{urlencode({'next': request.get_full_path()})}")


def touch(request: HttpRequest) -> None:
    """Note that the session is in use, at most every five minutes."""
    seen, now = request.session.get(_SEEN), timezone.now().timestamp()
    if seen is not None and now - seen >= SEEN_EVERY.total_seconds():
        request.session[_SEEN] = now


def seen_at(session: Session) -> float | None:
    """When the session was last used, in seconds since 1970; None for one that is older than this."""
    value = sessions.SessionStore().decode(session.session_data).get(_SEEN)
    return float(value) if value is not None else None
