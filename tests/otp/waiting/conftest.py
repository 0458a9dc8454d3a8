"""Few threads, and nothing is published."""

from collections.abc import Iterator

import pytest
from django.conf import LazySettings

from otp import queue, sweep, waiting

THREADS = 4


@pytest.fixture(autouse=True)
def _threads(settings: LazySettings) -> Iterator[None]:
    settings.WORKER_THREADS = THREADS
    yield
    waiting.finish()
    sweep._stopping.clear()


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[bool]:
    """Tasks for another worker."""
    calls: list[bool] = []
    monkeypatch.setattr(queue, "enqueue_send_again", lambda: calls.append(True))
    return calls


@pytest.fixture(autouse=True)
def _no_broker(asked: list[bool]) -> None:
    """No test here publishes anything."""
