"""Events for projects about their logins (docs/events.md), recorded in the transaction of what they report.

Operators' test messages are no logins and give no events.
"""

import uuid
from collections.abc import Collection, Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime

from channels.errors import SendError
from channels.types import Channel
from events import services as events
from events.models import EventType
from otp.models import Challenge, Delivery, Purpose
from otp.store.claim import Claimed
from otp.store.updates import Alike
from otp.store.verify import Judged
from otp.types import Verified
from users import amr
from users.phones import mask


@dataclass(frozen=True, kw_only=True)
class Failure:
    """A delivery that has just failed: at most once for each, since a status only climbs."""

    delivery_id: uuid.UUID
    challenge_id: uuid.UUID
    project_id: uuid.UUID
    purpose: str
    channel: str
    phone: str = field(repr=False)
    reason: str  # channels.types.FailureReason or ""
    provider_code: str = ""
    at: datetime
    is_test: bool = False


def logged_in(judged: Judged, verified: Verified) -> None:
    """A right code signed a person in."""
    if _wants(judged.project_id, judged.purpose, EventType.LOGIN_SUCCEEDED):
        data = {
            "user_id": str(verified.user_id),
            "challenge_id": str(verified.challenge_id),
            "phone_masked": mask(verified.phone),
            "is_new": verified.is_new,
            "amr": list(amr.methods(sms_sent=verified.sms_sent)),
            "channels": [channel.value for channel in judged.channels],
            "test": verified.is_test,
            "at": verified.at.isoformat(),
        }
        events.record(type=EventType.LOGIN_SUCCEEDED, project_ids=[judged.project_id], data=data)


def deliveries_failed(failures: Iterable[Failure]) -> None:
    """Messages that will not arrive: one statement, however many."""
    items = [
        (item.project_id, _failure_data(item))
        for item in failures
        if _wants(item.project_id, item.purpose, EventType.DELIVERY_FAILED)
    ]
    events.record_each(type=EventType.DELIVERY_FAILED, items=items)


def _failure_data(failure: Failure) -> dict[str, object]:
    return {
        "challenge_id": str(failure.challenge_id),
        "delivery_id": str(failure.delivery_id),
        "channel": failure.channel,
        "reason": failure.reason,
        "provider_code": failure.provider_code,
        "phone_masked": mask(failure.phone),
        "test": failure.is_test,
        "at": failure.at.isoformat(),
    }


def reported_failed(groups: Collection[Alike]) -> None:
    """As `deliveries_failed`, for those that reports moved to failed: one more query, however many."""
    keys = {key for group in groups for key in group.challenge_ids}
    if not keys:
        return
    rows = Challenge.objects.filter(id__in=keys).only("project_id", "purpose", "phone", "is_test")
    challenges = {str(row.id): row for row in rows}
    deliveries_failed(
        Failure(
            delivery_id=uuid.UUID(delivery_id),
            challenge_id=uuid.UUID(challenge_id),
            project_id=challenges[challenge_id].project_id,
            purpose=challenges[challenge_id].purpose,
            channel=group.channel,
            phone=challenges[challenge_id].phone,
            reason=group.reason or "",
            provider_code=group.provider_code,
            at=datetime.fromtimestamp(at, UTC),
            is_test=challenges[challenge_id].is_test,
        )
        for group in groups
        for delivery_id, challenge_id, at in zip(
            group.delivery_ids, group.challenge_ids, group.times, strict=True
        )
    )


def failure_of(delivery: Delivery, *, reason: str, at: datetime) -> Failure:
    """`delivery`, which fails for a reason of ours; its challenge is loaded."""
    challenge = delivery.challenge
    return Failure(
        delivery_id=delivery.id,
        challenge_id=challenge.id,
        project_id=challenge.project_id,
        purpose=challenge.purpose,
        channel=delivery.channel,
        phone=challenge.phone,
        reason=reason,
        at=at,
        is_test=challenge.is_test,
    )


def failure_of_call(claimed: Claimed, error: SendError, *, at: datetime) -> Failure:
    """`claimed`, which its provider did not take."""
    return Failure(
        delivery_id=claimed.delivery_id,
        challenge_id=claimed.challenge_id,
        project_id=claimed.project_id,
        purpose=claimed.purpose,
        channel=claimed.channel,
        phone=claimed.phone,
        reason=error.reason,
        provider_code=error.provider_code[:20],
        at=at,
        is_test=claimed.is_test,
    )


def fell_back(failed: Delivery, added: Delivery) -> None:
    """`added` takes over from `failed`."""
    challenge = added.challenge
    if _wants(challenge.project_id, challenge.purpose, EventType.FALLBACK_SENT):
        data = {
            "challenge_id": str(challenge.id),
            "delivery_id": str(added.id),
            "from_channel": failed.channel,
            "to_channel": Channel(added.channel).value,
            "reason": failed.reason,
            "phone_masked": mask(challenge.phone),
            "test": challenge.is_test,
            "at": added.created_at.isoformat(),
        }
        events.record(type=EventType.FALLBACK_SENT, project_ids=[challenge.project_id], data=data)


def _wants(project_id: uuid.UUID, purpose: str, kind: EventType) -> bool:
    return purpose != Purpose.TEST_MESSAGE and events.is_wanted(kind, project_id=project_id)
