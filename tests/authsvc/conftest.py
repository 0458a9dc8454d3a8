"""What tests of settings share."""

from collections.abc import Iterator

import pytest

from tests.authsvc.environments import Environments, environments


@pytest.fixture(scope="session")
def loader() -> Iterator[Environments]:
    """Loads settings in an environment that a test makes up."""
    with environments() as loader:
        yield loader
