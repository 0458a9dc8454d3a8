"""The state of a challenge with its deliveries, as pages, polls and the API read it."""

import uuid
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from typing import NamedTuple

from core import sql
from otp.models import Delivery


class StateRow(NamedTuple):
    """One delivery, with the columns of its challenge before its own. A tuple: a page polls every few seconds."""

    project_id: uuid.UUID
    phone: str
    code_length: int
    expires_at: datetime
    resend_at: datetime
    attempts: int
    max_attempts: int
    verified_at: datetime | None
    ended_at: datetime | None
    end_reason: str  # otp.types.EndReason; "": none
    channel: str
    status: int
    reason: str
    cause: str
    status_at: datetime
    due_at: datetime | None
    chosen: bool
    sender_id: uuid.UUID | None

    def __repr__(self) -> str:
        return f"StateRow({self.channel}, {self.status})"  # without the number


_OF_CHALLENGE = StateRow._fields[: StateRow._fields.index("channel")]
_COLUMNS = tuple(f"challenge__{name}" if name in _OF_CHALLENGE else name for name in StateRow._fields)
_STATE = sql.load(Path(__file__).with_name("state.sql"))


def rows_of(challenge_id: uuid.UUID) -> Sequence[StateRow]:
    """One for each delivery, the oldest first; none: no such challenge."""
    if sql.is_postgres():
        return sql.rows(_STATE, {"id": challenge_id}, make=StateRow)
    deliveries = Delivery.objects.filter(challenge_id=challenge_id).order_by("id")
    return [StateRow(*row) for row in deliveries.values_list(*_COLUMNS)]
