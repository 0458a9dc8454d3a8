"""Values that a process caches under the configuration version, and the version while Redis is away or absent."""

import threading
import time
from collections.abc import Iterator
from typing import Any

import pytest
import redis
from django.db import transaction

from core import config_version
from core.config_models import ConfigVersion
from core.config_version import VERSION_KEY, Cached

pytestmark = pytest.mark.django_db


class Store:
    """As much of Redis as the version needs; `away` makes every call fail."""

    def __init__(self) -> None:
        self.values: dict[str, Any] = {}
        self.away = False

    def run(self, name: str, key: str) -> Any:
        assert name == "GET"
        if self.away:
            raise redis.ConnectionError
        return self.values.get(key)

    def set(self, key: str, value: Any, *, nx: bool = False) -> None:
        if self.away:
            raise redis.ConnectionError
        if not (nx and key in self.values):
            self.values[key] = value


@pytest.fixture
def store(monkeypatch: pytest.MonkeyPatch) -> Store:
    made = Store()
    monkeypatch.setattr(config_version, "redis_client", lambda: made)
    return made


@pytest.fixture
def row() -> int:
    ConfigVersion.bump()
    return ConfigVersion.objects.get().value


def test_without_redis_the_version_is_the_row(row: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(config_version, "redis_client", lambda: None)

    assert config_version.current() == row
    config_version.publish(row + 5)
    config_version.reconcile()
    assert config_version.current() == row


def test_an_empty_database_has_version_0(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(config_version, "redis_client", lambda: None)
    ConfigVersion.objects.all().delete()

    assert config_version.current() == 0


def test_an_empty_store_is_filled_from_the_row(row: int, store: Store) -> None:
    assert config_version.current() == row
    assert store.values == {VERSION_KEY: row}


def test_the_version_of_the_store_counts(row: int, store: Store) -> None:
    store.values[VERSION_KEY] = b"77"

    assert config_version.current() == 77


def test_while_the_store_is_away_the_row_counts(row: int, store: Store) -> None:
    store.values[VERSION_KEY], store.away = 77, True

    assert config_version.current() == row
    config_version.publish(78)


def test_reconcile_publishes_what_was_missed_and_nothing_else(row: int, store: Store) -> None:
    store.values[VERSION_KEY] = row - 1
    config_version.reconcile()
    assert store.values[VERSION_KEY] == row

    written = list[int]()
    store.set = lambda _key, value, **_: written.append(value)  # type: ignore[method-assign]
    config_version.reconcile()
    assert written == []


def test_reconcile_takes_back_nothing_that_is_stored_meanwhile(
    row: int, store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    store.values[VERSION_KEY] = row
    ask_row = config_version._ask_row

    def saved_just_after() -> int:
        stored = ask_row()
        store.values[VERSION_KEY] = stored + 1
        return stored

    monkeypatch.setattr(config_version, "_ask_row", saved_just_after)

    config_version.reconcile()

    assert store.values[VERSION_KEY] == row + 1


def test_every_bump_raises_the_version_by_one(row: int) -> None:
    with transaction.atomic():
        ConfigVersion.bump()
        ConfigVersion.bump()

    assert ConfigVersion.objects.get().value == row + 2


def test_a_pin_only_rises(row: int, store: Store) -> None:
    with config_version.pinned():
        first = config_version.current()
        config_version.publish(first + 2)
        config_version.publish(first + 1)
        assert config_version.current() == first + 2

        cached = Cached(lambda: "x")
        cached.get(first + 9)
        assert config_version.current() == first + 9


def test_threads_that_ask_at_once_load_once() -> None:
    loads = list[int]()

    def load() -> int:
        loads.append(1)
        time.sleep(0.05)
        return len(loads)

    cached = Cached(load)
    threads = [threading.Thread(target=cached.get, args=(1,)) for _ in range(5)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert cached.get(1) == len(loads) == 1


def test_a_failed_load_is_tried_again() -> None:
    results: Iterator[Exception | str] = iter([ZeroDivisionError(), "x"])

    def load() -> str:
        result = next(results)
        if isinstance(result, Exception):
            raise result
        return result

    cached = Cached(load)
    with pytest.raises(ZeroDivisionError):
        cached.get(1)
    assert cached.get(1) == "x"


def test_all_caches_are_cleared_at_once() -> None:
    loads = list[str]()
    one, other = Cached(lambda: loads.append("one")), Cached(lambda: loads.append("other"))
    one.get(1)
    other.get(1)

    Cached.clear_all()
    one.get(1)
    other.clear()
    other.get(1)

    assert loads == ["one", "other", "one", "other"]
