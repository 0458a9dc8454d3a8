"""As challenges have them, and a store of either kind."""

import pytest
from django.conf import LazySettings

from tests.otp.conftest import commits, project, providers, queued, start  # noqa: F401 # fixtures


@pytest.fixture(params=["configured", "memory"])
def either_store(request: pytest.FixtureRequest, settings: LazySettings) -> None:
    if request.param == "memory":
        settings.REDIS_URL = ""
