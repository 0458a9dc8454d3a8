"""What a login page or an API answer shows of a challenge: read in one query, or known because it is new."""

import uuid
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any

from django.utils import timezone

from channels.senders import senders
from channels.types import Channel, FailureReason, Status
from otp import policy
from otp.errors import ChallengeNotFound
from otp.models import Challenge
from otp.routes import channels_of, route_of
from otp.store.start import NewChallenge
from otp.types import Cause, ChallengeView, DeliveryView, EndReason, State
from projects.config import projects
from projects.routing import Route
from users.phones import mask

type _Row = Mapping[str, Any]


def describe(*, challenge_id: uuid.UUID) -> ChallengeView:
    """The live state for a page or an API answer, in one query. Raises ChallengeNotFound."""
    now = timezone.now()
    rows = _rows(challenge_id)
    head, last = rows[0], rows[-1]
    project = projects.get().by_id.get(head["project_id"])
    route = route_of(project, head["phone"]) if project else None
    promised = channels_of(route) if route else ()
    attempts_left = head["max_attempts"] - head["attempts"]
    ends = {name: head[name] for name in ("verified_at", "ended_at", "expires_at")}
    state = policy.state_of(**ends, attempts_left=attempts_left, now=now)
    deliveries = tuple(_delivery_view(row) for row in rows)
    used = {item.channel for item in deliveries}
    following = _following(last, route, used) if route and state is State.PENDING else None
    is_over = policy.is_over(deliveries[-1].status)
    return ChallengeView(
        id=challenge_id,
        project_id=head["project_id"],
        phone_masked=mask(head["phone"]),
        channel=deliveries[-1].channel,
        channels=promised,
        code_length=head["code_length"],
        expires_at=head["expires_at"],
        resend_at={channel: head["resend_at"] if channel in used else now for channel in promised},
        attempts_left=max(attempts_left, 0),
        state=state,
        end_reason=EndReason(head["end_reason"]) if head["end_reason"] else None,
        deliveries=deliveries,
        fallback_at=last["deliveries__due_at"] if following and not is_over else None,
        next_channel=following if is_over else None,
        phone=head["phone"],
    )


def _rows(challenge_id: uuid.UUID) -> list[_Row]:
    """One for each delivery, oldest first, with the columns of the challenge."""
    rows: list[_Row] = list(
        Challenge.objects.filter(id=challenge_id)
        .order_by("deliveries__id")
        .values(
            "project_id", "phone", "code_length", "expires_at", "resend_at", "attempts", "max_attempts", "verified_at",
            "ended_at", "end_reason", "deliveries__channel", "deliveries__status", "deliveries__reason",
            "deliveries__cause", "deliveries__status_at", "deliveries__due_at", "deliveries__chosen",
            "deliveries__sender_id",
        )
    )  # fmt: skip
    if not rows or rows[0]["deliveries__channel"] is None:
        raise ChallengeNotFound
    return rows


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
        "channel": view.channel.value,
        "channels": [channel.value for channel in view.channels],
        "expires_at": time(view.expires_at),
        "attempts_left": view.attempts_left,
        "state": view.state.value,
        "deliveries": [_public_delivery(delivery, time) for delivery in view.deliveries],
    }


def _public_delivery(delivery: DeliveryView, time: Callable[[datetime], str]) -> dict[str, Any]:
    error = {"error": delivery.reason.value} if delivery.reason else {}
    fields = {"channel": delivery.channel.value, "status": delivery.status.word}
    return {**fields, **error, "at": time(delivery.at)}


def _delivery_view(row: _Row) -> DeliveryView:
    return DeliveryView(
        channel=Channel(str(row["deliveries__channel"])),
        status=Status(int(row["deliveries__status"])),
        reason=FailureReason(str(row["deliveries__reason"])) if row["deliveries__reason"] else None,
        cause=Cause(row["deliveries__cause"]),
        at=row["deliveries__status_at"],
        from_number=_from_number(row) if row["deliveries__reason"] == FailureReason.BLOCKED_BY_USER else "",
    )


def _from_number(row: _Row) -> str:
    sender = senders.get().by_id.get(row["deliveries__sender_id"])
    return sender.settings.reply_number if sender else ""


def _following(row: _Row, route: Route, used: set[Channel]) -> Channel | None:
    """The channel that takes over from the newest delivery: now, or once it was silent for long enough."""
    status = Status(int(row["deliveries__status"]))
    is_settled = status in (Status.QUEUED, Status.SENDING, Status.DELIVERED, Status.READ)
    # The silence of a sender whose reports are missing says nothing.
    is_unreported = row["deliveries__sender_id"] in senders.get().unreported
    if row["deliveries__due_at"] is None or is_settled or is_unreported:
        return None
    return policy.fallback_channel(
        promised=channels_of(route),
        falls_back=route.falls_back,
        failed=Channel(str(row["deliveries__channel"])),
        chosen=bool(row["deliveries__chosen"]),
        used=used,
        reason=FailureReason(row["deliveries__reason"] or FailureReason.NO_REPORT),
    )
