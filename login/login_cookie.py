"""The unfinished logins of a browser, in one sealed cookie without a server session.

There may be several, one in each tab. Every form and URL of a login carries that login, sealed for this browser; the
cookie holds the browser's secret and the details that URLs leave out. Without the cookie there is no access to a
challenge, and a forged, foreign or old seal counts as none.
"""

import json
import time
import uuid
import zlib
from dataclasses import dataclass, field, replace
from urllib.parse import parse_qs, urlsplit

from django.conf import settings
from django.http import HttpRequest, HttpResponse

from core.ids import new_id
from login import seals
from projects.config import ProjectConfig

# The name of the sealed login in forms and URLs.
FIELD = "login"
_COOKIE, _LOGIN, _FORM = b"cookie", b"login", b"form"
_MAX_AGE = 30 * 60
_MAX_LOGINS = 8
# A browser keeps 4096 bytes of a cookie, its name and attributes included.
_MAX_COOKIE_BYTES = 3600
_MAX_REFERENCE = 1500  # a redirect may have 2048
_SHORT_BYTES = 1000  # not worth compressing
_COMPRESSED = b"x"  # the first byte of zlib data, and never of JSON
_TIME_BYTES = 6


@dataclass(frozen=True)
class PendingLogin:
    """One unfinished login. The cookie and the forms hold these fields in this order."""

    challenge_id: uuid.UUID
    started_ms: int  # identifies the login together with the challenge, which two tabs may share
    phone_key: str = ""
    next: str = ""  # where it leads, as the form had it: see login.pages.safe_next
    phone: str = field(default="", repr=False)  # as typed
    country: str = ""
    notice: str = ""  # see login.messages.errors

    @property
    def key(self) -> bytes:
        return self.challenge_id.bytes + self.started_ms.to_bytes(_TIME_BYTES)

    @property
    def is_old(self) -> bool:
        return time.time() - self.started_ms / 1000 > _MAX_AGE


@dataclass(frozen=True, kw_only=True)
class LoginCookie:
    """The content of a browser's cookie."""

    secret: bytes = field(default=b"", repr=False)
    logins: tuple[PendingLogin, ...] = ()  # newest first
    notice: str = ""  # for the phone page
    hint: str = field(default="", repr=False)  # the number that an application expects (login_hint)
    is_new: bool = False  # the browser does not have this cookie yet

    @property
    def latest(self) -> PendingLogin | None:
        return self.logins[0] if self.logins else None

    def is_latest(self, login: PendingLogin) -> bool:
        """Whether a URL without a reference means this login."""
        return self.latest is None or self.latest.key == login.key

    def is_shared(self, login: PendingLogin) -> bool:
        """Whether another tab's login waits for the same challenge."""
        return any(item.challenge_id == login.challenge_id and item.key != login.key for item in self.logins)

    def leading_to(self, next_url: str) -> PendingLogin | None:
        """The login that leads to `next_url`; an application's request has a URL of its own."""
        return next((login for login in self.logins if next_url and login.next == next_url), None)

    def with_number(self, phone_key: str) -> PendingLogin | None:
        return next((login for login in self.logins if login.phone_key == phone_key), None)

    def adding(self, login: PendingLogin, *, replacing: PendingLogin | None = None) -> "LoginCookie":
        """`login` becomes the newest. The same challenge leading to the same place stays one login."""
        same = [
            item for item in self.logins if (item.challenge_id, item.next) == (login.challenge_id, login.next)
        ]
        login = replace(login, started_ms=same[0].started_ms) if same else login
        dropped = {login.key} | ({replacing.key} if replacing else set())
        others = [item for item in self.logins if item.key not in dropped]
        return replace(self, logins=(login, *others)[:_MAX_LOGINS], notice="", hint="")

    def without(self, login: PendingLogin) -> "LoginCookie":
        return replace(self, logins=tuple(item for item in self.logins if item.key != login.key))

    def without_numbers(self) -> "LoginCookie":
        """Forget the typed numbers. Logins in other tabs go on: their forms carry their own."""
        return replace(self, logins=tuple(replace(item, phone="", country="") for item in self.logins))

    def with_notice(self, notice: str, login: PendingLogin) -> "LoginCookie":
        """Show a notice once, on the code page of `login`."""
        logins = (replace(item, notice=notice) if item.key == login.key else item for item in self.logins)
        return replace(self, logins=tuple(logins))

    # Seals in forms and URLs -------------------------------------------------------------------------

    def form_token(self) -> str:
        """For a form that starts a login: valid once, and only from this browser."""
        return seals.seal(new_id().bytes, browser=self.secret, purpose=_FORM)

    def form_value(self, login: PendingLogin) -> str:
        """For the forms of a login: the whole login."""
        details = [login.phone_key, login.next, login.phone, login.country]
        return self._sealed(login.key + json.dumps(details, separators=(",", ":")).encode())

    def reference(self, login: PendingLogin) -> str:
        """For its URLs: the key, or the whole login when the cookie no longer holds it and it fits."""
        whole = "" if login in self.logins else self.form_value(login)
        return whole if 0 < len(whole) < _MAX_REFERENCE else self._sealed(login.key)

    def _sealed(self, value: bytes) -> str:
        return seals.seal(value, browser=self.secret, purpose=_LOGIN)

    def open(self, sealed: str) -> PendingLogin | None:
        """The login that a form or a URL of this browser carries."""
        value = seals.unseal(sealed, browser=self.secret, purpose=_LOGIN)
        if value is None:
            return None
        key, details = value[: 16 + _TIME_BYTES], value[16 + _TIME_BYTES :]
        login = next((item for item in self.logins if item.key == key), None)
        if login is None or (details and not login.phone):  # not in the cookie, or without its number
            phone_key, next_url, phone, country = json.loads(details) if details else ("", "", "", "")
            notice = login.notice if login else ""
            key_fields = uuid.UUID(bytes=key[:16]), int.from_bytes(key[16:])
            login = PendingLogin(*key_fields, phone_key, next_url, phone, country, notice)
        return None if login.is_old else login


def is_own_form(request: HttpRequest) -> bool:
    """Whether we made the posted form for this very browser: its cookie opens a seal in the form."""
    secret = _secret_of(request.COOKIES.get(settings.LOGIN_COOKIE_NAME, ""))
    posted = ((request.POST.get(FIELD), _LOGIN), (request.POST.get("form_token"), _FORM))
    return any(text and seals.unseal(text, browser=secret, purpose=purpose) for text, purpose in posted)


def named_login(request: HttpRequest, cookie: LoginCookie) -> PendingLogin | None:
    """The login that this request names."""
    return cookie.open(request.POST.get(FIELD) or request.GET.get(FIELD, ""))


def current_login(request: HttpRequest, cookie: LoginCookie) -> PendingLogin | None:
    """The login that this request names, else the browser's latest.

    A reloaded tab names none, but its Referer tells which of our pages led to it, and where that login leads.
    """
    if FIELD in request.POST or FIELD in request.GET:
        return named_login(request, cookie)
    if len(cookie.logins) > 1:
        referer = urlsplit(request.headers.get("Referer", "")[:8000])
        return cookie.leading_to(parse_qs(referer.query).get("next", [""])[0]) or cookie.latest
    return cookie.latest


# The cookie ---------------------------------------------------------------------------------------


def read(request: HttpRequest, project: ProjectConfig) -> LoginCookie:
    """This browser's cookie for this project, or a new one."""
    value = request.COOKIES.get(settings.LOGIN_COOKIE_NAME, "")
    return parse(value, project.id) or LoginCookie(secret=seals.new_secret(), is_new=True)


def parse(value: str, project_id: uuid.UUID) -> LoginCookie | None:
    """The content of a cookie; None when we did not write it, or for another project."""
    secret = _secret_of(value)
    packed = seals.unseal(value.partition(".")[2], browser=secret, purpose=_COOKIE)
    if packed is None:
        return None
    content = json.loads(zlib.decompress(packed) if packed[:1] == _COMPRESSED else packed)
    project, notice, hint, rows = content
    if project != project_id.hex:
        return None
    stored = (PendingLogin(uuid.UUID(challenge_id), *others) for challenge_id, *others in rows)
    logins = tuple(login for login in stored if not login.is_old)
    return LoginCookie(secret=secret, logins=logins, notice=notice, hint=hint)


def _secret_of(value: str) -> bytes:
    secret = seals.decode(value.partition(".")[0])
    return secret if len(secret) == seals.SECRET_BYTES else b""


def write(response: HttpResponse, project: ProjectConfig, cookie: LoginCookie) -> None:
    """When the cookie is full, the oldest logins leave it; their forms still carry them."""
    value = _value(project, cookie)
    while len(value) > _MAX_COOKIE_BYTES and cookie.logins:
        cookie = replace(cookie, logins=cookie.logins[:-1])
        value = _value(project, cookie)
    response.set_cookie(
        settings.LOGIN_COOKIE_NAME,
        value,
        max_age=_MAX_AGE,
        secure=settings.SESSION_COOKIE_SECURE,
        httponly=True,
        samesite="Lax",
    )


def _value(project: ProjectConfig, cookie: LoginCookie) -> str:
    rows = [_row(item) for item in cookie.logins]
    content = json.dumps([project.id.hex, cookie.notice, cookie.hint, rows], separators=(",", ":")).encode()
    packed = zlib.compress(content) if len(content) > _SHORT_BYTES else content
    sealed = seals.seal(packed, browser=cookie.secret, purpose=_COOKIE)
    return f"{seals.encode(cookie.secret)}.{sealed}"


def _row(login: PendingLogin) -> list[object]:
    """Its fields in their order. Not `astuple`, which copies each of them deeply."""
    details = (login.phone_key, login.next, login.phone, login.country, login.notice)
    return [login.challenge_id.hex, login.started_ms, *details]
