"""Staff."""

import pytest

from tests import factories
from tests.console.staff_login.support import PASSWORD
from users.models import User


@pytest.fixture
def root(db: None) -> User:
    factories.make_project()
    return User.objects.create_superuser("root", PASSWORD)
