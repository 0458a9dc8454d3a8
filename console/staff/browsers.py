"""The browsers in which a name of staff signed in before: a signed cookie. Their tries have counters of their own."""

import secrets
import unicodedata
from datetime import timedelta

from django.conf import settings
from django.core import signing
from django.http import HttpRequest, HttpResponse
from django.utils.crypto import salted_hmac

_DAYS = 180
_SALT = "authsvc.staff_browser"
_LONGEST_NAME = 200  # more than any username has


def cookie_name() -> str:
    return settings.SESSION_COOKIE_NAME.removesuffix("sessionid") + "staff_browser"


def read(typed: str) -> str:
    """A typed name as Django's form reads it: `ｒoot` in wide letters, with spaces around it, is root."""
    return unicodedata.normalize("NFKC", typed.strip()[:_LONGEST_NAME])


def digest(name: str) -> str:
    """Stands for a typed name: people type passwords into the wrong field. Logs leave its length whole."""
    text = read(name).casefold()
    return salted_hmac(_SALT, text, algorithm="sha256").hexdigest()[:32]


def browser_of(request: HttpRequest, name: str) -> str:
    """The id that this browser got when this name (its digest) signed in with it; "" without one."""
    try:
        value = signing.loads(
            request.COOKIES.get(cookie_name(), ""), salt=_SALT, max_age=timedelta(days=_DAYS)
        )
    except signing.BadSignature:
        return ""
    return str(value["browser"]) if value["name"] == name else ""


def remember(response: HttpResponse, *, name: str, browser: str) -> None:
    """After a whole sign-in, second factor included: who knows only the password stays a stranger."""
    value = {"name": name, "browser": browser or secrets.token_hex(12)}
    response.set_cookie(
        cookie_name(),
        signing.dumps(value, salt=_SALT),
        max_age=timedelta(days=_DAYS),
        secure=settings.SESSION_COOKIE_SECURE,
        httponly=True,
        samesite="Lax",
    )
