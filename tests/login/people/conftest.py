"""People with sessions and tokens at an application that wants to hear of their ends."""

import pytest

from core.config_models import ConfigVersion
from oidc.models import Client
from tests.login.conftest import (  # noqa: F401 # fixtures
    _nothing_remembered,
    browser,
    other_browser,
    project,
    rung,
)
from tests.login.people.support import Member
from tests.oidc.app import App
from tests.oidc.conftest import app  # noqa: F401 # a fixture


@pytest.fixture
def member(app: App) -> Member:  # noqa: F811 # a fixture
    """Somebody signed in to an application, which has a back-channel log-out URI."""
    Client.objects.update(backchannel_logout_uri="https://acme.example/logout")
    ConfigVersion.bump()
    app.client.refresh_from_db()
    return Member(app=app, tokens=app.tokens())
