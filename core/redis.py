"""The Redis client of this process, and its stand-in. `django.core.cache` would cost twice as much per call.

`redis+sentinel://[user:password@]host:port,host:port/service[/db]` finds the master through sentinels.
"""

import threading
from collections import OrderedDict
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any, ClassVar
from urllib.parse import quote, unquote

from django.conf import settings
from django.core.exceptions import ImproperlyConfigured
from redis.backoff import NoBackoff
from redis.maint_notifications import MaintNotificationsConfig
from redis.retry import Retry
from redis.sentinel import Sentinel

from core.redis_client import Client

SENTINEL = "redis+sentinel://"
_SENTINEL_PORT = 26379


@dataclass(frozen=True, kw_only=True)
class SentinelUrl:
    """The sentinels and the name of the master. The credentials are the master's."""

    hosts: tuple[tuple[str, int], ...]
    service: str
    db: int = 0
    username: str = ""
    password: str = field(default="", repr=False)

    @property
    def for_celery(self) -> str:
        """The form that kombu expects; the service is a transport option (`master_name`)."""
        user = f"{quote(self.username, safe='')}:{quote(self.password, safe='')}@" if self.password else ""
        return ";".join(f"sentinel://{user}{host}:{port}/{self.db}" for host, port in self.hosts)


def sentinel_url(url: str) -> SentinelUrl:
    """Parse a sentinel URL. Raises ImproperlyConfigured, without the URL, which may contain a password."""
    credentials, _, rest = url.removeprefix(SENTINEL).rpartition("@")
    hosts, _, path = rest.partition("/")
    service, _, db = path.partition("/")
    username, _, password = credentials.partition(":")
    try:
        sentinels = tuple(_host_and_port(item) for item in hosts.split(","))
        number = int(db or 0)
    except ValueError as error:
        raise ImproperlyConfigured("REDIS_URL: a sentinel's port or the database is not a number") from error
    if not service or not all(host for host, _ in sentinels):
        raise ImproperlyConfigured(f"REDIS_URL must be {SENTINEL}host:port,host:port/service/db")
    return SentinelUrl(
        hosts=sentinels, service=service, db=number, username=unquote(username), password=unquote(password)
    )


def sentinel_timeouts() -> dict[str, object]:
    """Short timeouts: by default the library waits seconds for a sentinel that is down, and others could answer."""
    return {"socket_timeout": 0.5, "socket_connect_timeout": 0.5, "retry": Retry(NoBackoff(), 0)}


def _host_and_port(item: str) -> tuple[str, int]:
    host, _, port = item.strip().partition(":")
    return host, int(port or _SENTINEL_PORT)


@lru_cache(maxsize=4)
def _connect(url: str) -> Client:
    # Short timeouts: a login must not hang while Redis is down; it is refused or continues without it.
    # Without maintenance notices: where they may come, the pool does not look whether a connection has something unread
    # before it gives it away, and the next command would take that for its reply.
    quiet = MaintNotificationsConfig(enabled=False)
    if not url.startswith(SENTINEL):
        client: Client = Client.from_url(  # type: ignore[assignment] # it says redis.Redis of every class
            url, socket_timeout=1.0, socket_connect_timeout=0.5, health_check_interval=30,
            maint_notifications_config=quiet,
        )  # fmt: skip
        return client
    parts = sentinel_url(url)
    sentinels = Sentinel(  # type: ignore[no-untyped-call] # not annotated
        list(parts.hosts), sentinel_kwargs=sentinel_timeouts(), socket_connect_timeout=0.5
    )
    master: Client = sentinels.master_for(  # type: ignore[no-untyped-call] # not annotated
        parts.service,
        redis_class=Client,
        db=parts.db,
        username=parts.username or None,
        password=parts.password or None,
        socket_timeout=1.0,
        health_check_interval=30,
        retry=Retry(NoBackoff(), 1),
        maint_notifications_config=quiet,
    )
    return master


def redis_client() -> Client | None:
    """The client, or None when the service runs without Redis, in one process."""
    url = settings.REDIS_URL
    return _connect(url) if url else None


class LocalStore[Key, Value](OrderedDict[Key, Value]):
    """What this process remembers in place of Redis. Hold `lock` for anything that takes more than one step."""

    _all: ClassVar[list["LocalStore[Any, Any]"]] = []

    def __init__(self, *, max_entries: int) -> None:
        super().__init__()
        self.max_entries = max_entries
        self.lock = threading.Lock()
        LocalStore._all.append(self)

    def put(self, key: Key, value: Value) -> None:
        """Store an entry and drop the oldest ones beyond `max_entries`."""
        self[key] = value
        while len(self) > self.max_entries:
            self.popitem(last=False)

    @staticmethod
    def clear_all() -> None:
        """Empty every store of this process (tests)."""
        for store in LocalStore._all:
            with store.lock:
                store.clear()
