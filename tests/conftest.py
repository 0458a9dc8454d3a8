"""What every test stands on: stores of its own and no memory of the test before."""

import gc
import os
import shutil
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import hypothesis
import pytest
import structlog
from django.conf import settings
from django.db import transaction
from django.db.backends.base.base import BaseDatabaseWrapper

from tests import databases, store_files

if TYPE_CHECKING:
    from playwright.sync_api import Browser

# Twenty thousand tests and what they import never become garbage. While they are collected nothing is searched for it,
# and afterwards only what tests make: looking through all of it again and again took half as long as collecting.
gc.disable()

# Without this, structlog lets `rich` draw each exception that a test logs with all variables of all its frames: a tenth
# of the time of the API's tests.
structlog.get_config()["processors"][-1].exception_formatter = structlog.dev.plain_traceback

# How long an example takes is the machine's affair: tests of what something may cost count (tests/budgets).
hypothesis.settings.register_profile(
    "authsvc", deadline=None, suppress_health_check=list(hypothesis.HealthCheck)
)
hypothesis.settings.load_profile("authsvc")

if settings.REDIS_URL:
    # Each parallel worker flushes a Redis database of its own; 8 and up belong to tests.
    _worker = int(os.environ.get("PYTEST_XDIST_WORKER", "gw0").removeprefix("gw"))
    _server = "/".join(settings.REDIS_URL.split("/")[:3])
    settings.REDIS_URL = f"{_server}/{8 + _worker % 8}"


@pytest.fixture(scope="session")
def django_db_modify_db_settings(django_db_modify_db_settings_parallel_suffix: None) -> Iterator[None]:
    """This worker's database begins as a copy of the migrated one, where there is one (tests/databases.py)."""
    test: dict[str, Any] = settings.DATABASES["default"].setdefault("TEST", {})  # a dict
    if not databases.is_sqlite():
        if databases.POSTGRES:
            test["TEMPLATE"] = databases.POSTGRES
        yield
        return
    file = Path(str(test["NAME"]))
    databases.copy_sqlite(file)
    yield
    file.unlink(missing_ok=True)


@pytest.fixture(scope="session")
def django_db_keepdb(django_db_keepdb: bool) -> bool:
    """The copy of a file must not be removed before it is used; a copy on PostgreSQL is made by Django itself."""
    return django_db_keepdb or (databases.is_sqlite() and bool(databases.SQLITE))


@pytest.fixture(scope="session")
def django_db_setup(django_db_setup: None, django_db_blocker: Any) -> Iterator[None]:
    with django_db_blocker.unblock():
        databases.commit_without_waiting()
    with databases.emptied_by_deleting():
        yield


@pytest.fixture(scope="session", autouse=True)
def _respx_answers_calls_of_our_client() -> Iterator[None]:
    """A router of respx, where nothing else is said, stands before `core.http`."""
    import respx.mocks

    from tests import mocked_calls

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(respx.mocks, "DEFAULT_MOCKER", mocked_calls.NAME)
        yield


_KEYS: dict[str, list[Any]] = {}
_MAKING = threading.Lock()


def _asks_for_a_store(item: pytest.Item) -> bool:
    return "db" in getattr(item, "fixturenames", ()) or bool(item.get_closest_marker("django_db"))


# Those that share servers, the longest first: what is left at the end is short.
_GROUPS = ("faults", "serve", "operate", "browser", "demo", "examples")


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark what stands on a database or on Redis, and begin with what takes longest."""
    for item in items:
        if _asks_for_a_store(item) and not item.get_closest_marker("stores"):
            item.add_marker(pytest.mark.stores)
    store_files.note(items)

    def turn(item: pytest.Item) -> int:
        group = item.get_closest_marker("xdist_group")
        return _GROUPS.index(group.args[0]) if group else len(_GROUPS)

    items.sort(key=turn)


def pytest_ignore_collect(collection_path: Path) -> bool | None:
    return True if store_files.has_nothing(collection_path) else None


@pytest.hookimpl(trylast=True)
def pytest_collection_finish() -> None:
    gc.freeze()
    gc.enable()


@pytest.fixture(autouse=True)
def _store_is_asked_for(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """A test without the mark `stores` runs once, not for each kind of store, so it must not use any: of the
    database pytest-django takes care, of Redis this."""
    if request.node.get_closest_marker("stores") or not settings.REDIS_URL:
        return
    from core import redis as kv
    from core.redis_client import Client

    ours, connect = settings.REDIS_URL, kv._connect

    def refuse(url: str) -> Client:
        assert url != ours, "this test uses Redis: mark it `stores`, so that it runs without Redis too"
        return connect(url)

    monkeypatch.setattr(kv, "_connect", refuse)


@pytest.fixture(autouse=True)
def _no_memory(request: pytest.FixtureRequest) -> Iterator[None]:
    """Configuration in memory, counts in memory and counts in Redis belong to one test."""
    from console import setup_facts
    from core.config_version import Cached
    from core.redis import LocalStore, redis_client
    from events import services as events
    from oidc import backchannel
    from otp import sweep

    def forget() -> None:
        Cached.clear_all()
        LocalStore.clear_all()
        setup_facts.forget()
        events.outbox.forget()
        backchannel.outbox.forget()
        sweep._stopping.clear()  # a worker that another test has stopped

    forget()
    client = redis_client() if request.node.get_closest_marker("stores") else None
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
    """Processes learn of a save when it commits, which a test's own transaction never does: what a save has put on
    `on_commit` runs once the product's outermost block ends, and is forgotten where that is rolled back."""
    from core import config_models as models

    def is_own(connection: BaseDatabaseWrapper) -> bool:
        blocks = connection.atomic_blocks
        return bool(blocks) and all(block._from_testcase for block in blocks)  # type: ignore[attr-defined] # Django's own

    real_exit, real_on_commit = transaction.Atomic.__exit__, transaction.on_commit

    def leave(self: transaction.Atomic, *error: Any) -> None:
        real_exit(self, *error)
        connection = transaction.get_connection(self.using)
        if not is_own(connection):
            return
        due = [item for item in connection.run_on_commit if item[1].__module__ == models.__name__]
        connection.run_on_commit = [item for item in connection.run_on_commit if item not in due]
        for _savepoints, act, _robust in due:
            act()

    def on_commit(act: Any, using: str | None = None, robust: bool = False) -> None:
        if act.__module__ == models.__name__ and is_own(transaction.get_connection(using)):
            act()
        else:
            real_on_commit(act, using=using, robust=robust)

    monkeypatch.setattr(transaction.Atomic, "__exit__", leave)
    monkeypatch.setattr(transaction, "on_commit", on_commit)


_FLAGS = [
    "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
    "--disable-component-update", "--disable-sync",
]  # fmt: skip


@pytest.fixture(scope="session")
def _browser() -> "Iterator[Browser]":
    """Chromium: one in a process, which Playwright cannot start twice."""
    from playwright.sync_api import sync_playwright

    path = os.environ.get("CHROMIUM") or shutil.which("chromium") or "/usr/bin/chromium"
    with sync_playwright() as playwright, pytest.MonkeyPatch.context() as patch:
        # Playwright's loop stays in this thread, and Django takes it for an asynchronous program from then on.
        patch.setenv("DJANGO_ALLOW_ASYNC_UNSAFE", "true")
        browser = playwright.chromium.launch(executable_path=path, args=_FLAGS)
        yield browser
        browser.close()
