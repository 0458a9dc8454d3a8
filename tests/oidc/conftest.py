"""Applications and their users; the rest as the hosted pages have it."""

import pytest
from django.test import Client as Http

from projects.config import ProjectConfig
from tests import factories
from tests.login.conftest import (  # noqa: F401 # fixtures
    Browser,
    _nothing_remembered,
    browser,
    other_browser,
    project,
    rung,
)
from tests.oidc.app import SECRET, App
from users.models import User


@pytest.fixture
def app(project: ProjectConfig, browser: Browser) -> App:  # noqa: F811 # a fixture
    """A public first-party client."""
    return App(client=factories.make_client(project), browser=browser)


@pytest.fixture
def server_app(project: ProjectConfig, browser: Browser) -> App:  # noqa: F811 # a fixture
    """A confidential first-party client, in the same browser."""
    client = factories.make_client(project, secret=SECRET, client_id="acme-server", name="Acme server")
    return App(client=client, browser=browser, secret=SECRET)


@pytest.fixture
def partner(project: ProjectConfig, browser: Browser) -> App:  # noqa: F811 # a fixture
    """A public third-party client."""
    client = factories.make_client(project, client_id="partner", name="Partner", skip_authorization=False)
    return App(client=client, browser=browser)


@pytest.fixture
def op(server_app: App) -> App:
    """As the plan registers its client: confidential, client_secret_basic, without PKCE unless a module brings it."""
    server_app.client.pkce_required = False
    server_app.client.save()
    return server_app


@pytest.fixture
def staff(client: Http, project: ProjectConfig) -> Http:  # noqa: F811 # a fixture
    """A browser of somebody who may do everything in the admin."""
    client.force_login(User.objects.create_superuser(username="ops", password="a-long-password-here"))
    return client
