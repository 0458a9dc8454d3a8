"""Django's database sessions over our own table (SESSION_ENGINE), and the one INSERT that opens a login."""

import uuid
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from django.conf import settings
from django.contrib.auth import BACKEND_SESSION_KEY, HASH_SESSION_KEY, SESSION_KEY
from django.contrib.sessions.backends.db import SessionStore as DatabaseStore
from django.http import HttpRequest, HttpResponse
from django.middleware.csrf import rotate_token
from django.utils.crypto import salted_hmac

from login.models import Session
from oidc import policy
from oidc import services as oidc
from otp.types import Verified
from projects.config import ProjectConfig
from users.models import User, session_hash

_BACKEND = "django.contrib.auth.backends.ModelBackend"


class SessionStore(DatabaseStore):
    @classmethod
    def get_model_class(cls) -> type[Session]:
        return Session

    def create_model_instance(self, data: dict[str, Any]) -> Session:
        """Also names the owner, which Django keeps inside the signed data only."""
        instance = super().create_model_instance(data)
        assert isinstance(instance, Session)  # noqa: S101 # what get_model_class returns
        instance.user_id = data.get(SESSION_KEY)
        return instance


def key_of(challenge_id: uuid.UUID) -> str:
    """The key of the session that this challenge opens: 128 bits that only the server can work out.

    Derived, so that a double submit of the right code is answered with the same cookie and without a second login.
    """
    return salted_hmac("login.session", challenge_id.bytes.hex(), algorithm="sha256").hexdigest()[:32]


def open_session(*, request: HttpRequest, verified: Verified) -> str:
    """Write the session of a proven phone and give its key. One INSERT, as Django's middleware expects to find it.

    The session that this browser had before ends. When it was the same person's, the new one goes on under its id:
    for applications it is one session whose `auth_time` moved (OpenID Connect Core 3.1.2.1, prompt=login).
    """
    key = key_of(verified.challenge_id)
    sid = _end_previous(request, key, verified.user_id) or uuid.uuid4()
    data = {
        SESSION_KEY: str(verified.user_id),
        BACKEND_SESSION_KEY: _BACKEND,
        # People have no password: the column is empty (otp.store).
        HASH_SESSION_KEY: session_hash(password="", session_salt=verified.session_salt),
        "auth_time": verified.at.timestamp(),
        "amr": policy.amr(sms_sent=verified.sms_sent),
        "sid": str(sid),
    }
    Session(
        session_key=key,
        id=sid,
        session_data=SessionStore().encode(data),
        expire_date=verified.at + timedelta(seconds=settings.SESSION_COOKIE_AGE),
        user_id=verified.user_id,
        user_agent=request.headers.get("User-Agent", "").replace("\0", "")[:200],
        address=request.META.get("REMOTE_ADDR") or None,
    ).save(force_insert=True)
    return key


def _end_previous(request: HttpRequest, key: str, user_id: uuid.UUID) -> uuid.UUID | None:
    """End what this browser had before; its id, when the same person goes on."""
    previous = request.COOKIES.get(settings.SESSION_COOKIE_NAME, "")[:40]
    if not previous or previous == key or "\0" in previous:
        return None
    found = Session.objects.filter(session_key=previous)
    row = found.values_list("id", "user_id").first()
    # Two logins at once in one browser: the id goes to the one that took the row away.
    if row is None or not found.delete()[0]:
        return None
    if row[1] == user_id:
        return row[0]
    oidc.sessions_ended([row[0]])
    return None


def hand_over(*, request: HttpRequest, response: HttpResponse, key: str) -> None:
    """Give the browser its session, and a new CSRF secret with it."""
    # The middleware looks at request.session last of all: it must not delete the new cookie for an old, empty session.
    request.session = SessionStore(key)
    rotate_token(request)
    response.set_cookie(
        settings.SESSION_COOKIE_NAME,
        key,
        max_age=settings.SESSION_COOKIE_AGE,
        path=settings.SESSION_COOKIE_PATH,
        secure=settings.SESSION_COOKIE_SECURE,
        httponly=settings.SESSION_COOKIE_HTTPONLY,
        samesite="Lax",
    )


def person_of(request: HttpRequest, project: ProjectConfig) -> User | None:
    """The person of this project who is signed in; nobody for staff and for a cookie of another project's host."""
    user = request.user
    if not isinstance(user, User) or user.project_id != project.id:
        return None
    return user


@dataclass(frozen=True, kw_only=True)
class Facts:
    """What is known of the login that opened this browser's session."""

    sid: uuid.UUID
    at: datetime
    amr: tuple[str, ...]

    @property
    def auth_time(self) -> float:
        return self.at.timestamp()


def facts(request: HttpRequest) -> Facts | None:
    """Of a session that `open_session` wrote; None for one of staff, or of a release before there were applications."""
    found = request.session
    if "sid" not in found:
        return None
    return Facts(
        sid=uuid.UUID(found["sid"]),
        at=datetime.fromtimestamp(found["auth_time"], tz=UTC),
        amr=tuple(found["amr"]),
    )
