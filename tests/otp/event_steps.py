"""Events that a project got about its messages, and how a test lets time and reports pass."""

import uuid
from typing import Any

from channels.types import Status
from otp import services
from otp import sweep as watch
from otp.models import Delivery
from tests import factories
from tests.clock import later
from tests.otp.conftest import QueuedTasks


def of(kind: str, slug: str = "acme") -> list[dict[str, Any]]:
    return [data for name, data in factories.told(slug) if name == kind]


def failures(slug: str = "acme") -> list[dict[str, Any]]:
    return of("delivery.failed", slug)


def fallbacks() -> list[dict[str, Any]]:
    return of("fallback.sent")


def first(challenge_id: uuid.UUID) -> Delivery:
    return factories.deliveries(challenge_id)[0]


def sweep(queued: QueuedTasks, seconds: float) -> None:
    with later(seconds):
        watch.watch_deliveries()
        queued.run()


def report(item: Delivery, *steps: Status) -> None:
    for step in steps:
        services.record_status_updates([factories.report(item, step)])
