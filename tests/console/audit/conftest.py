"""A superuser's browser and a project."""

from collections.abc import Callable

import pytest
from django.contrib.auth.models import Permission
from django.test import Client

from projects.models import Project
from tests import factories
from users.models import User

PASSWORD = "a long enough password"  # made up


@pytest.fixture
def acme(db: None) -> Project:
    return Project.objects.get(id=factories.make_project().id)


@pytest.fixture
def root(acme: Project) -> Client:
    return _browser(User.objects.create_superuser("root", PASSWORD))


@pytest.fixture
def member(acme: Project) -> Callable[..., Client]:
    """A browser of staff with these permissions."""

    def make(*permissions: str) -> Client:
        user = User.objects.create_user(f"staff{User.objects.count()}", PASSWORD)
        rights = Permission.objects.filter(codename__in=permissions)
        assert rights.count() == len(permissions)
        user.user_permissions.add(*rights)
        return _browser(user)

    return make


def _browser(user: User) -> Client:
    browser = Client(REMOTE_ADDR="203.0.113.7")
    browser.force_login(user)
    return browser
