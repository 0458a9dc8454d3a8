"""Erasing a person. Everything that names them goes in one transaction; rows without a name are deleted after it.

What stays: challenges and messages under a pseudonym (otp.erasing) until their time is over, and entries of the
history, events and log-out notices, which hold the opaque id and a masked number at most.
"""

import time
import uuid

import structlog
from django.db import transaction
from django.utils import timezone

from login import sign_out
from oidc import retention as tokens
from otp import erasing
from users import people
from users.errors import PersonGone
from users.models import User

log = structlog.get_logger(__name__)


def begin(*, user_id: uuid.UUID) -> None:
    """End the person's sessions and tokens, tell applications, and remove their number from every row. What is left
    has no name; `finish` deletes it. Raises PersonGone: also when the number changed at this moment."""
    row = User.objects.filter(id=user_id, phone__isnull=False, deletion_began_at=None)
    user = row.only("project_id", "phone").first()
    if user is None or user.project_id is None:
        raise PersonGone
    project_id, phone = user.project_id, str(user.phone)
    with transaction.atomic():
        challenge_ids = erasing.lock(project_id=project_id, phone=phone)
        (user,) = people.locked(user_id)
        if user.phone != phone:
            raise PersonGone
        sign_out.end_everything(user_id=user_id)
        erasing.forget(challenge_ids, project_id=project_id, phone=phone)
        people.retire(user, now=timezone.now())
    log.warning("user.erased", user_id=str(user_id), challenges=len(challenge_ids))


def finish(*, user_id: uuid.UUID, seconds: float | None) -> bool:
    """Delete what is left of a person who was erased or merged, for at most `seconds`; whether it is all gone.
    Safe to repeat."""
    row = User.objects.filter(id=user_id, deletion_began_at__isnull=False)
    if row.exists() and not tokens.remove_tokens_of(user_id, seconds=seconds):
        return False
    row.delete()
    return True


def finish_all(*, seconds: float | None) -> int:
    """Go on with deletions that a request left; how many people are gone."""
    deadline = None if seconds is None else time.monotonic() + seconds
    count = 0
    for user_id in people.retired():
        left = None if deadline is None else deadline - time.monotonic()
        if left is not None and left <= 0:
            break
        count += finish(user_id=user_id, seconds=left)
    return count
