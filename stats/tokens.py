"""Tokens by which machines of staff read statistics: made, shown once, checked, revoked. Only a hash is stored."""

import hashlib
import secrets
import uuid
from dataclasses import dataclass
from datetime import timedelta

from django.db.models import Q
from django.utils import timezone

from stats.models import StatsToken

# So that scanners of repositories recognize a leaked one.
PREFIX = "authsvc_stats_"
_LENGTH = len(PREFIX) + 43  # 32 random bytes in base64url
# `last_used_at` is written at most this often.
_USE_NOTED = timedelta(minutes=1)


@dataclass(frozen=True, kw_only=True)
class Reader:
    """Whoever presented a valid token. `project_id` None: all projects."""

    token_id: uuid.UUID
    project_id: uuid.UUID | None


def issue(token: StatsToken) -> str:
    """Give a token, saved or not, its text, which is returned this once, and save it."""
    text = PREFIX + secrets.token_urlsafe(32)
    token.token_hash = _hash(text)
    token.save()
    return text


def read(text: str) -> Reader | None:
    """Whose token this is; None: nobody's, or a revoked one."""
    if len(text) != _LENGTH or not text.startswith(PREFIX):
        return None
    token = StatsToken.objects.filter(token_hash=_hash(text), revoked_at=None).first()
    if token is None:
        return None
    now = timezone.now()
    if token.last_used_at is None or now - token.last_used_at > _USE_NOTED:
        StatsToken.objects.filter(Q(last_used_at=None) | Q(last_used_at__lt=now), pk=token.pk).update(
            last_used_at=now
        )
    return Reader(token_id=token.pk, project_id=token.project_id)


def revoke(token: StatsToken) -> bool:
    """At once, in every process. False: it was revoked before."""
    rows = StatsToken.objects.filter(pk=token.pk, revoked_at=None)
    return bool(rows.update(revoked_at=timezone.now()))


def _hash(text: str) -> bytes:
    """The text is random and long: a plain hash cannot be guessed back."""
    return hashlib.sha256(text.encode()).digest()
