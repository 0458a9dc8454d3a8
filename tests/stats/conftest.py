"""A project with shared senders for both channels, and a pretended Twilio."""

from collections.abc import Iterator

import pytest
from pytest_django import Settings

from projects.config import ProjectConfig
from tests import factories
from tests.simulator_client import RunningSimulator, start
from tests.stats.priced import Twilio


@pytest.fixture
def project(db: None) -> ProjectConfig:
    return factories.make_project()


@pytest.fixture(scope="module")
def running() -> Iterator[RunningSimulator]:
    with start(webhook_url="http://127.0.0.1:9/whatsapp/webhook") as simulator:
        yield simulator


@pytest.fixture
def twilio(running: RunningSimulator, project: ProjectConfig, settings: Settings) -> Iterator[Twilio]:
    settings.PROVIDER_API_URLS = {"twilio": running.url}
    pretended = Twilio(running=running, project=project)
    yield pretended
    pretended.client.close()
    running.simulator.reset()
