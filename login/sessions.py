"""Django's database sessions on our own table (SESSION_ENGINE), and the INSERT that opens one after a login.

The table holds hashes of the keys, so reading it does not let anyone take over a session.
"""

import hashlib
import json
import time
import uuid
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from asgiref.sync import sync_to_async
from django.conf import settings
from django.contrib.auth import BACKEND_SESSION_KEY, HASH_SESSION_KEY, SESSION_KEY
from django.contrib.sessions.backends.db import SessionStore as DatabaseStore
from django.core import signing
from django.http import HttpRequest, HttpResponse
from django.middleware.csrf import get_token, rotate_token
from django.utils import timezone
from django.utils.crypto import salted_hmac

from core import sql
from core.pads import hmac_pads
from login.models import Session
from oidc import services as oidc
from oidc.types import Login
from otp.services import Opens
from otp.types import Verified
from projects.config import ProjectConfig
from users import amr
from users.models import User

_BACKEND = "django.contrib.auth.backends.ModelBackend"
_AMR, _AMR_WITH_SMS = (json.dumps(amr.methods(sms_sent=sms_sent)) for sms_sent in (False, True))
# The beginning of `_data` as JSON for PostgreSQL's format(): user, hash, time, amr.
_DATA = f'{{"{SESSION_KEY}":"%s","{HASH_SESSION_KEY}":"%s","auth_time":%s,"amr":%s,"{BACKEND_SESSION_KEY}":"{_BACKEND}"'
_OPEN = sql.load(Path(__file__).with_name("open_session.sql"))


def hash_key(session_key: str) -> str:
    """The SHA-256 of a session's key, cut to 160 bits: Django's column takes no more. The key itself is only in the
    browser's cookie."""
    return hashlib.sha256(session_key.encode(errors="replace")).hexdigest()[:40]


class SessionStore(DatabaseStore):
    @classmethod
    def get_model_class(cls) -> type[Session]:
        return Session

    def create_model_instance(self, data: dict[str, Any]) -> Session:
        """Django keeps the owner only inside the signed data; here it is also a column."""
        instance = super().create_model_instance(data)
        assert isinstance(instance, Session)  # noqa: S101 # what get_model_class returns
        instance.session_key = hash_key(instance.session_key)
        instance.user_id = data.get(SESSION_KEY)
        return instance

    # The rest is Django's own, with the hashed key in place of the key.

    def _get_session_from_db(self) -> Session | None:
        row = Session.objects.filter(
            session_key=hash_key(self.session_key or ""), expire_date__gt=timezone.now()
        ).first()
        if row is None:
            self._session_key = None
        return row

    def exists(self, session_key: str) -> bool:
        return super().exists(hash_key(session_key))

    def delete(self, session_key: str | None = None) -> None:
        key = session_key or self.session_key
        if key:
            super().delete(hash_key(key))

    # So are the asynchronous ways, in a thread.
    acreate_model_instance = sync_to_async(create_model_instance)  # type: ignore[arg-type] # inferred for Django's base
    _aget_session_from_db = sync_to_async(_get_session_from_db)
    aexists = sync_to_async(exists)  # type: ignore[arg-type] # likewise
    adelete = sync_to_async(delete)  # type: ignore[arg-type] # likewise


def derive_key(request: HttpRequest, challenge_id: uuid.UUID) -> str:
    """The key of the session that this challenge opens in this browser.

    Derived, so that a double submit of the right code gets the same cookie without a second login. It takes both 190
    random bits that only the browser has (its CSRF secret, which changes with this login) and a key that only the
    server has. Nothing that is stored leads to it.
    """
    if "CSRF_COOKIE" not in request.META:
        get_token(request)  # creates the secret
    material = f"{challenge_id.hex}:{request.META['CSRF_COOKIE']}"
    return salted_hmac("login.session", material, algorithm="sha256").hexdigest()[:48]


def hashed_key_of(request: HttpRequest) -> str:
    """The key in the row of this browser's session."""
    return hash_key(request.session.session_key or "")


def opens(*, request: HttpRequest, challenge_id: uuid.UUID) -> Opens:
    """The session that a right code of this challenge opens in this browser, for the judgement of the code."""
    key = derive_key(request, challenge_id)

    def write(verified: Verified) -> None:
        open_session(request=request, verified=verified)

    # An earlier session is ended by statements of its own.
    return Opens(write=write, queries=None if _previous_key(request, key) else _queries(request, key))


def _queries(request: HttpRequest, key: str) -> sql.WithQueries:
    """What `open_session` writes, for PostgreSQL to write it together with the login."""
    inner_pad, outer_pad = hmac_pads(f"{SessionStore().key_salt}signer", settings.SECRET_KEY)
    sid = uuid.uuid4()
    return sql.WithQueries(
        text=_OPEN,
        parameters={
            "key": hash_key(key),
            "sid": sid,
            "data": _DATA + f',"sid":"{sid}"}}',
            "amr": _AMR,
            "amr_with_sms": _AMR_WITH_SMS,
            "signed_at": signing.b62_encode(int(time.time())),
            "inner": inner_pad,
            "outer": outer_pad,
            "valid": timedelta(seconds=settings.SESSION_COOKIE_AGE),
            "user_agent": _user_agent(request),
            "address": _address(request),
        },
    )


def open_session(*, request: HttpRequest, verified: Verified) -> str:
    """Write the session of a verified phone and return its key. One INSERT, as Django's middleware expects it.

    This browser's previous session ends. If it was the same person's, the new one keeps its id: for applications it
    is one session with a new `auth_time` (OpenID Connect Core 3.1.2.1, prompt=login).
    """
    key = derive_key(request, verified.challenge_id)
    sid = _end_previous(_previous_key(request, key), verified.user_id) or uuid.uuid4()
    Session(
        session_key=hash_key(key),
        id=sid,
        session_data=SessionStore().encode(_data(verified, sid)),
        expire_date=verified.at + timedelta(seconds=settings.SESSION_COOKIE_AGE),
        user_id=verified.user_id,
        user_agent=_user_agent(request),
        address=_address(request),
    ).save(force_insert=True)
    return key


def _user_agent(request: HttpRequest) -> str:
    return request.headers.get("User-Agent", "").replace("\0", "")[:200]


def _address(request: HttpRequest) -> str | None:
    return request.META.get("REMOTE_ADDR") or None


def _data(verified: Verified, sid: uuid.UUID) -> dict[str, object]:
    return {
        SESSION_KEY: str(verified.user_id),
        BACKEND_SESSION_KEY: _BACKEND,
        HASH_SESSION_KEY: verified.session_hash,
        "auth_time": verified.at.timestamp(),
        "amr": amr.methods(sms_sent=verified.sms_sent),
        "sid": str(sid),
    }


def _previous_key(request: HttpRequest, key: str) -> str:
    """The key of another session that this browser has; "": of none."""
    previous = str(request.COOKIES.get(settings.SESSION_COOKIE_NAME, ""))
    return "" if previous == key else previous


def _end_previous(previous: str, user_id: uuid.UUID) -> uuid.UUID | None:
    """End this browser's previous session; its id when it was the same person's."""
    if not previous:
        return None
    rows = Session.objects.filter(session_key=hash_key(previous))
    row = rows.values_list("id", "user_id").first()
    # Of two logins at once in one browser, the one that deletes the row keeps the id.
    if row is None or not rows.delete()[0]:
        return None
    if row[1] == user_id:
        return row[0]
    oidc.end_tokens_of_sessions([row[0]])
    return None


def set_cookie(*, request: HttpRequest, response: HttpResponse, challenge_id: uuid.UUID) -> None:
    """Give the browser the session that this challenge opened, and a new CSRF secret."""
    key = derive_key(request, challenge_id)
    # The middleware reads request.session last: an old, empty session there would delete the new cookie.
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
    """The signed-in person of this project; None for staff and for a cookie of another project's host."""
    user = request.user
    if not isinstance(user, User) or user.project_id != project.id:
        return None
    return user


def login_of(request: HttpRequest, person: User) -> Login | None:
    """The login that opened this browser's session; None for a session of a release without applications."""
    session = request.session
    if "sid" not in session:
        return None
    return Login(
        user_id=person.id,
        sid=uuid.UUID(session["sid"]),
        auth_time=datetime.fromtimestamp(session["auth_time"], tz=UTC),
        amr=tuple(session["amr"]),
        session_hash=person.get_session_auth_hash(),
    )
