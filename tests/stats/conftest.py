"""A project with shared senders for both channels."""

import pytest

from projects.config import ProjectConfig
from tests import factories


@pytest.fixture
def project(db: None) -> ProjectConfig:
    return factories.make_project()
