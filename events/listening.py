"""Events of senders: every project that sends through one is told."""

import uuid
from collections.abc import Iterable

from django.dispatch import receiver

from channels import alerts
from channels.breaker import Health
from channels.models import Sender
from channels.signals import sender_alert
from events import services
from events.models import EventType
from projects.models import Project


@receiver(sender_alert, dispatch_uid="events.sender_alert")
def tell(*, row: Sender, health: Health, over: bool, **_: object) -> None:
    words = alerts.words(channel=row.channel, reason=health.reason, provider_code=health.provider_code)
    data: dict[str, object] = {"sender_id": str(row.id), "channel": row.channel}
    if not over:
        data |= {
            "reason": health.reason,
            "provider_code": health.provider_code,
            "problem": str(words[0]),
            "remedy": str(words[1]),
        }
    services.record(
        type=EventType.SENDER_ALERT_OVER if over else EventType.SENDER_ALERT,
        project_ids=_projects_of(row),
        data=data,
    )


def _projects_of(sender: Sender) -> Iterable[uuid.UUID]:
    """The project that owns it; of a shared one all projects that have none of their own for its channel."""
    if sender.project_id:
        return [sender.project_id]
    own = Sender.objects.filter(channel=sender.channel, is_active=True, project__isnull=False)
    return Project.objects.exclude(id__in=own.values("project_id")).values_list("id", flat=True)
