"""The configuration as requests use it: immutable, in this process's memory, stamped with one version.

A login costs no query for it. Every save raises the version (`projects.models.ConfigModel`) and publishes it to
Redis, where the limits' round trip reads it along; without Redis the version is one small row. So a change acts
at once in every process, also when Redis is away or was emptied.
"""

import threading
import uuid
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from datetime import date
from types import MappingProxyType
from typing import ClassVar

import redis
import structlog

from projects.kv import redis_client

log = structlog.get_logger(__name__)

VERSION_KEY = "authsvc:config"
CHANNELS_OF: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {"whatsapp_or_sms": ("whatsapp", "sms"), "whatsapp_only": ("whatsapp",), "sms_only": ("sms",)}
)


@dataclass(frozen=True, kw_only=True)
class TestNumberConfig:
    __test__ = False

    code: str
    until: date


@dataclass(frozen=True, kw_only=True)
class ProjectConfig:
    """One project and its login methods. `channels` are those promised, first choice first."""

    id: uuid.UUID
    slug: str
    name: str
    verify_phone_by: str
    otp_length: int
    otp_valid_seconds: int
    resend_after_seconds: int
    max_attempts: int
    fallback_enabled: bool
    fallback_wait_seconds: int
    countries_allowed: frozenset[str] | None  # None: all of them
    countries_pinned: tuple[str, ...]
    test_numbers: Mapping[str, TestNumberConfig]

    @property
    def channels(self) -> tuple[str, ...]:
        return CHANNELS_OF[self.verify_phone_by]

    @property
    def falls_back(self) -> bool:
        return self.fallback_enabled and len(self.channels) > 1

    def allows_country(self, code: str) -> bool:
        return self.countries_allowed is None or code in self.countries_allowed


@dataclass(frozen=True, kw_only=True)
class Projects:
    by_host: Mapping[str, ProjectConfig]
    by_id: Mapping[uuid.UUID, ProjectConfig]
    default: ProjectConfig | None

    def for_host(self, host: str) -> ProjectConfig | None:
        """The project that claims `host` (`name` or `name:port`), else the default one."""
        name = host.rsplit(":", 1)[0] if not host.endswith("]") else host
        return self.by_host.get(name.lower(), self.default)


class Versioned[T]:
    """A value read from the database, kept until the configuration version changes. Thread-safe."""

    heard: ClassVar[int | None] = None  # the version that this process met last, whatever it wanted to know

    def __init__(self, load: Callable[[], T]) -> None:
        self._load = load
        self._lock = threading.Lock()
        self._kept: tuple[int, T] | None = None

    def get(self, version: int | None = None) -> T:
        """The value of `version`, or of the current version when the caller has not just read it."""
        if version is None:
            wanted = current_version()
        else:
            wanted = version
            _note(version)
        Versioned.heard = wanted
        kept = self._kept
        if kept is None or kept[0] != wanted:
            with self._lock:
                kept = self._kept
                if kept is None or kept[0] != wanted:
                    # The stamp was read before the rows: a save in between makes us load again, never keep old rows.
                    kept = self._kept = (wanted, self._load())
        return kept[1]

    def recent(self) -> T:
        """As `get`, for tasks that have just asked for something else of the configuration: the value of the version
        that this process met last, without asking anybody."""
        return self.get() if _read.get() is not None else self.get(Versioned.heard)

    def last(self) -> T:
        """The value as this process last used it: for what may be a moment old, without asking anybody."""
        kept = self._kept
        return kept[1] if kept else self.get()

    def clear(self) -> None:
        self._kept = None
        Versioned.heard = None


# The version as the request in hand has read it; none outside of requests (tasks live longer than a moment).
_read: ContextVar[list[int] | None] = ContextVar("config_version", default=None)


@contextmanager
def one_reading() -> Iterator[None]:
    """Within it the version is read once: a request asks for projects, clients, senders and keys, and means one state.

    What this very request saves, or learns along with the limits, is the newer reading.
    """
    token = _read.set([])
    try:
        yield
    finally:
        _read.reset(token)


def _note(version: int) -> None:
    read = _read.get()
    if read is not None:
        read[:] = [max([version, *read])]


def current_version() -> int:
    """The number that every save raises: from Redis when there is one, else from its row."""
    read = _read.get()
    if read:
        return read[0]
    version = _ask_version()
    _note(version)
    return version


def _ask_version() -> int:
    client = redis_client()
    if client is None:
        return _stored_version()
    try:
        seen = client.get(VERSION_KEY)
        if seen is not None:
            return int(seen)
        client.set(VERSION_KEY, _stored_version(), nx=True)
    except redis.RedisError as error:
        log.warning("config.version_unreadable", error=type(error).__name__)
    return _stored_version()


def publish(version: int) -> None:
    """Tell every process. When Redis is away they read the row itself, so nothing is lost but a warning."""
    _note(version)
    Versioned.heard = version
    client = redis_client()
    if client is None:
        return
    try:
        client.set(VERSION_KEY, version)
    except redis.RedisError as error:
        log.warning("config.publish_failed", error=type(error).__name__)


def reconcile() -> None:
    """Repair what a save could not publish while Redis was away. The sweep calls it; cheap when all is well."""
    stored = Versioned.heard = _stored_version()
    if redis_client() is not None and _ask_version() != stored:
        publish(stored)


def _stored_version() -> int:
    from projects.models import ConfigVersion

    return ConfigVersion.objects.filter(id=1).values_list("value", flat=True).first() or 0


def _load_projects() -> Projects:
    from projects.models import LoginMethods

    rows = LoginMethods.objects.select_related("project").prefetch_related(
        "project__domains", "project__test_numbers"
    )
    by_host: dict[str, ProjectConfig] = {}
    by_id: dict[uuid.UUID, ProjectConfig] = {}
    default = None
    for row in rows:
        project = row.project
        value = by_id[project.id] = ProjectConfig(
            id=project.id,
            slug=project.slug,
            name=project.name,
            verify_phone_by=row.verify_phone_by,
            otp_length=row.otp_length,
            otp_valid_seconds=row.otp_valid_seconds,
            resend_after_seconds=row.resend_after_seconds,
            max_attempts=row.max_attempts,
            fallback_enabled=row.fallback_enabled,
            fallback_wait_seconds=row.fallback_wait_seconds,
            countries_allowed=None if row.countries_allowed == ["all"] else frozenset(row.countries_allowed),
            countries_pinned=tuple(row.countries_pinned),
            test_numbers={
                number.phone: TestNumberConfig(code=number.code, until=number.until)
                for number in project.test_numbers.all()
            },
        )
        by_host |= {domain.host: value for domain in project.domains.all()}
        default = value if project.is_default else default
    return Projects(by_host=by_host, by_id=by_id, default=default)


projects: Versioned[Projects] = Versioned(_load_projects)
