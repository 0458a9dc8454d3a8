"""What several files here stand on: a client that soon gives up, and an environment without X."""

from collections.abc import Iterator

import pytest

from core import http
from tests.core.wire import QUICK


@pytest.fixture
def client() -> Iterator[http.HttpClient]:
    client = http.HttpClient(QUICK)
    yield client
    client.close()


@pytest.fixture
def without_x(monkeypatch: pytest.MonkeyPatch) -> None:
    """Neither X nor X_FILE is set, and what a test or `load_dotenv` sets is gone after it."""
    for name in ("X", "X_FILE"):
        monkeypatch.setenv(name, "to be restored")
        monkeypatch.delenv(name)
