"""Ceilings that come near: an event for the project, and a notice in the admin until the window is over."""

import uuid
from collections.abc import Sequence
from datetime import datetime, timedelta

import structlog
from django.db import transaction
from django.utils import timezone

from abuse import rules
from abuse.limiter import Charge, Rule
from events import services as events
from events.models import EventType
from otp.models import LimitNotice

log = structlog.get_logger(__name__)

_SHOWN = 5


def near(project_id: uuid.UUID, charges: Sequence[Charge]) -> None:
    """These have just brought their counts to `rules.NEAR_PERCENT` of what the rule allows."""
    now = timezone.now()
    with transaction.atomic():
        for item in charges:
            rule, place = item.rule, _shown(item)
            until = now + timedelta(seconds=rule.period_seconds)
            LimitNotice.objects.update_or_create(
                project_id=project_id,
                rule=rule.name,
                place=place,
                defaults={"amount": rule.amount, "at": now, "until": until},
            )
            _record_event(project_id, rule, place, now)
            log.warning("limits.near", rule=rule.name, place=place, amount=rule.amount)


def _record_event(project_id: uuid.UUID, rule: Rule, place: str, now: datetime) -> None:
    data = {
        "rule": rule.name,
        "place": place,
        "amount": rule.amount,
        "period_seconds": int(rule.period_seconds),
        "percent": rules.NEAR_PERCENT,
        "at": now.isoformat(),
    }
    events.record(type=EventType.LIMIT_NEAR, project_ids=[project_id], data=data)


def _shown(item: Charge) -> str:
    """A country as it is, a range with dots for its missing digits: no whole number is shown."""
    return f"{item.place}••••" if item.place.startswith("+") else item.place


def current() -> list[LimitNotice]:
    """What the admin shows, latest first."""
    rows = LimitNotice.objects.filter(until__gt=timezone.now()).select_related("project")
    return list(rows.order_by("-at")[:_SHOWN])


def purge(*, before: datetime, batch: int) -> int:
    """Delete at most `batch` notices whose window was over by then; how many."""
    keys = list(LimitNotice.objects.filter(until__lt=before).values_list("pk", flat=True)[:batch])
    return LimitNotice.objects.filter(pk__in=keys).delete()[0]
