"""The process's one Redis client. Hot paths use it directly; `django.core.cache` costs twice as much per call.

`redis+sentinel://[user:password@]host:port,host:port/service[/db]` finds the master through its sentinels.
"""

from dataclasses import dataclass, field
from functools import lru_cache
from urllib.parse import quote, unquote

import redis
from django.conf import settings
from django.core.exceptions import ImproperlyConfigured
from redis.backoff import NoBackoff
from redis.retry import Retry
from redis.sentinel import Sentinel

type Client = redis.Redis

SENTINEL = "redis+sentinel://"
_SENTINEL_PORT = 26379


@dataclass(frozen=True, kw_only=True)
class SentinelUrl:
    """Where the sentinels are and which master they are asked for. The credentials are the master's."""

    hosts: tuple[tuple[str, int], ...]
    service: str
    db: int = 0
    username: str = ""
    password: str = field(default="", repr=False)

    @property
    def for_celery(self) -> str:
        """As kombu spells it; the service is a transport option (`master_name`)."""
        user = f"{quote(self.username)}:{quote(self.password)}@" if self.password else ""
        return ";".join(f"sentinel://{user}{host}:{port}/{self.db}" for host, port in self.hosts)


def sentinel_url(url: str) -> SentinelUrl:
    """Read one. Raises ImproperlyConfigured, without the URL, which may hold a password."""
    credentials, _, rest = url.removeprefix(SENTINEL).rpartition("@")
    hosts, _, path = rest.partition("/")
    service, _, db = path.partition("/")
    username, _, password = credentials.partition(":")
    try:
        found = tuple(_host(word) for word in hosts.split(","))
        number = int(db or 0)
    except ValueError as error:
        raise ImproperlyConfigured("REDIS_URL: a sentinel's port or the database is not a number") from error
    if not service or not all(host for host, _ in found):
        raise ImproperlyConfigured(f"REDIS_URL must be {SENTINEL}host:port,host:port/service/db")
    return SentinelUrl(
        hosts=found, service=service, db=number, username=unquote(username), password=unquote(password)
    )


def impatient() -> dict[str, object]:
    """How sentinels are asked: the library's own patience with one that is gone is seconds, and there are others."""
    return {"socket_timeout": 0.5, "socket_connect_timeout": 0.5, "retry": Retry(NoBackoff(), 0)}


def _host(word: str) -> tuple[str, int]:
    host, _, port = word.strip().partition(":")
    return host, int(port or _SENTINEL_PORT)


@lru_cache(maxsize=4)
def _connect(url: str) -> Client:
    # Short time limits: a login must not hang on a store that is away, it is refused or goes on without it.
    if not url.startswith(SENTINEL):
        return redis.Redis.from_url(
            url, socket_timeout=1.0, socket_connect_timeout=0.5, health_check_interval=30
        )
    found = sentinel_url(url)
    sentinels = Sentinel(  # type: ignore[no-untyped-call] # not annotated
        list(found.hosts), sentinel_kwargs=impatient(), socket_connect_timeout=0.5
    )
    master: Client = sentinels.master_for(  # type: ignore[no-untyped-call] # not annotated
        found.service,
        db=found.db,
        username=found.username or None,
        password=found.password or None,
        socket_timeout=1.0,
        health_check_interval=30,
        retry=Retry(NoBackoff(), 1),
    )
    return master


def redis_client() -> Client | None:
    """The client, or None when the service runs without Redis (one process)."""
    return _connect(settings.REDIS_URL) if settings.REDIS_URL else None
