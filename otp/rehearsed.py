"""What the phone of a rehearsal shows: the messages that the sandbox delivered, with the code that they carry.

The code is derived when it is shown, as the worker derives it when it sends, and is stored nowhere. Only the page of
the member of staff who began the rehearsal calls this (console.rehearsals).
"""

import uuid
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime

from django.conf import settings
from django.utils import timezone

from channels.models import Rehearsal
from channels.types import Status
from otp import codes
from otp.models import Challenge, Delivery
from otp.types import State


@dataclass(frozen=True, kw_only=True)
class Login:
    """One login of the rehearsal. `code` is empty while no message has arrived, and once it is of no use any more."""

    challenge_id: uuid.UUID
    started_at: datetime
    state: State
    deliveries: Sequence[Delivery] = field(repr=False)
    code: str = field(repr=False)


def logins(rehearsal: Rehearsal) -> list[Login]:
    """Those of this rehearsal, newest first, at most ten; in two queries."""
    rows = Challenge.objects.filter(
        project_id=rehearsal.project_id,
        phone=rehearsal.phone,
        is_test=True,
        created_at__gte=rehearsal.started_at,
        created_at__lte=rehearsal.ended_at or rehearsal.ends_at,
    )
    return [_login(row) for row in rows.prefetch_related("deliveries").order_by("-id")[:10]]


def _login(challenge: Challenge) -> Login:
    deliveries = sorted(challenge.deliveries.all(), key=lambda item: item.id)
    state = challenge.state(timezone.now())
    arrived = any(item.status >= Status.DELIVERED for item in deliveries)
    return Login(
        challenge_id=challenge.id,
        started_at=challenge.created_at,
        state=state,
        deliveries=deliveries,
        code=_code(challenge) if arrived and state is State.PENDING else "",
    )


def _code(challenge: Challenge) -> str:
    """ "" when its key is no longer configured."""
    try:
        return codes.derive(
            challenge_id=challenge.id,
            key_id=challenge.key_id,
            length=challenge.code_length,
            keys=settings.AUTHSVC_OTP_KEYS,
        )
    except codes.UnknownKey:
        return ""
