"""An installation with a project, and one superuser."""

import pytest
from pytest_django import Settings

from tests import factories
from tests.console.staff.support import PASSWORD, with_app
from users.models import User


@pytest.fixture(autouse=True)
def _project(db: None) -> None:
    factories.make_project()


@pytest.fixture
def required(settings: Settings) -> None:
    """As in production."""
    settings.AUTHSVC_STAFF_SECOND_FACTOR = "required"


@pytest.fixture
def bare() -> User:
    """A superuser with a password only, as createsuperuser makes one."""
    return User.objects.create_superuser("root", PASSWORD)


@pytest.fixture
def root() -> User:
    """A superuser with an authenticator app."""
    return with_app()
