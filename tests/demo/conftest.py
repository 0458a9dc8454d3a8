"""As the hosted pages have them."""

from tests.login.conftest import _nothing_remembered, browser, other_browser, project, rung  # noqa: F401 # fixtures
