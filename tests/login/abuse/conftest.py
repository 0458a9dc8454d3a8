"""Each test with both limiter stores."""

from collections.abc import Iterator

import pytest
import time_machine
from django.conf import LazySettings
from django.utils import timezone

from projects.config import ProjectConfig
from tests import factories
from tests.login.abuse.support import HOME, Clock, Stranger
from tests.login.conftest import Browser


@pytest.fixture(autouse=True, params=["configured", "memory"])
def _store(request: pytest.FixtureRequest, settings: LazySettings) -> None:
    if request.param == "memory":
        settings.REDIS_URL = ""


@pytest.fixture
def clock() -> Iterator[Clock]:
    with time_machine.travel(timezone.now(), tick=False) as traveller:
        yield Clock(traveller)


@pytest.fixture
def stranger(project: ProjectConfig) -> Stranger:
    factories.make_client(project, algorithm="ES256")
    return Stranger()


@pytest.fixture
def owner(project: ProjectConfig, clock: Clock) -> Browser:
    """A browser that logged in with the number yesterday, and is signed out."""
    browser = Browser(REMOTE_ADDR=HOME)
    assert browser.sign_in().status_code == 302
    browser.client.post("/logout/")
    clock.go(86_400)
    return browser


@pytest.fixture
def fresh() -> Browser:
    """The owner's new phone: a browser that is not known."""
    return Browser(REMOTE_ADDR=HOME)
