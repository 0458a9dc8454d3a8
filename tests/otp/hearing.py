"""What a project was told of its messages, and how a test lets time and reports pass."""

import uuid
from typing import Any

from channels.types import Status
from otp import services, watch
from otp.models import Delivery
from tests import factories
from tests.clock import later
from tests.otp.conftest import Bells


def of(kind: str, slug: str = "acme") -> list[dict[str, Any]]:
    return [data for name, data in factories.told(slug) if name == kind]


def failures(slug: str = "acme") -> list[dict[str, Any]]:
    return of("delivery.failed", slug)


def fallbacks() -> list[dict[str, Any]]:
    return of("fallback.sent")


def first(challenge_id: uuid.UUID) -> Delivery:
    return factories.deliveries(challenge_id)[0]


def sweep(bells: Bells, seconds: float) -> None:
    with later(seconds):
        watch.watch_deliveries()
        bells.answer()


def report(item: Delivery, *steps: Status) -> None:
    for step in steps:
        services.record_status_updates([factories.report(item, step)])
