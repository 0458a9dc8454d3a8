"""The health of senders in the database: failures are written down, everything else reads it along.

Who sends asks `gate` only for a sender that has a row (`Claimed.is_unhealthy`), so a healthy sender costs nothing.
Opening and closing a breaker raises the configuration version: every process plans its next challenge by it. Callers
that notify people wrap these in a transaction of their own and get what changed (events.sender_events).
"""

import uuid
from collections.abc import Callable
from dataclasses import asdict, dataclass, fields
from datetime import datetime

import structlog
from django.db import transaction
from django.utils import timezone

from channels import breaker
from channels.breaker import Gate, Health, Source, State
from channels.errors import MEANINGS
from channels.models import Sender, SenderHealth
from channels.types import FailureReason
from core import metrics
from core.config_models import ConfigVersion

log = structlog.get_logger(__name__)

_FIELDS = tuple(field.name for field in fields(Health))


@dataclass(frozen=True, kw_only=True)
class AlertChange:
    """Something that operators have to know: an alert began, changed its reason, or (`health.alert` is off) ended."""

    sender: Sender
    health: Health


def read(row: SenderHealth) -> Health:
    return Health(**{name: getattr(row, name) for name in _FIELDS})


def _change(sender_id: uuid.UUID, step: Callable[[Health, datetime], Health]) -> AlertChange | None:
    """Apply `step` to the health of a sender, one caller at a time."""
    now = timezone.now()
    with transaction.atomic(savepoint=False):
        sender = Sender.locked(sender_id)
        if sender is None:
            return None
        row = SenderHealth.objects.filter(sender_id=sender_id).first()
        before = read(row) if row else Health()
        after = step(before, now)
        if after == before:
            return None
        _write(sender_id, after)
        if (before.open_until, before.alert) != (after.open_until, after.alert):
            ConfigVersion.bump()
    _log(sender, before, after)
    return AlertChange(sender=sender, health=after) if _is_alert_change(before, after) else None


def _write(sender_id: uuid.UUID, health: Health) -> None:
    if health.is_clean:
        SenderHealth.objects.filter(sender_id=sender_id).delete()
        return
    SenderHealth.objects.bulk_create(
        [SenderHealth(sender_id=sender_id, **asdict(health))],
        update_conflicts=True,
        unique_fields=["sender"],
        update_fields=_FIELDS,
    )


def _is_alert_change(before: Health, after: Health) -> bool:
    if after.alert:
        return not before.alert or after.reason != before.reason
    return _is_over(before, after)


def _is_over(before: Health, after: Health) -> bool:
    """People were alarmed, and it is seen to work."""
    return (before.alert or before.recovery_source != "") and not (after.alert or after.recovery_source)


def _log(sender: Sender, before: Health, after: Health) -> None:
    if after.opened_by and not before.opened_by:
        metrics.BREAKER_OPENED.labels(sender.channel, after.opened_by).inc()
        log.error("sender.breaker_opened", sender_id=str(sender.id), by=after.opened_by, reason=after.reason)
    elif before.opened_by and not after.opened_by:
        log.warning("sender.breaker_closed", sender_id=str(sender.id))
    if after.alert and _is_alert_change(before, after):
        log.error(
            "sender.alert", sender_id=str(sender.id), reason=after.reason, provider_code=after.provider_code
        )
    elif _is_over(before, after):
        log.warning("sender.alert_over", sender_id=str(sender.id))


def failed(
    sender_id: uuid.UUID, *, source: Source, reason: FailureReason, provider_code: str = ""
) -> AlertChange | None:
    """A failure that any recipient would have met, or one that may be anybody's fault (channels.errors)."""
    step = breaker.failed if MEANINGS[reason].sender else breaker.unexplained
    return _change(
        sender_id,
        lambda health, now: step(health, source=source, reason=reason, provider_code=provider_code, now=now),
    )


def succeeded(sender_id: uuid.UUID, *, source: Source, arrived: bool = True) -> AlertChange | None:
    """Good news of a sender that has a row. `arrived`: not only on its way."""
    return _change(
        sender_id, lambda health, now: breaker.succeeded(health, source=source, now=now, arrived=arrived)
    )


def changed(sender_id: uuid.UUID) -> None:
    """Its settings were changed: no alert ends yet, it has to prove itself."""
    _change(sender_id, lambda health, _now: breaker.changed(health))


def slowed(sender_id: uuid.UUID) -> None:
    """The provider said "too fast"."""
    _change(sender_id, lambda health, now: breaker.slowed(health, now=now))


def gate(sender_id: uuid.UUID) -> Gate:
    """Whether a message may go through this sender now; takes the probe or its place in the throttle when it may."""
    gates: list[Gate] = []

    def step(health: Health, now: datetime) -> Health:
        verdict, after = breaker.gate(health, now=now)
        gates.append(verdict)
        return after

    _change(sender_id, step)
    return gates[0] if gates else Gate(verdict=breaker.Verdict.GO)


def states() -> list[tuple[uuid.UUID, str, State]]:
    """(sender, channel, state) of every active sender, for monitoring."""
    now = timezone.now()
    unhealthy = {row.pk: read(row) for row in SenderHealth.objects.all()}
    active = Sender.objects.filter(is_active=True).order_by("id").values_list("id", "channel")
    return [(key, channel, breaker.state(unhealthy.get(key, Health()), now=now)) for key, channel in active]


def alerts() -> list[tuple[uuid.UUID, str, str]]:
    """(sender, channel, reason) of every active sender that an operator has to see to."""
    rows = SenderHealth.objects.filter(alert=True, sender__is_active=True).order_by("pk")
    return list(rows.values_list("pk", "sender__channel", "reason"))
