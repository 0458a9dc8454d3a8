"""Ending sessions: rows and tokens are deleted and applications are notified, in one transaction."""

import uuid
from collections.abc import Iterable

import structlog
from django.contrib.auth import logout
from django.db import transaction
from django.http import HttpRequest

from audit import actors
from audit.kinds import Kind
from audit.record import Target, record, target_of
from login import sessions
from login.models import Session
from oidc import services as oidc
from users import services as users
from users.models import User

log = structlog.get_logger(__name__)


def end_this_session(request: HttpRequest) -> None:
    """Sign this browser out."""
    with transaction.atomic():
        oidc.end_tokens_of_sessions(
            Session.objects.filter(session_key=sessions.hashed_key_of(request)).values_list("id", flat=True)
        )
        logout(request)
    log.info("session.ended", why="signed out")


def end_sessions(ids: Iterable[uuid.UUID], *, user_id: uuid.UUID) -> None:
    """End these sessions of a person; ids of other people's sessions are ignored. Safe to repeat."""
    with transaction.atomic():
        own = list(Session.objects.filter(id__in=list(ids), user_id=user_id).values_list("id", flat=True))
        oidc.end_tokens_of_sessions(own)
        Session.objects.filter(id__in=own).delete()
    log.info("session.ended", why="elsewhere", user_id=str(user_id), sessions=len(own))


def end_everything(*, user_id: uuid.UUID) -> None:
    """Sign a person out everywhere: sessions, tokens, applications."""
    with transaction.atomic():
        users.end_all_sessions(user_id=user_id)  # locks the user first, as every act on a person does
        oidc.end_tokens_of_user(user_id)
        Session.objects.filter(user_id=user_id).delete()
        if actors.is_known():  # people who do it themselves are no matter of staff
            record(Kind.SIGNED_OUT_EVERYWHERE, _target(user_id))
    log.info("session.ended", why="everywhere", user_id=str(user_id))


def set_active(*, user_id: uuid.UUID, active: bool) -> None:
    """Allow or block a person. Blocking ends all sessions and tokens."""
    with transaction.atomic():
        users.set_active(user_id=user_id, active=active)  # first, as above
        if not active:
            oidc.end_tokens_of_user(user_id)
            Session.objects.filter(user_id=user_id).delete()
        kind = Kind.UNBLOCKED if active else Kind.BLOCKED
        record(kind, _target(user_id), before={"is_active": not active}, after={"is_active": active})
    log.info("user.unblocked" if active else "user.blocked", user_id=str(user_id))


def _target(user_id: uuid.UUID) -> Target | None:
    """The person as the object of an audit event."""
    user = User.objects.filter(id=user_id).only("id", "username", "project_id").first()
    return target_of(user) if user else None
