"""A person who is signed in at an application, and staff."""

import pytest
from django.test import Client

from tests.console.log.support import signed_in
from tests.login.conftest import (  # noqa: F401 # fixtures
    _nothing_remembered,
    browser,
    other_browser,
    project,
    rung,
)
from tests.login.people.conftest import member  # noqa: F401 # a fixture
from tests.login.people.support import Member
from tests.oidc.conftest import app  # noqa: F401 # a fixture
from users.models import User


@pytest.fixture
def staff(member: Member) -> Client:  # noqa: F811 # a fixture
    User.objects.create_superuser("root", "a long enough password")
    return signed_in("root")
