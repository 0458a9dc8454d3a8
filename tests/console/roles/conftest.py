"""Rows of every kind."""

import pytest

from tests.console import rows


@pytest.fixture
def secrets(db: None) -> list[str]:
    rows.fill()
    return rows.secrets()
