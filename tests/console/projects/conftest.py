"""Two projects, and staff who may do everything."""

import pytest
from django.test import Client

from projects.models import Project
from tests import factories
from tests.console.projects.support import PASSWORD
from users.models import User


@pytest.fixture
def acme() -> Project:
    return Project.objects.get(id=factories.make_project().id)


@pytest.fixture
def beta(acme: Project) -> Project:
    return Project.objects.get(id=factories.make_project(slug="beta", name="Beta", is_default=False).id)


@pytest.fixture
def staff(client: Client) -> Client:
    client.force_login(User.objects.create_superuser("admin", PASSWORD))
    return client
