"""What a login page or an API answer shows of a challenge: read in one statement, or known because it is new."""

import uuid
from collections.abc import Callable
from datetime import datetime
from typing import Any

from django.utils import timezone

from channels.senders import senders
from channels.types import Channel, FailureReason, Status
from otp import policy
from otp.errors import ChallengeNotFound
from otp.routes import channels_of, route_of
from otp.store import state as store
from otp.store.start import NewChallenge
from otp.store.state import StateRow
from otp.types import Cause, ChallengeView, DeliveryView, EndReason, State
from projects.config import projects
from projects.routing import Route
from users.phones import mask

_WORDS = {status: status.word for status in Status}  # each word is two properties


def describe(*, challenge_id: uuid.UUID) -> ChallengeView:
    """The live state for a page or an API answer, in one statement. Raises ChallengeNotFound."""
    now = timezone.now()
    rows = store.rows_of(challenge_id)
    if not rows:
        raise ChallengeNotFound
    head, last = rows[0], rows[-1]
    project = projects.get().by_id.get(head.project_id)
    route = route_of(project, head.phone) if project else None
    promised = channels_of(route) if route else ()
    attempts_left = head.max_attempts - head.attempts
    state = policy.state_of(
        verified_at=head.verified_at,
        ended_at=head.ended_at,
        expires_at=head.expires_at,
        attempts_left=attempts_left,
        now=now,
    )
    deliveries = tuple(_delivery_view(row) for row in rows)
    used = {item.channel for item in deliveries}
    following = _following(last, route, used) if route and state is State.PENDING else None
    is_over = policy.is_over(deliveries[-1].status)
    return ChallengeView(
        id=challenge_id,
        project_id=head.project_id,
        phone_masked=mask(head.phone),
        channel=deliveries[-1].channel,
        channels=promised,
        code_length=head.code_length,
        expires_at=head.expires_at,
        resend_at={channel: head.resend_at if channel in used else now for channel in promised},
        attempts_left=max(attempts_left, 0),
        state=state,
        end_reason=EndReason(head.end_reason) if head.end_reason else None,
        deliveries=deliveries,
        fallback_at=last.due_at if following and not is_over else None,
        next_channel=following if is_over else None,
        phone=head.phone,
    )


def of_new(new: NewChallenge, *, attempts: int, channels: tuple[Channel, ...]) -> ChallengeView:
    """What `describe` would show of a challenge that was made just now. `attempts`: how many codes may be typed."""
    first = DeliveryView(channel=new.channel, status=new.status, reason=None, cause=Cause.START, at=new.now)
    return ChallengeView(
        id=new.id,
        project_id=new.project_id,
        phone_masked=mask(new.phone),
        channel=new.channel,
        channels=channels,
        code_length=new.code_length,
        expires_at=new.expires_at,
        resend_at={item: new.resend_at if item is new.channel else new.now for item in channels},
        attempts_left=attempts,
        state=State.PENDING,
        end_reason=None,
        deliveries=(first,),
        fallback_at=None,
        phone=new.phone,
    )


def public_fields(view: ChallengeView, *, time: Callable[[datetime], str]) -> dict[str, Any]:
    """What the API and the JSON of the login page both show of a challenge; `time` spells a time as JSON."""
    return {
        "phone_masked": view.phone_masked,
        "channel": view.channel,
        "channels": list(view.channels),
        "expires_at": time(view.expires_at),
        "attempts_left": view.attempts_left,
        "state": view.state,
        "deliveries": [_public_delivery(delivery, time) for delivery in view.deliveries],
    }


def _public_delivery(delivery: DeliveryView, time: Callable[[datetime], str]) -> dict[str, Any]:
    error = {"error": delivery.reason} if delivery.reason else {}
    fields = {"channel": delivery.channel, "status": _WORDS[delivery.status]}
    return {**fields, **error, "at": time(delivery.at)}


def _delivery_view(row: StateRow) -> DeliveryView:
    return DeliveryView(
        channel=Channel(row.channel),
        status=Status(row.status),
        reason=FailureReason(row.reason) if row.reason else None,
        cause=Cause(row.cause),
        at=row.status_at,
        from_number=_from_number(row) if row.reason == FailureReason.BLOCKED_BY_USER else "",
    )


def _from_number(row: StateRow) -> str:
    sender = senders.get().by_id.get(row.sender_id) if row.sender_id else None
    return sender.settings.reply_number if sender else ""


def _following(row: StateRow, route: Route, used: set[Channel]) -> Channel | None:
    """The channel that takes over from the newest delivery: now, or once it was silent for long enough."""
    status = Status(row.status)
    is_settled = status in (Status.QUEUED, Status.SENDING, Status.DELIVERED, Status.READ)
    # The silence of a sender whose reports are missing says nothing.
    is_unreported = row.sender_id in senders.get().unreported
    if row.due_at is None or is_settled or is_unreported:
        return None
    return policy.fallback_channel(
        promised=channels_of(route),
        falls_back=route.falls_back,
        failed=Channel(row.channel),
        chosen=row.chosen,
        used=used,
        reason=FailureReason(row.reason or FailureReason.NO_REPORT),
    )
