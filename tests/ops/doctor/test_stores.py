"""The stores' checks against the real ones, and against what is wrong with them."""

import time
from collections.abc import Callable, Iterable
from datetime import timedelta
from typing import Any

import pytest
from celery import current_app
from django.db import connection
from django.utils import timezone
from pytest_django import Settings

from channels.findings import Finding, Level
from channels.models import Sender
from core.redis import redis_client
from ops.doctor import examine, infrastructure, product
from otp import heartbeat
from otp.models import Challenge, Delivery
from scripts.services import free_port
from tests import factories
from tests.clock import later

pytestmark = pytest.mark.django_db


def levels(check: Callable[[], Iterable[Finding]]) -> list[Level]:
    return [item.level for item in check()]


def bad(check: Callable[[], Iterable[Finding]]) -> str:
    return " ".join(f"{item.subject} {item.text}" for item in check() if item.level is not Level.OK)


def test_a_database_that_answers_is_ok_and_names_its_version_and_its_file() -> None:
    first, *_ = infrastructure.database()

    assert first.level is Level.OK
    assert first.text.split()[0] in ("PostgreSQL", "SQLite")
    if connection.vendor == "sqlite":
        assert first.text.endswith(f" answers: {connection.settings_dict['NAME']}")
    assert levels(infrastructure.migrations) == [Level.OK]


@pytest.mark.postgres
def test_time_limits_that_are_off_are_named() -> None:
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL statement_timeout = 0")
        cursor.execute("SET LOCAL lock_timeout = 0")

    assert "statement_timeout is off" in bad(infrastructure.database)
    assert "lock_timeout is off" in bad(infrastructure.database)


def test_a_migration_that_waits_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    from django.db.migrations.recorder import MigrationRecorder

    migration = MigrationRecorder.Migration
    newest = migration.objects.filter(app="otp").order_by("-name")[0]
    newest.delete()

    assert f"otp.{newest.name}" in bad(infrastructure.migrations)


def test_a_redis_that_is_away_is_named(settings: Settings) -> None:
    settings.REDIS_URL = f"redis://127.0.0.1:{free_port()}/0"

    assert levels(infrastructure.redis_store) == [Level.FAIL]


def test_a_broker_that_is_away_is_named(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    from kombu.connection import Connection

    from authsvc.celery import app

    address = f"redis://127.0.0.1:{free_port()}/0"
    settings.CELERY_BROKER_URL = address
    monkeypatch.setattr(app, "connection_for_write", lambda *_args, **more: Connection(address, **more))  # type: ignore[no-untyped-call] # kombu is not annotated

    assert levels(infrastructure.broker) == [Level.FAIL]


def test_one_process_needs_no_worker(settings: Settings) -> None:
    settings.EMBEDDED, settings.REDIS_URL, settings.CELERY_BROKER_URL = True, "", "memory://"

    assert (
        levels(infrastructure.workers)
        == levels(infrastructure.redis_store)
        == levels(infrastructure.broker)
        == [Level.OK]
    )


def test_overdue_deliveries_are_counted(settings: Settings) -> None:
    settings.EMBEDDED = True
    challenge = overdue_delivery().challenge

    assert "1 deliveries have been due" in bad(infrastructure.workers)
    assert challenge.verified_at is None


def overdue_delivery() -> Delivery:
    from otp import services

    project = factories.make_project()
    services.start_challenge(
        project=project, phone=factories.phone(), language="en", origin=factories.ORIGIN, address="192.0.2.1"
    )
    Delivery.objects.update(due_at=timezone.now() - timedelta(minutes=1))
    return Delivery.objects.select_related("challenge").get()


@pytest.mark.postgres  # the run that has Redis
class TestWithRedis:
    def test_running_stores_are_ok(self) -> None:
        assert Level.FAIL not in levels(infrastructure.redis_store)
        assert levels(infrastructure.broker) == [Level.OK]
        assert Level.FAIL not in levels(infrastructure.clock)

    def test_a_clock_that_is_off_is_named(self, monkeypatch: pytest.MonkeyPatch) -> None:
        now = time.time()
        monkeypatch.setattr("ops.doctor.infrastructure.time.time", lambda: now + 60)

        assert "differs from Redis by +60.0 s" in bad(infrastructure.clock)

    def test_a_sweep_leaves_a_sign_of_life(self) -> None:
        assert heartbeat.seconds_since_sweep() is None
        heartbeat.swept()
        age = heartbeat.seconds_since_sweep()
        assert age is not None
        assert 0 <= age < 5

    def test_a_sweep_by_a_clock_that_is_ahead_is_one_of_now(self) -> None:
        with later(30):
            heartbeat.swept()

        assert heartbeat.seconds_since_sweep() == 0

    def test_patience_waits_for_the_next_sweep_only(self) -> None:
        begun = time.monotonic()

        assert heartbeat.seconds_since_sweep(patience=0.3) is None
        assert 0.3 <= time.monotonic() - begun < 2

    def test_the_answer_of_a_worker_is_timed(self, monkeypatch: pytest.MonkeyPatch) -> None:
        def worker(_name: str, *, args: list[str], **_more: object) -> None:
            heartbeat.echo(args[0])

        monkeypatch.setattr(current_app, "send_task", worker)
        assert heartbeat.ask(queue="celery", seconds=1) is not None

    def test_no_answer_in_time_is_reported_as_none(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(current_app, "send_task", lambda *_a, **_k: None)
        assert heartbeat.ask(queue="celery", seconds=0.1) is None

    def test_a_redis_that_evicts_is_warned_about(self, monkeypatch: pytest.MonkeyPatch) -> None:
        client: Any = redis_client()
        monkeypatch.setattr(client, "config_get", lambda _name: {"maxmemory-policy": "allkeys-lru"})

        assert "allkeys-lru" in bad(infrastructure.redis_store)


# Keys, projects ------------------------------------------------------------------------------------


def test_keys_that_open_logins_need_are_named() -> None:
    delivery = overdue_delivery()
    Challenge.objects.filter(id=delivery.challenge_id).update(key_id="gone")

    assert "one-time code key gone" in bad(product.keys)


def test_secrets_that_no_key_opens_are_named(settings: Settings) -> None:
    from cryptography.fernet import Fernet

    sender = factories.make_sender("whatsapp", access_token="a-token")
    settings.AUTHSVC_ENCRYPTION_KEYS = [Fernet.generate_key().decode()]

    assert f"channels.Sender.secrets cannot be decrypted in {sender.id}" in bad(product.keys)


def test_secrets_under_an_older_key_are_a_warning(settings: Settings) -> None:
    from cryptography.fernet import Fernet

    factories.make_sender("whatsapp", access_token="a-token")
    settings.AUTHSVC_ENCRYPTION_KEYS = [Fernet.generate_key().decode(), *settings.AUTHSVC_ENCRYPTION_KEYS]

    findings = [item for item in list(product.keys()) if "older key" in item.text]
    assert [(item.level, item.remedy) for item in findings] == [(Level.WARN, "./manage.py rotate_keys")]


def test_a_project_that_promises_what_it_cannot_send_is_named() -> None:
    assert "there is no project" in bad(product.promised_channels)
    factories.make_project()
    assert levels(product.promised_channels) == [Level.OK]

    Sender.objects.filter(channel="sms").first().delete()  # type: ignore[union-attr] # it exists

    assert "acme promises sms but has no sender" in bad(product.promised_channels)


def test_no_public_address_is_a_warning_and_a_dead_one_a_failure(settings: Settings) -> None:
    settings.AUTHSVC_PUBLIC_URL = ""
    assert levels(product.public_address) == [Level.WARN]

    settings.AUTHSVC_PUBLIC_URL = f"http://127.0.0.1:{free_port()}"
    assert levels(product.public_address)[-1] is Level.FAIL


def test_a_check_that_breaks_is_a_finding_and_the_others_go_on() -> None:
    def breaks() -> Iterable[Finding]:
        raise RuntimeError("postgres://user:password@host/")

    lines = list(
        examine([("one", breaks), ("two", product.promised_channels), ("three", breaks)], skip={"three"})
    )

    assert [(line.check, line.status) for line in lines] == [("one", Level.FAIL), ("two", Level.FAIL)]
    assert (lines[0].detail, lines[0].remedy) == (
        "Check failed: RuntimeError",
        "Fix the findings above first.",
    )
    assert "password" not in str(lines)
