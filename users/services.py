"""What can be done to users."""

import uuid

from users.models import User, new_session_salt


def end_all_sessions(*, user_id: uuid.UUID) -> None:
    """Every session of this user is refused from the next request on. One statement, safe to repeat."""
    User.objects.filter(id=user_id).update(session_salt=new_session_salt())


def set_active(*, user_id: uuid.UUID, active: bool) -> None:
    """Allow or block a user. Blocking also ends the sessions that exist."""
    User.objects.filter(id=user_id).update(is_active=active, session_salt=new_session_salt())
