"""How much waits to be looked at."""

from dataclasses import dataclass

from django.db.models import Count, Min
from django.utils import timezone

from otp.models import Delivery


@dataclass(frozen=True, kw_only=True)
class Backlog:
    count: int
    oldest_seconds: float  # 0 when nothing waits


def due_now() -> Backlog:
    """Everything whose time has come, by the index of what is due."""
    now = timezone.now()
    found = Delivery.objects.filter(due_at__lte=now).aggregate(count=Count("*"), oldest=Min("due_at"))
    oldest = (now - found["oldest"]).total_seconds() if found["oldest"] else 0.0
    return Backlog(count=found["count"], oldest_seconds=oldest)
