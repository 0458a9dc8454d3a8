"""Deliveries that wait, and what became of them."""

import uuid
from datetime import datetime

from core.ids import new_id
from otp import waiting
from otp.models import Challenge, Delivery
from tests.otp.conftest import Providers, QueuedTasks, Start
from tests.otp.plans import columns_of


def begin(start: Start, queued: QueuedTasks, count: int) -> list[uuid.UUID]:
    """So many deliveries that wait, the oldest first."""
    for nth in range(count):
        start(f"+85251234{nth:03}", address=f"198.51.{nth % 200}.1")
    queued.send.clear()
    return list(Delivery.objects.order_by("id").values_list("id", flat=True))


def copy(count: int) -> None:
    """So many more deliveries that wait, each of a challenge of its own, without the limits of a start."""
    item = Delivery.objects.get()
    rows = [{"id": new_id(), "start_key": None} for _ in range(count)]
    Challenge.objects.bulk_create(Challenge(**{**columns_of(item.challenge), **row}) for row in rows)
    Delivery.objects.bulk_create(
        Delivery(**{**columns_of(item), "id": new_id(), "challenge_id": row["id"]}) for row in rows
    )


def send_all() -> None:
    waiting.send_waiting()
    waiting.finish()


def sent_ids(providers: Providers) -> list[uuid.UUID]:
    return [message.delivery_id for _, message in providers.sent]


def change(delivery_id: uuid.UUID, **columns: object) -> None:
    Delivery.objects.filter(id=delivery_id).update(**columns)


def lacks_timer(now: datetime) -> list[uuid.UUID]:
    """Deliveries that nothing would look at in time."""
    waiting = Delivery.objects.filter(due_at__isnull=False)
    kept = {item: min(known) for item in waiting if (known := list(item.timers.values_list("at", flat=True)))}
    return [item.id for item in waiting if item not in kept or kept[item] > max(item.due_at or now, now)]
