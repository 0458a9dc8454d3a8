"""Checks of `manage.py doctor`: database, Redis, broker, workers and clock."""

import time
from collections.abc import Iterator
from datetime import timedelta

import redis
from celery import current_app as app
from django.conf import settings
from django.db import connection
from django.db.migrations.executor import MigrationExecutor
from django.utils import timezone
from kombu.exceptions import OperationalError

from channels.findings import Finding, fail, ok, warn
from core.redis import redis_client
from otp import heartbeat
from otp.models import Timer

CLOCK_SECONDS = 2.0
_ECHO_SECONDS = 5.0
_SWEEP_SECONDS = 5.0
_OVERDUE = timedelta(seconds=30)


def _scalar(statement: str) -> str:
    with connection.cursor() as cursor:
        cursor.execute(statement)
        return str(cursor.fetchone()[0])


def database() -> Iterator[Finding]:
    if connection.vendor == "sqlite":
        yield ok(f"SQLite {_scalar('SELECT sqlite_version()')} answers: {connection.settings_dict['NAME']}")
        if settings.REDIS_URL:
            yield warn("several processes share one SQLite file", "Use PostgreSQL: set DATABASE_URL.")
        return
    started = time.perf_counter()
    version = _scalar("SHOW server_version")
    yield ok(f"PostgreSQL {version} answers in {(time.perf_counter() - started) * 1000:.1f} ms")
    for name in ("statement_timeout", "lock_timeout"):
        if _scalar(f"SHOW {name}") == "0":
            yield warn(
                f"{name} is off: one stuck statement can block logins",
                f"ALTER ROLE … SET {name} = '10s' (behind PgBouncer the connection cannot set it).",
            )
    if _scalar("SELECT pg_is_in_recovery()") == "True":
        yield fail("this is a standby: nothing can be written", "Point DATABASE_URL at the primary.")


def migrations() -> Iterator[Finding]:
    executor = MigrationExecutor(connection)
    pending = executor.migration_plan(executor.loader.graph.leaf_nodes())
    if pending:
        names = ", ".join(f"{item.app_label}.{item.name}" for item, _ in pending[:5])
        yield fail(f"{len(pending)} not applied: {names}", "./manage.py migrate")
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
    policy = _eviction_policy(client)
    if policy not in ("", "noeviction"):
        yield warn(
            f"maxmemory-policy is {policy}: when memory is full, Redis drops limits and queued tasks",
            "Set maxmemory-policy noeviction.",
        )


def _eviction_policy(client: redis.Redis) -> str:
    try:
        return str(client.config_get("maxmemory-policy").get("maxmemory-policy", ""))
    except redis.RedisError:  # hosted Redis often forbids CONFIG
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
    """A task through each queue and back, the age of the last sweep, and overdue deliveries."""
    if settings.EMBEDDED:
        yield ok("run in the web process")
    elif redis_client() is None:
        yield warn("cannot be checked without Redis", "Set REDIS_URL.")
    else:
        yield from _answers("celery", "sends codes")
        yield from _answers("sweep", "sends overdue deliveries")
        age = heartbeat.seconds_since_sweep(patience=_SWEEP_SECONDS)
        if age is None or age > _SWEEP_SECONDS:
            when = "more than a day ago" if age is None else f"{age:.0f} s ago"
            yield fail(
                f"the last sweep was {when}", "Its worker runs the beat that rings for it: make worker."
            )
        else:
            yield ok(f"the last sweep was {age:.1f} s ago")
    overdue = Timer.objects.filter(at__lt=timezone.now() - _OVERDUE)[:1000].count()
    if overdue:
        shown = "1000 or more" if overdue == 1000 else str(overdue)
        yield warn(
            f"{shown} deliveries have been due for more than 30 s", "Start more workers and check their log."
        )


def _answers(queue: str, work: str) -> Iterator[Finding]:
    seconds = heartbeat.ask(queue=queue, seconds=_ECHO_SECONDS)
    if seconds is None:
        yield fail(
            f"no worker answers on the queue {queue} within {_ECHO_SECONDS:.0f} s: it {work}",
            "Start one: make worker (WORKER_QUEUES sets its queues).",
        )
    else:
        yield ok(f"a worker answers on {queue} in {seconds * 1000:.0f} ms")


def clock() -> Iterator[Finding]:
    if connection.vendor == "postgresql":
        yield from _compare("the database", float(_scalar("SELECT extract(epoch FROM clock_timestamp())")))
    client = redis_client()
    if client is not None:
        seconds, micros = client.time()
        yield from _compare("Redis", seconds + micros / 1e6)
    if connection.vendor != "postgresql" and client is None:
        yield ok("only one clock is used")


def _compare(name: str, timestamp: float) -> Iterator[Finding]:
    offset = time.time() - timestamp
    if abs(offset) > CLOCK_SECONDS:
        yield fail(
            f"the clock of this machine differs from {name} by {offset:+.1f} s",
            "Run a time service (chrony) on both.",
        )
    else:
        yield ok(f"within {max(abs(offset), 0.01):.2f} s of {name}")
