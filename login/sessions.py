"""Django's database sessions over our own table (SESSION_ENGINE), and the one INSERT that opens a login."""

import uuid
from datetime import timedelta
from typing import Any

from django.conf import settings
from django.contrib.auth import BACKEND_SESSION_KEY, HASH_SESSION_KEY, SESSION_KEY
from django.contrib.sessions.backends.db import SessionStore as DatabaseStore
from django.http import HttpRequest, HttpResponse
from django.middleware.csrf import rotate_token
from django.utils.crypto import salted_hmac

from login.models import Session
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

    The session that this browser had before ends, which costs a second statement when there was one.
    """
    key = key_of(verified.challenge_id)
    previous = request.COOKIES.get(settings.SESSION_COOKIE_NAME, "")[:40]
    if previous and previous != key and "\0" not in previous:
        Session.objects.filter(session_key=previous).delete()
    data = {
        SESSION_KEY: str(verified.user_id),
        BACKEND_SESSION_KEY: _BACKEND,
        # People have no password: the column is empty (otp.store).
        HASH_SESSION_KEY: session_hash(password="", session_salt=verified.session_salt),
        "auth_time": int(verified.at.timestamp()),
        "amr": ["otp"],
    }
    Session(
        session_key=key,
        session_data=SessionStore().encode(data),
        expire_date=verified.at + timedelta(seconds=settings.SESSION_COOKIE_AGE),
        user_id=verified.user_id,
        user_agent=request.headers.get("User-Agent", "").replace("\0", "")[:200],
        address=request.META.get("REMOTE_ADDR") or None,
    ).save(force_insert=True)
    return key


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
