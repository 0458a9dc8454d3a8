"""The ends of sessions: the row goes, tokens go with it, and applications are told. Whole or not at all."""

import uuid
from collections.abc import Iterable

import structlog
from django.contrib.auth import logout
from django.db import transaction
from django.http import HttpRequest

from login.models import Session
from oidc import services as oidc
from users import services as users

log = structlog.get_logger(__name__)


def end_this_session(request: HttpRequest) -> None:
    """Sign this browser out."""
    key = request.session.session_key
    with transaction.atomic():
        oidc.sessions_ended(Session.objects.filter(session_key=key).values_list("id", flat=True))
        logout(request)
    log.info("session.ended", why="signed out")


def end_sessions(ids: Iterable[uuid.UUID], *, user_id: uuid.UUID) -> None:
    """Sign the person out where these sessions are; ids of others are passed over. Safe to repeat."""
    with transaction.atomic():
        found = list(Session.objects.filter(id__in=list(ids), user_id=user_id).values_list("id", flat=True))
        oidc.sessions_ended(found)
        Session.objects.filter(id__in=found).delete()
    log.info("session.ended", why="elsewhere", user_id=str(user_id), sessions=len(found))


def end_everything(*, user_id: uuid.UUID) -> None:
    """Sign the person out everywhere: sessions, tokens, applications."""
    with transaction.atomic():
        oidc.user_signed_out(user_id)
        users.end_all_sessions(user_id=user_id)
        Session.objects.filter(user_id=user_id).delete()
    log.info("session.ended", why="everywhere", user_id=str(user_id))


def set_active(*, user_id: uuid.UUID, active: bool) -> None:
    """Allow or block a person. Blocking ends everything that is open."""
    with transaction.atomic():
        if not active:
            oidc.user_signed_out(user_id)
            Session.objects.filter(user_id=user_id).delete()
        users.set_active(user_id=user_id, active=active)
    log.info("user.unblocked" if active else "user.blocked", user_id=str(user_id))
