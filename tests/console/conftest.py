"""As the hosted pages and the provider have them: projects, applications, staff."""

from tests.login.conftest import (  # noqa: F401 # fixtures
    _nothing_remembered,
    browser,
    other_browser,
    project,
    rung,
)
from tests.oidc.conftest import app, op, partner, server_app, staff  # noqa: F401 # fixtures
