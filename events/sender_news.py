"""What happens to senders, written down together with the events that tell of it: both are there, or neither.

Every project that sends through a sender is told.
"""

import uuid
from collections.abc import Iterable

from django.db import transaction

from channels import alerts, health
from channels.breaker import Source
from channels.health import News
from channels.models import Sender
from channels.types import FailureReason
from events import services
from events.models import EventType
from projects.models import Project


def failed(sender_id: uuid.UUID, *, source: Source, reason: FailureReason, provider_code: str = "") -> None:
    """As `channels.health.failed`."""
    with transaction.atomic():
        _tell(health.failed(sender_id, source=source, reason=reason, provider_code=provider_code))


def succeeded(sender_id: uuid.UUID, *, source: Source) -> None:
    """As `channels.health.succeeded`."""
    with transaction.atomic():
        _tell(health.succeeded(sender_id, source=source))


def _tell(news: News | None) -> None:
    if news is None:
        return
    sender, found = news.sender, news.health
    data: dict[str, object] = {"sender_id": str(sender.id), "channel": sender.channel}
    if found.alert:
        problem, remedy = alerts.words(
            channel=sender.channel, reason=found.reason, provider_code=found.provider_code
        )
        data |= {
            "reason": found.reason,
            "provider_code": found.provider_code,
            "problem": str(problem),
            "remedy": str(remedy),
        }
    services.record(
        type=EventType.SENDER_ALERT if found.alert else EventType.SENDER_ALERT_OVER,
        project_ids=_projects_of(sender),
        data=data,
    )


def _projects_of(sender: Sender) -> Iterable[uuid.UUID]:
    """The project that owns it; of a shared one all projects that have none of their own for its channel."""
    if sender.project_id:
        return [sender.project_id]
    own = Sender.objects.filter(channel=sender.channel, is_active=True, project__isnull=False)
    return Project.objects.exclude(id__in=own.values("project_id")).values_list("id", flat=True)
