"""What every test stands on: stores of its own and no memory of the test before."""

import os
import shutil
import threading
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import pytest
from django.conf import settings

if TYPE_CHECKING:
    from playwright.sync_api import Browser

if settings.REDIS_URL:
    # Each parallel worker flushes a Redis database of its own; 8 and up belong to tests.
    _worker = int(os.environ.get("PYTEST_XDIST_WORKER", "gw0").removeprefix("gw"))
    _server = "/".join(settings.REDIS_URL.split("/")[:3])
    settings.REDIS_URL = f"{_server}/{8 + _worker % 8}"


_KEYS: dict[str, list[Any]] = {}
_MAKING = threading.Lock()


@pytest.fixture(autouse=True)
def _no_memory() -> Iterator[None]:
    """Configuration in memory, counts in memory and counts in Redis belong to one test."""
    from channels.senders import senders
    from events import services as events
    from events.subscriptions import subscriptions
    from oidc import backchannel, clients, keys, replay
    from otp import limiter
    from projects.config import projects
    from projects.kv import redis_client

    def forget() -> None:
        projects.clear()
        senders.clear()
        subscriptions.clear()
        clients.clients.clear()
        keys.clear()
        replay.clear_memory()
        events.outbox.forget()
        backchannel.outbox.forget()
        limiter.clear_memory()

    forget()
    client = redis_client()
    if client:
        client.flushdb()
    yield
    forget()


@pytest.fixture(autouse=True)
def _keys_are_made_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Making an RSA key takes longer than most tests: the nth key of every test is the same one."""
    from oidc import keys

    real, made = keys.generate, dict.fromkeys(("RS256", "ES256"), 0)

    def generate(algorithm: str) -> keys.PrivateKey:
        with _MAKING:
            pool = _KEYS.setdefault(algorithm, [])
            made[algorithm] += 1
            if len(pool) < made[algorithm]:
                pool.append(real(algorithm))
            found: keys.PrivateKey = pool[made[algorithm] - 1]
        return found

    monkeypatch.setattr(keys, "generate", generate)


@pytest.fixture(autouse=True)
def _saves_are_seen_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Other processes learn of a save when it commits; a test's transaction never does."""
    from projects import config
    from projects.models import ConfigModel, ConfigVersion

    def announce() -> None:
        config.publish(ConfigVersion.raise_number())

    monkeypatch.setattr(ConfigModel, "announce", staticmethod(announce))


_FLAGS = [
    "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
    "--disable-component-update", "--disable-sync",
]  # fmt: skip


@pytest.fixture(scope="session")
def _browser() -> "Iterator[Browser]":
    """Chromium: one in a process, which Playwright cannot start twice."""
    from playwright.sync_api import sync_playwright

    path = os.environ.get("CHROMIUM") or shutil.which("chromium") or "/usr/bin/chromium"
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=_FLAGS)
        yield browser
        browser.close()
