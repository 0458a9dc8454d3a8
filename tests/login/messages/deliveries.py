"""Deliveries as the live line is given them."""

import uuid
from datetime import UTC, datetime, timedelta

from channels.types import Channel, FailureReason, Status
from login.messages import delivery as delivery_messages
from otp.types import Cause, ChallengeView, DeliveryView, State

NOW = datetime(2026, 5, 4, 12, 0, tzinfo=UTC)
W, S = Channel.WHATSAPP, Channel.SMS
BOTH, ONLY_W, ONLY_S = (W, S), (W,), (S,)


def message(
    channel: Channel,
    status: Status,
    cause: str = Cause.START,
    reason: FailureReason | None = None,
    from_number: str = "",
) -> DeliveryView:
    if status is Status.FAILED and reason is None:
        reason = FailureReason.UNREACHABLE
    return DeliveryView(
        channel=channel, status=status, reason=reason, cause=Cause(cause), at=NOW, from_number=from_number
    )


def view(
    *deliveries: DeliveryView,
    channels: tuple[Channel, ...] = BOTH,
    waits: dict[Channel, int] | None = None,
    fallback_in: int | None = None,
    state: State = State.PENDING,
    next_channel: Channel | None = None,
) -> ChallengeView:
    return ChallengeView(
        id=uuid.uuid4(),
        project_id=uuid.uuid4(),
        phone_masked="+852 •••• ••67",
        channel=deliveries[-1].channel if deliveries else channels[0],
        channels=channels,
        code_length=6,
        expires_at=NOW + timedelta(minutes=5),
        resend_at={c: NOW + timedelta(seconds=(waits or {}).get(c, 0)) for c in channels},
        attempts_left=5,
        state=state,
        end_reason=None,
        deliveries=deliveries,
        fallback_at=NOW + timedelta(seconds=fallback_in) if fallback_in is not None else None,
        next_channel=next_channel,
    )


def live(*deliveries: DeliveryView, **fields: object) -> delivery_messages.Live:
    return delivery_messages.live(view(*deliveries, **fields), now=NOW)  # type: ignore[arg-type] # as view takes them


FAILED_W = message(W, Status.FAILED)
SILENT_W = message(W, Status.EXPIRED)
