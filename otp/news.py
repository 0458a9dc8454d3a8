"""What projects are told of their logins (docs/events.md), written down in the transaction of what it tells of.

An operator's test messages are nobody's login: nothing is told of them.
"""

import uuid
from collections.abc import Collection, Iterable
from dataclasses import dataclass, field
from datetime import datetime

from channels.types import Channel
from events import services as events
from events.models import EventType
from otp.models import Challenge, Delivery, Purpose
from otp.store.updates import Moved
from otp.store.verify import Judged
from otp.types import Verified
from users.phones import mask


@dataclass(frozen=True, kw_only=True)
class Failure:
    """A delivery that has just ended as failed. Of each delivery there is one, for a status only climbs."""

    delivery_id: uuid.UUID
    challenge_id: uuid.UUID
    project_id: uuid.UUID
    purpose: str
    channel: str
    phone: str = field(repr=False)
    reason: str  # channels.types.FailureReason or ""
    provider_code: str = ""
    at: datetime


def logged_in(judged: Judged, verified: Verified) -> None:
    """A right code opened what it opens."""
    if _wants(judged.project_id, judged.purpose, EventType.LOGIN_SUCCEEDED):
        data = {
            "user_id": str(verified.user_id),
            "challenge_id": str(verified.challenge_id),
            "phone_masked": mask(verified.phone),
            "is_new": verified.is_new,
            "amr": ["otp", "sms"] if verified.sms_sent else ["otp"],
            "channels": [channel.value for channel in judged.channels],
            "test": verified.is_test,
            "at": verified.at.isoformat(),
        }
        events.record(type=EventType.LOGIN_SUCCEEDED, project_ids=[judged.project_id], data=data)


def deliveries_failed(failures: Iterable[Failure]) -> None:
    """Messages that will not arrive, one statement for all of them."""
    wanted = [item for item in failures if _wants(item.project_id, item.purpose, EventType.DELIVERY_FAILED)]
    events.record_each(
        type=EventType.DELIVERY_FAILED,
        news=[
            (
                item.project_id,
                {
                    "challenge_id": str(item.challenge_id),
                    "delivery_id": str(item.delivery_id),
                    "channel": item.channel,
                    "reason": item.reason,
                    "provider_code": item.provider_code,
                    "phone_masked": mask(item.phone),
                    "at": item.at.isoformat(),
                },
            )
            for item in wanted
        ],
    )


def reported_failed(moved: Collection[Moved]) -> None:
    """As `deliveries_failed`, of what reports moved to failed: one more query, however many."""
    if not moved:
        return
    rows = Challenge.objects.filter(id__in={item.challenge_id for item in moved})
    challenges = {row[0]: row[1:] for row in rows.values_list("id", "project_id", "purpose", "phone")}
    failures = []
    for item in moved:
        project_id, purpose, phone = challenges[item.challenge_id]
        failures.append(
            Failure(
                delivery_id=item.delivery_id,
                challenge_id=item.challenge_id,
                project_id=project_id,
                purpose=purpose,
                channel=item.channel,
                phone=phone,
                reason=item.reason or "",
                provider_code=item.provider_code,
                at=item.status_at,
            )
        )
    deliveries_failed(failures)


def failure_of(delivery: Delivery, *, reason: str, at: datetime) -> Failure:
    """`delivery` as it fails for a reason of ours; its challenge is at hand."""
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
            "at": added.created_at.isoformat(),
        }
        events.record(type=EventType.FALLBACK_SENT, project_ids=[challenge.project_id], data=data)


def _wants(project_id: uuid.UUID, purpose: str, kind: EventType) -> bool:
    return purpose != Purpose.TRIAL and events.is_wanted(kind, project_id=project_id)
