"""Inviting a member of staff: a token that works once within 48 hours, stored as its hash."""

import hashlib
import secrets
import uuid
from datetime import datetime, timedelta

from django.db import IntegrityError, transaction

from users.models import Invitation, Membership, User
from users.roles import PERMISSIONS

LIFE = timedelta(hours=48)
_MAY_INVITE = "users.add_invitation"


class NotValid(Exception):
    """Unknown, used, too old, withdrawn, or its account or inviter is no longer as it was. Nothing was changed."""


def make_token() -> str:
    return secrets.token_urlsafe(24)


def token_hash(token: str) -> str:
    """192 random bits need no salt and no slow hash."""
    return hashlib.sha256(token.encode(errors="replace")).hexdigest()


def find(token: str, *, now: datetime) -> Invitation:
    """The invitation of a token that can be accepted now. Raises NotValid."""
    rows = Invitation.objects.filter(token_hash=token_hash(token), used_at=None, expires_at__gt=now)
    row = rows.select_related("project", "invited_by").first()
    if row is None or not _may_still_invite(row) or User.objects.filter(username=row.username).exists():
        raise NotValid
    return row


def may_give(inviter: User, *, project_id: uuid.UUID, role: str) -> bool:
    """Whether somebody may invite into this role of the project: it gives nothing that they do not have there."""
    wanted = {_MAY_INVITE, *PERMISSIONS[role]}
    if not inviter.roles:
        return inviter.has_perms(wanted)
    own = (PERMISSIONS[own] for project, own in inviter.roles if project == project_id)
    return inviter.is_active and wanted <= set().union(*own)


def _may_still_invite(row: Invitation) -> bool:
    """An inviter who was blocked, or has less than before, left no way in behind."""
    inviter = row.invited_by
    return inviter.is_staff and may_give(inviter, project_id=row.project_id, role=row.role)


def accept(token: str, *, password: str, now: datetime) -> User:
    """Create the account with its role. Of several posts of one token one creates it. Raises NotValid."""
    row = find(token, now=now)
    try:
        with transaction.atomic():
            unused = Invitation.objects.filter(pk=row.pk, used_at=None)
            if not unused.update(used_at=now):
                raise NotValid
            user = User.objects.create_user(row.username, password)
            Membership.objects.create(user=user, project_id=row.project_id, role=row.role)
    except IntegrityError as error:  # somebody else took the name
        raise NotValid from error
    return user
