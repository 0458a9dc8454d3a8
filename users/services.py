"""Actions on users."""

import uuid

from users.models import User, new_session_salt


def end_all_sessions(*, user_id: uuid.UUID) -> None:
    """Refuse every session of this user from the next request on. One statement, idempotent."""
    User.objects.filter(id=user_id).update(session_salt=new_session_salt())


def set_active(*, user_id: uuid.UUID, active: bool) -> None:
    """Allow or block a user. Either also ends existing sessions."""
    User.objects.filter(id=user_id).update(is_active=active, session_salt=new_session_salt())
