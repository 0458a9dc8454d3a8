"""One number for everything that processes keep in memory: every save bumps it, every process compares it.

A save raises the number in its transaction (core.config_models) and publishes it to Redis after the commit, where the
limits' round trip reads it along. The sweep repairs what could not be published.
So a change takes effect at once in every process, even when Redis is down or was emptied.
"""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any, ClassVar
from weakref import WeakSet

import redis
import structlog
from django.apps import apps

from core.redis import redis_client

log = structlog.get_logger(__name__)

VERSION_KEY = "authsvc:config"

# Within `pinned`: empty until the version is read, then the newest version.
_pin: ContextVar[list[int] | None] = ContextVar("config_version", default=None)


@contextmanager
def pinned() -> Iterator[None]:
    """Projects, clients, senders and keys read within it are of one version, which is read once.

    A newer version, from a save within it or from the limits' round trip, applies from then on. Nesting has no effect.
    """
    if _pin.get() is not None:
        yield
        return
    token = _pin.set([])
    try:
        yield
    finally:
        _pin.reset(token)


def current() -> int:
    """The version now, or the pinned one."""
    pin = _pin.get()
    if pin:
        return pin[0]
    version = _ask()
    _raise_pin(version)
    return version


def publish(version: int) -> None:
    """Announce the version to every process. While Redis is down they read the row instead."""
    _raise_pin(version)
    client = redis_client()
    if client is None:
        return
    try:
        client.set(VERSION_KEY, version)
    except redis.RedisError as error:
        log.warning("config.publish_failed", error=type(error).__name__)


def reconcile() -> None:
    """Publish a version that could not be published while Redis was down. Called by the sweep; usually one read."""
    stored = _ask_row()
    if redis_client() is not None and _ask() != stored:
        publish(stored)


class Cached[T]:
    """A value read from the database, kept until the configuration version changes. Thread-safe."""

    _all: ClassVar[WeakSet["Cached[Any]"]] = WeakSet()

    def __init__(self, load: Callable[[], T]) -> None:
        self._load = load
        self._lock = threading.Lock()
        self._kept: tuple[int, T] | None = None
        Cached._all.add(self)

    def get(self, version: int | None = None) -> T:
        """The value at `version` if the caller has just read that, else at the current one."""
        if version is None:
            version = current()
        else:
            _raise_pin(version)
        kept = self._kept
        if kept is None or kept[0] != version:
            with self._lock:
                kept = self._kept
                if kept is None or kept[0] != version:
                    # The version was read before the rows: a save in between causes another load, never stale rows.
                    kept = self._kept = (version, self._load())
        return kept[1]

    def clear(self) -> None:
        self._kept = None

    @staticmethod
    def clear_all() -> None:
        """Forget every value of this process (tests)."""
        for cached in Cached._all:
            cached.clear()


def _raise_pin(version: int) -> None:
    pin = _pin.get()
    if pin is not None:
        pin[:] = [max([version, *pin])]


def _ask() -> int:
    client = redis_client()
    if client is None:
        return _ask_row()
    try:
        shared = client.get(VERSION_KEY)
        if shared is not None:
            return int(shared)
        client.set(VERSION_KEY, _ask_row(), nx=True)
    except redis.RedisError as error:
        log.warning("config.version_unreadable", error=type(error).__name__)
    return _ask_row()


def _ask_row() -> int:
    # By name: core.config_models is made of this module.
    model = apps.get_model("projects", "ConfigVersion")
    return model._default_manager.filter(id=1).values_list("value", flat=True).first() or 0
