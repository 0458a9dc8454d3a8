"""Rows of every kind."""

import pytest

from tests.console import rows
from tests.console.roles.tenants import Tenant, tenant
from users.models import User


@pytest.fixture
def secrets(db: None) -> list[str]:
    rows.fill()
    return rows.secrets()


@pytest.fixture
def acme(db: None) -> Tenant:
    User.objects.create_superuser("root", rows.PASSWORD)
    return tenant("acme", digit=1)


@pytest.fixture
def other(acme: Tenant) -> Tenant:
    return tenant("zenith", digit=2)
