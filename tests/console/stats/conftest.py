"""Staff who may do everything, and a project with some logins that are counted."""

from datetime import timedelta

import pytest
from django.test import Client as Http
from django.utils import timezone

from channels.types import Channel, FailureReason, Status
from projects.config import ProjectConfig
from stats import rollup
from tests import factories
from tests.oidc.conftest import staff  # a fixture
from tests.stats.conftest import project  # a fixture
from tests.stats.support import login, message
from users.models import User


@pytest.fixture(autouse=True)
def _somebody_has_logged_in(project: ProjectConfig) -> None:
    """Until then the index shows the set-up list."""
    User.objects.create(project_id=project.id, phone=factories.OTHER_PHONE, last_login=timezone.now())


@pytest.fixture
def counted(project: ProjectConfig) -> ProjectConfig:  # a fixture
    """Two logins of today, one by WhatsApp and one by the SMS after it."""
    now = timezone.now() - timedelta(seconds=2)
    login(project, message(price_category="authentication_international"), verified_after=1, at=now)
    login(
        project,
        message(status=Status.FAILED, reason=FailureReason.NOT_ON_CHANNEL),
        message(Channel.SMS, after=1, price_micros=59_200, price_currency="USD"),
        verified_after=2,
        at=now,
    )
    rollup.keep(seconds=10)
    return project


__all__ = ["Http", "counted", "project", "staff"]
