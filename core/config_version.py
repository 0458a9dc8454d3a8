"""One number for everything that processes keep in memory: every save bumps it, every process compares it.

A save raises the number in its transaction (core.config_models) and publishes it to Redis after the commit, where the
limits' round trip reads it along. The sweep repairs what could not be published.
So a change takes effect at once in every process, even when Redis is down or was emptied.
"""

import math
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from contextvars import ContextVar
from dataclasses import dataclass
from typing import Any, ClassVar
from weakref import WeakSet

import redis
import structlog
from django.apps import apps

from core.redis import redis_client

log = structlog.get_logger(__name__)

VERSION_KEY = "authsvc:config"


class Outdated(Exception):
    """What was decided so far rests on a version that was replaced: `believing` decides again."""


@dataclass(slots=True)
class _Pin:
    """The version of what runs within `pinned`; None until it is read."""

    version: int | None = None
    is_unconfirmed: bool = False  # heard before `believing`, and not compared yet


_pin: ContextVar[_Pin | None] = ContextVar("config_version", default=None)
# The newest reading of this process: when it was asked for (time.monotonic), and the version.
_heard: tuple[float, int] | None = None


class pinned:  # noqa: N801 # used as a function: `with pinned():`
    """Projects, clients, senders and keys read within it are of one version, which is read once.

    A newer version, from a save within it or from the limits' round trip, applies from then on. Nesting has no effect.
    """

    __slots__ = ("_token",)

    def __enter__(self) -> None:
        self._token = _pin.set(_Pin()) if _pin.get() is None else None

    def __exit__(self, *_error: object) -> None:
        if self._token is not None:
            _pin.reset(self._token)


def current() -> int:
    """The version now, or the pinned one."""
    pin = _pin.get()
    if pin is not None and pin.version is not None:
        return pin.version
    version = _ask()
    _raise_pin(version)
    return version


def believe(*, seconds: float) -> None:
    """Pin the version that this process heard within the last `seconds`, which spares the round trip that reads it.

    Within `pinned`, before anything else is read. Without Redis, and when nothing was heard for so long, it does
    nothing: the version is read when it is needed.
    """
    _believe(seconds, is_unconfirmed=False)


def _believe(seconds: float, *, is_unconfirmed: bool) -> None:
    pin, heard = _pin.get(), _heard
    if pin is None or pin.version is not None or heard is None or redis_client() is None:
        return
    asked_at, version = heard
    if time.monotonic() - asked_at <= seconds:
        pin.version, pin.is_unconfirmed = version, is_unconfirmed


def renew() -> bool:
    """Before something is refused by what `believe` pinned: read the version. Whether it is another one by now, so that
    the decision is to be made again."""
    pin = _pin.get()
    if pin is None or redis_client() is None:
        return False
    believed = pin.version
    _raise_pin(_ask())
    return pin.version != believed


def believing[T](decide: Callable[[], T]) -> T:
    """`decide` by the version heard last, however long ago, and once more if that turns out to be outdated.

    It turns out before anything is charged or written, because the limits' round trip compares (`unconfirmed`), and
    before anything is refused. So `decide` is to charge a limit before it has an effect, and to bear being begun twice.
    """
    with pinned():
        _believe(math.inf, is_unconfirmed=True)
        try:
            return decide()
        except Outdated:
            pass
        except Exception:
            with suppress(Outdated):
                confirm()
                raise
        return decide()


def unconfirmed() -> int | None:
    """The version that `believing` goes by, until it was compared with the current one."""
    pin = _pin.get()
    return pin.version if pin is not None and pin.is_unconfirmed else None


def confirm() -> None:
    """Compare the version that `believing` goes by with the current one. Raises Outdated."""
    believed = unconfirmed()
    if believed is not None:
        asked_at = time.monotonic()
        compare(_ask(), asked_at=asked_at)


def compare(version: int | None, *, asked_at: float) -> None:
    """The same with what another round trip, begun at `asked_at`, read along (None: there was none to be read).

    Raises Outdated. The version of what follows is then `version`, or is read again.
    """
    if version is not None:
        _hear(version, asked_at=asked_at)
    pin = _pin.get()
    if pin is None or not pin.is_unconfirmed:
        return
    pin.is_unconfirmed = False
    if pin.version != version:
        pin.version = version
        raise Outdated


def publish(version: int) -> None:
    """Announce the version to every process. While Redis is down they read the row instead."""
    _hear(version, asked_at=time.monotonic())
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
    if redis_client() is None:
        return
    heard = _ask()  # first: a version that is stored between the two is not taken back
    stored = _ask_row()
    if heard != stored:
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
        """Forget every value of this process, and the version that it heard last (tests)."""
        global _heard  # noqa: PLW0603 # one for the process, as the values
        _heard = None
        for cached in Cached._all:
            cached.clear()


def _raise_pin(version: int) -> None:
    pin = _pin.get()
    if pin is not None:
        pin.version = version if pin.version is None else max(pin.version, version)


def _hear(version: int, *, asked_at: float) -> None:
    """Answers can overtake each other: what was asked later counts."""
    global _heard  # noqa: PLW0603 # one for the process: a tuple, which is replaced as a whole
    kept = _heard
    if kept is None or asked_at >= kept[0]:
        _heard = asked_at, version


def _ask() -> int:
    asked_at = time.monotonic()
    version = _ask_redis()
    if version is None:
        version = _ask_row()
    _hear(version, asked_at=asked_at)
    return version


def _ask_redis() -> int | None:
    """None when there is no Redis, when it is away, or when it was emptied, which is repaired."""
    client = redis_client()
    if client is None:
        return None
    try:
        shared = client.run("GET", VERSION_KEY)
        if shared is not None:
            return int(shared)
        client.set(VERSION_KEY, _ask_row(), nx=True)
    except redis.RedisError as error:
        log.warning("config.version_unreadable", error=type(error).__name__)
    return None


def _ask_row() -> int:
    # By name: core.config_models is made of this module.
    model = apps.get_model("projects", "ConfigVersion")
    return model._default_manager.filter(id=1).values_list("value", flat=True).first() or 0
