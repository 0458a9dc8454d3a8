"""What a login page or an API answer shows of a challenge: read in one query, or known because it is new."""

import uuid
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from django.utils import timezone

from channels.types import Channel, FailureReason, Status
from otp import policy
from otp.errors import ChallengeNotFound
from otp.models import Cause, Challenge
from otp.store.start import NewChallenge
from otp.types import ChallengeView, DeliveryView, State
from projects.config import ProjectConfig, projects
from users.phones import mask

type _Row = Mapping[str, Any]


def describe(*, challenge_id: uuid.UUID) -> ChallengeView:
    """The live state for a page or an API answer, in one query. Raises ChallengeNotFound."""
    now = timezone.now()
    rows = list(
        Challenge.objects.filter(id=challenge_id)
        .order_by("deliveries__id")
        .values(
            "project_id", "phone", "code_length", "expires_at", "resend_at", "attempts", "max_attempts", "verified_at",
            "ended_at", "end_reason", "deliveries__channel", "deliveries__status", "deliveries__reason",
            "deliveries__cause", "deliveries__status_at", "deliveries__due_at", "deliveries__chosen",
        )
    )  # fmt: skip
    if not rows or rows[0]["deliveries__channel"] is None:
        raise ChallengeNotFound
    head, last = rows[0], rows[-1]
    project = projects.get().by_id.get(head["project_id"])
    promised = tuple(Channel(name) for name in project.channels) if project else ()
    state = _state(head, now)
    deliveries = tuple(_delivery_view(row) for row in rows)
    used = {item.channel for item in deliveries}
    return ChallengeView(
        id=challenge_id,
        project_id=head["project_id"],
        phone_masked=mask(head["phone"]),
        channel=deliveries[-1].channel,
        channels=promised,
        code_length=head["code_length"],
        expires_at=head["expires_at"],
        resend_at={channel: head["resend_at"] if channel in used else now for channel in promised},
        attempts_left=max(head["max_attempts"] - head["attempts"], 0),
        state=state,
        end_reason=head["end_reason"],
        deliveries=deliveries,
        fallback_at=_fallback_at(last, project, used) if project and state is State.PENDING else None,
    )


def of_new(new: NewChallenge, *, channel: Channel, project: ProjectConfig) -> ChallengeView:
    """What `describe` would say of a challenge that was made this very moment. `channel`: the one it began with."""
    promised = tuple(Channel(name) for name in project.channels)
    first = DeliveryView(channel=channel, status=new.status, reason=None, cause=Cause.START.value, at=new.now)
    return ChallengeView(
        id=new.id,
        project_id=new.project_id,
        phone_masked=mask(new.phone),
        channel=channel,
        channels=promised,
        code_length=new.code_length,
        expires_at=new.expires_at,
        resend_at={item: new.resend_at if item is channel else new.now for item in promised},
        attempts_left=new.max_attempts,
        state=State.PENDING,
        end_reason="",
        deliveries=(first,),
        fallback_at=None,
    )


def _state(row: _Row, now: datetime) -> State:
    if row["verified_at"]:
        return State.VERIFIED
    if row["attempts"] >= row["max_attempts"]:
        return State.LOCKED
    return State.EXPIRED if row["ended_at"] or row["expires_at"] <= now else State.PENDING


def _delivery_view(row: _Row) -> DeliveryView:
    return DeliveryView(
        channel=Channel(str(row["deliveries__channel"])),
        status=Status(int(row["deliveries__status"])),
        reason=FailureReason(str(row["deliveries__reason"])) if row["deliveries__reason"] else None,
        cause=str(row["deliveries__cause"]),
        at=row["deliveries__status_at"],
    )


def _fallback_at(row: _Row, project: ProjectConfig, used: set[Channel]) -> datetime | None:
    """When silence of the newest delivery turns into the next channel, while that may still happen."""
    if row["deliveries__status"] not in (Status.ACCEPTED, Status.SENT):
        return None
    following = policy.fallback_channel(
        promised=[Channel(name) for name in project.channels],
        falls_back=project.falls_back,
        failed=Channel(str(row["deliveries__channel"])),
        chosen=bool(row["deliveries__chosen"]),
        used=used,
        reason=FailureReason.NO_NEWS,
    )
    return row["deliveries__due_at"] if following else None
