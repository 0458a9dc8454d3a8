"""A project that sends to Hong Kong and Britain, one challenge that fell back, and staff."""

import pytest
from django.test import Client

from channels.types import Status
from otp import queue, services
from otp.models import Challenge, Delivery
from projects.config import ProjectConfig
from tests import factories
from tests.console.log.support import MESSAGE_ID, add_message, signed_in
from users.models import User


@pytest.fixture
def project(db: None) -> ProjectConfig:
    return factories.make_project(countries_allowed=["HK", "GB"])


@pytest.fixture
def staff(project: ProjectConfig) -> Client:
    User.objects.create_superuser("root", "a long enough password")
    return signed_in("root")


@pytest.fixture
def challenge(project: ProjectConfig, monkeypatch: pytest.MonkeyPatch) -> Challenge:
    """WhatsApp failed, as a report with a message id says; an SMS arrived."""
    monkeypatch.setattr(queue, "enqueue_send", lambda _delivery_id: None)
    monkeypatch.setattr(queue, "enqueue_fallback", lambda _delivery_id: None)
    started = services.start_challenge(
        project=project,
        phone=factories.phone(),
        language="en",
        origin=factories.ORIGIN,
        address=factories.ADDRESS,
    )
    report = factories.report(Delivery.objects.get(), Status.FAILED, message_id=MESSAGE_ID)
    services.record_status_updates([report])
    row = Challenge.objects.get(id=started.challenge_id)
    add_message(row, "sms", cause="fallback")
    return row
