"""Changes of the rows of people. What they mean for sessions and tokens is in `login.people` and `login.erasure`."""

import uuid
from collections.abc import Sequence
from datetime import datetime

from django.db import IntegrityError, transaction

from users import pseudonyms
from users.errors import NumberTaken, PersonGone, SameNumber
from users.models import User, new_session_salt


def locked(*user_ids: uuid.UUID) -> Sequence[User]:
    """The people of these ids, in this order, locked until the transaction ends. Raises PersonGone.

    Rows are locked in the order of their keys, so that two acts on the same people wait for each other.
    """
    rows = User.objects.select_for_update().filter(
        id__in=user_ids, phone__isnull=False, deletion_began_at=None
    )
    by_id = {user.id: user for user in rows.order_by("id")}
    if any(key not in by_id for key in user_ids):
        raise PersonGone
    return [by_id[key] for key in user_ids]


def set_number(user: User, phone: str) -> None:
    """Give a locked person another number (E.164). The id stays. Raises NumberTaken, SameNumber."""
    if user.phone == phone:
        raise SameNumber
    user.phone = phone
    try:
        with transaction.atomic():
            user.save(update_fields=["phone"])
    except IntegrityError as error:
        raise NumberTaken from error


def retire(user: User, *, now: datetime) -> None:
    """Take the number from a locked person, refuse every session, and mark the row for deletion."""
    user.phone = pseudonyms.new()
    user.is_active = False
    user.session_salt = new_session_salt()
    user.deletion_began_at = now
    user.save(update_fields=["phone", "is_active", "session_salt", "deletion_began_at"])


def retired() -> list[uuid.UUID]:
    """Those whose deletion has begun, the longest first."""
    rows = User.objects.filter(deletion_began_at__isnull=False).order_by("deletion_began_at")
    return list(rows.values_list("id", flat=True))
