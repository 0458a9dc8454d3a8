"""Two WhatsApp senders and one for SMS, and what each does with a message."""

import pytest

from channels import providers as registry
from channels.models import Sender
from projects.config import ProjectConfig
from tests import factories
from tests.otp.failover.support import Lines


@pytest.fixture
def lines(monkeypatch: pytest.MonkeyPatch) -> Lines:
    made = Lines()
    monkeypatch.setattr(registry, "send", made.send)
    return made


@pytest.fixture
def senders(db: None) -> dict[str, Sender]:
    """Two shared WhatsApp senders, one and two, and one for SMS."""
    names = (("one", "whatsapp", 1), ("two", "whatsapp", 2), ("sms", "sms", 1))
    return {name: factories.make_sender(channel, name=name, priority=place) for name, channel, place in names}


@pytest.fixture
def project(senders: dict[str, Sender]) -> ProjectConfig:
    return factories.make_project()
