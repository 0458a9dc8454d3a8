"""Browsers that logged in with a number before: a signed cookie names, for each number, what they count under.

What strangers do to a number never decides over such a browser (abuse.rules). The cookie knows numbers by keyed
digests, is bound to the session salt of the number's user, so that "sign out everywhere" and blocking end it, and is
sent to the login pages only. The database is asked only when a browser brings an entry for the number that was typed.
"""

import hmac
import secrets
import uuid
from collections.abc import Iterator
from dataclasses import dataclass

from django.conf import settings
from django.core import signing
from django.http import HttpRequest, HttpResponse

from projects.config import ProjectConfig
from users.models import User
from users.phones import Phone

# It has a path of its own, so it cannot be a __Host- cookie.
_NAME = "known" if settings.INSECURE_HTTP else "__Secure-known"
_SALT = "login.known"
_MAX_AGE = 180 * 24 * 3600  # since the last login of this browser
_PATH = "/login/"
_MOST = 8  # numbers; the one that was used longest ago is forgotten


@dataclass(frozen=True, kw_only=True)
class _Entry:
    """One number. `browser`: what this browser counts under for it; `seal`: binds that to the user's session salt."""

    number: str
    browser: str
    seal: str


def subject(request: HttpRequest, project: ProjectConfig, phone: Phone) -> str:
    """What this browser counts under for `phone`; "" for a stranger."""
    entry = _entry_of(_read(request), project.id, phone.e164)
    if entry is None:
        return ""
    salt = (
        User.objects.filter(project_id=project.id, phone=phone.e164)
        .values_list("session_salt", flat=True)
        .first()
    )
    known = salt is not None and any(
        hmac.compare_digest(entry.seal, _seal(secret, entry.browser, salt)) for secret in _secrets()
    )
    return entry.browser if known else ""


def remember(
    request: HttpRequest, response: HttpResponse, project: ProjectConfig, *, phone: str, session_salt: str
) -> None:
    """This browser has just logged in."""
    entries = _read(request)
    earlier = _entry_of(entries, project.id, phone)
    browser = earlier.browser if earlier else secrets.token_hex(12)
    secret = settings.SECRET_KEY
    newest = _Entry(
        number=_number(secret, project.id, phone), browser=browser, seal=_seal(secret, browser, session_salt)
    )
    kept = [newest, *(item for item in entries if item is not earlier)][:_MOST]
    response.set_cookie(
        _NAME,
        signing.dumps([[item.number, item.browser, item.seal] for item in kept], salt=_SALT),
        max_age=_MAX_AGE,
        path=_PATH,
        secure=settings.SESSION_COOKIE_SECURE,
        httponly=True,
        samesite="Lax",
    )


def _read(request: HttpRequest) -> list[_Entry]:
    """A forged, foreign or old cookie counts as none."""
    text = request.COOKIES.get(_NAME, "")
    if not text:
        return []
    try:
        rows = signing.loads(text, salt=_SALT, max_age=_MAX_AGE)
        return [_Entry(number=number, browser=browser, seal=seal) for number, browser, seal in rows][:_MOST]
    except (signing.BadSignature, TypeError, ValueError):
        return []


def _entry_of(entries: list[_Entry], project_id: uuid.UUID, phone: str) -> _Entry | None:
    if not entries:
        return None
    names = {_number(secret, project_id, phone) for secret in _secrets()}
    return next((item for item in entries if item.number in names), None)


def _secrets() -> Iterator[str]:
    """The one that signs, then those that a rotation left to be read."""
    yield settings.SECRET_KEY
    yield from settings.SECRET_KEY_FALLBACKS


def _number(secret: str, project_id: uuid.UUID, phone: str) -> str:
    return _digest(secret, b"known:%b:%b" % (project_id.bytes, phone.encode()))


def _seal(secret: str, browser: str, salt: str) -> str:
    return _digest(secret, b"known:seal:%b:%b" % (browser.encode(), salt.encode()))


def _digest(secret: str, text: bytes) -> str:
    return hmac.digest(secret.encode(), text, "sha256").hex()[:24]
