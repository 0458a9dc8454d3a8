"""A project, and staff who may do everything."""

import pytest
from django.test import Client

from projects.config import ProjectConfig
from tests import factories
from users.models import User

PASSWORD = "a long enough password"  # made up


@pytest.fixture
def project(db: None) -> ProjectConfig:
    return factories.make_project()


@pytest.fixture
def staff(client: Client, project: ProjectConfig) -> Client:
    User.objects.create_superuser("admin", PASSWORD)
    client.post("/admin/login/", {"username": "admin", "password": PASSWORD})
    return client
