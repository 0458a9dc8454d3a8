"""A project, and staff who may do everything."""

from tests.console.senders.conftest import project, staff  # noqa: F401 # fixtures
