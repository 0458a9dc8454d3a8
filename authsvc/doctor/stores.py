"""Database, Redis, broker, workers and clock, as `manage.py doctor` sees them."""

import time
from collections.abc import Iterator
from datetime import timedelta

import redis
from django.conf import settings
from django.db import connection
from django.db.migrations.executor import MigrationExecutor
from django.utils import timezone
from kombu.exceptions import OperationalError

from authsvc.celery import app
from channels.checking import Finding, fail, ok, warn
from otp import liveness
from otp.models import Delivery
from projects.kv import redis_client

CLOCK_SECONDS = 2.0
_ECHO_SECONDS = 5.0
_SWEEP_SECONDS = 5.0
_OVERDUE = timedelta(seconds=30)


def _one(statement: str) -> str:
    with connection.cursor() as cursor:
        cursor.execute(statement)
        return str(cursor.fetchone()[0])


def database() -> Iterator[Finding]:
    if connection.vendor == "sqlite":
        yield ok(f"SQLite {_one('SELECT sqlite_version()')} answers")
        if settings.REDIS_URL:
            yield warn("several processes share one SQLite file", "Use PostgreSQL: set DATABASE_URL.")
        return
    begun = time.perf_counter()
    version = _one("SHOW server_version")
    yield ok(f"PostgreSQL {version} answers in {(time.perf_counter() - begun) * 1000:.1f} ms")
    for name in ("statement_timeout", "lock_timeout"):
        if _one(f"SHOW {name}") == "0":
            yield warn(
                f"{name} is off: one stuck statement can hold logins up",
                f"ALTER ROLE … SET {name} = '10s' (behind PgBouncer the connection does not bring it along).",
            )
    if _one("SELECT pg_is_in_recovery()") == "True":
        yield fail("this is a standby: nothing can be written", "Point DATABASE_URL at the primary.")


def migrations() -> Iterator[Finding]:
    executor = MigrationExecutor(connection)
    waiting = executor.migration_plan(executor.loader.graph.leaf_nodes())
    if waiting:
        names = ", ".join(f"{item.app_label}.{item.name}" for item, _ in waiting[:5])
        yield fail(f"{len(waiting)} not applied: {names}", "manage.py migrate")
    else:
        yield ok("all applied")


def redis_store() -> Iterator[Finding]:
    client = redis_client()
    if client is None:
        if settings.EMBEDDED:
            yield ok("not used: everything runs in one process")
        else:
            yield warn("REDIS_URL is not set: each process counts limits for itself", "Set REDIS_URL.")
        return
    try:
        client.ping()
    except redis.RedisError as error:
        yield fail(f"does not answer: {type(error).__name__}", "Start it, or correct REDIS_URL.")
        return
    yield ok(f"Redis {client.info('server')['redis_version']} answers")
    policy = _policy(client)
    if policy not in ("", "noeviction"):
        yield warn(
            f"maxmemory-policy is {policy}: under pressure it drops limits and waiting messages",
            "Set maxmemory-policy noeviction; nothing here needs eviction.",
        )


def _policy(client: redis.Redis) -> str:
    try:
        return str(client.config_get("maxmemory-policy").get("maxmemory-policy", ""))
    except redis.RedisError:  # hosted Redis often forbids the question
        return ""


def broker() -> Iterator[Finding]:
    if settings.CELERY_BROKER_URL.startswith("memory:"):
        yield ok("in memory: everything runs in one process")
        return
    try:
        with app.connection_for_write(connect_timeout=3) as link:
            link.ensure_connection(max_retries=1, timeout=3)
            transport = (
                link.transport_cls if isinstance(link.transport_cls, str) else link.transport.driver_name
            )
    except (OperationalError, OSError) as error:
        yield fail(f"does not answer: {type(error).__name__}", "Start it, or correct CELERY_BROKER_URL.")
        return
    yield ok(f"{transport} answers")


def workers() -> Iterator[Finding]:
    """A task through the queue and back; then the sweep that beat rings for; then what is overdue."""
    if settings.EMBEDDED:
        yield ok("in the web process")
    elif redis_client() is None:
        yield warn("cannot be asked without Redis", "Set REDIS_URL.")
    else:
        yield from _answers("celery", "sends logins")
        yield from _answers("sweep", "sends what is overdue")
        since = liveness.seconds_since_sweep(patience=_SWEEP_SECONDS)
        if since is None or since > _SWEEP_SECONDS:
            when = "never in the last day" if since is None else f"{since:.0f} s ago"
            yield fail(f"the last sweep was {when}", "Start beat: make beat.")
        else:
            yield ok(f"the last sweep was {since:.1f} s ago")
    overdue = Delivery.objects.filter(due_at__lt=timezone.now() - _OVERDUE)[:1000].count()
    if overdue:
        shown = "1000 or more" if overdue == 1000 else str(overdue)
        yield warn(f"{shown} deliveries wait for more than 30 s", "Start more workers; look at their log.")


def _answers(queue: str, what: str) -> Iterator[Finding]:
    seconds = liveness.ask(queue=queue, seconds=_ECHO_SECONDS)
    if seconds is None:
        yield fail(
            f"no worker answers on the queue {queue} within {_ECHO_SECONDS:.0f} s, which {what}",
            "Start one: make worker (WORKER_QUEUES names its queues).",
        )
    else:
        yield ok(f"a worker answers on {queue} in {seconds * 1000:.0f} ms")


def clock() -> Iterator[Finding]:
    if connection.vendor == "postgresql":
        yield from _compare("the database", float(_one("SELECT extract(epoch FROM clock_timestamp())")))
    client = redis_client()
    if client is not None:
        seconds, micros = client.time()
        yield from _compare("Redis", seconds + micros / 1e6)
    if connection.vendor != "postgresql" and client is None:
        yield ok("one machine, one clock")


def _compare(name: str, theirs: float) -> Iterator[Finding]:
    off = time.time() - theirs
    if abs(off) > CLOCK_SECONDS:
        yield fail(f"this machine is {off:+.1f} s off {name}", "Run a time service (chrony) on both.")
    else:
        yield ok(f"within {max(abs(off), 0.01):.2f} s of {name}")
