"""Workers, beat and overdue deliveries as the doctor sees them, and clocks that differ: each both ways."""

import re
import time
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from celery import current_app
from django.db import connection
from django.utils import timezone
from pytest_django import Settings

from channels.findings import Level
from core.redis import redis_client
from ops.doctor import infrastructure
from otp import heartbeat, services
from otp.models import Delivery
from scripts.services import free_port
from tests import factories
from tests.clock import later

pytestmark = pytest.mark.django_db


def found(check: Callable[[], Any]) -> list[tuple[Level, str]]:
    return [(item.level, item.text) for item in check()]


@pytest.fixture
def started() -> None:
    services.start_challenge(
        project=factories.make_project(),
        phone=factories.phone(),
        language="en",
        origin=factories.ORIGIN,
        address="192.0.2.1",
    )


@pytest.mark.parametrize(
    ("seconds", "is_overdue"), [(30.0, False), (30.001, True), (3600, True), (-5, False)]
)
def test_a_delivery_is_overdue_after_half_a_minute(
    seconds: float, is_overdue: bool, started: None, settings: Settings
) -> None:
    settings.EMBEDDED = True
    with later(0):
        Delivery.objects.update(due_at=timezone.now() - timedelta(seconds=seconds))
        lines = found(infrastructure.workers)

    warning = [(Level.WARN, "1 deliveries have been due for more than 30 s")] if is_overdue else []
    assert lines == [(Level.OK, "run in the web process"), *warning]


def test_without_redis_several_processes_cannot_be_asked(settings: Settings) -> None:
    settings.EMBEDDED, settings.REDIS_URL = False, ""

    assert found(infrastructure.workers) == [(Level.WARN, "cannot be checked without Redis")]
    assert found(infrastructure.redis_store) == [
        (Level.WARN, "REDIS_URL is not set: each process counts limits for itself")
    ]


@pytest.mark.parametrize(
    ("seconds", "level"),
    [(0, Level.OK), (2.0, Level.OK), (-2.0, Level.OK), (2.5, Level.FAIL), (-60, Level.FAIL)],
)
def test_a_clock_may_be_two_seconds_off(seconds: float, level: Level) -> None:
    with later(0):
        (line,) = infrastructure._compare("the database", time.time() - seconds)

    assert line.level is level
    if level is Level.FAIL:
        assert line.text == f"the clock of this machine differs from the database by {seconds:+.1f} s"


def test_one_process_on_one_file_has_one_clock(settings: Settings) -> None:
    settings.REDIS_URL = ""

    lines = found(infrastructure.clock)

    if connection.vendor == "sqlite":
        assert lines == [(Level.OK, "only one clock is used")]
    else:
        assert [line.split(" of ")[1] for _, line in lines] == ["the database"]


def test_a_file_that_several_processes_share_is_a_warning(settings: Settings) -> None:
    settings.REDIS_URL = f"redis://127.0.0.1:{free_port()}/0"

    warned = (Level.WARN, "several processes share one SQLite file") in found(infrastructure.database)

    assert warned is (connection.vendor == "sqlite")


@pytest.mark.postgres  # the run that has Redis
class TestWithRedis:
    @pytest.fixture(autouse=True)
    def _quickly(self, settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
        settings.EMBEDDED = False
        monkeypatch.setattr(infrastructure, "_SWEEP_SECONDS", 0.2)
        monkeypatch.setattr(infrastructure, "_ECHO_SECONDS", 0.2)

    @pytest.fixture
    def asked(self, monkeypatch: pytest.MonkeyPatch) -> list[str]:
        """Workers that answer at once, and the queues that they were asked on."""
        queues: list[str] = []

        def work(_name: str, *, args: list[str], queue: str, **_more: object) -> None:
            queues.append(queue)
            heartbeat.echo(args[0])

        monkeypatch.setattr(current_app, "send_task", work)
        return queues

    def test_workers_that_answer_and_a_beat_that_rings_are_ok(self, asked: list[str]) -> None:
        self.sweep(ago=-60)  # by a clock that is ahead

        lines = found(infrastructure.workers)

        assert {level for level, _ in lines} == {Level.OK}
        assert len(lines) == 3
        assert asked == ["celery", "sweep"]

    def sweep(self, *, ago: int) -> None:
        client = redis_client()
        assert client
        client.set("authsvc:swept", f"{time.time() - ago:.3f}")

    @pytest.mark.parametrize("ago", [60, 3600])
    def test_a_beat_that_is_late_is_named_with_its_age(self, ago: int, asked: list[str]) -> None:
        self.sweep(ago=ago)

        *others, (level, text) = found(infrastructure.workers)

        seconds = re.fullmatch(r"the last sweep was (\d+) s ago", text)
        assert seconds
        assert (level, ago <= int(seconds[1]) < ago + 60) == (Level.FAIL, True)
        assert {level for level, _ in others} == {Level.OK}

    def test_a_beat_that_never_rang_is_named(self, asked: list[str]) -> None:
        assert found(infrastructure.workers)[-1] == (Level.FAIL, "the last sweep was more than a day ago")

    @pytest.mark.parametrize(
        ("silent", "work"), [("celery", "sends codes"), ("sweep", "sends overdue deliveries")]
    )
    def test_a_queue_that_nobody_works_on_is_named_with_its_work(
        self, silent: str, work: str, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def answer(_name: str, *, args: list[str], queue: str, **_more: object) -> None:
            if queue != silent:
                heartbeat.echo(args[0])

        monkeypatch.setattr(current_app, "send_task", answer)
        self.sweep(ago=-60)  # by a clock that is ahead: fresh however long the queues are asked

        failed = [line for level, line in found(infrastructure.workers) if level is Level.FAIL]

        assert failed == [f"no worker answers on the queue {silent} within 0 s: it {work}"]

    def test_a_redis_that_hides_its_settings_is_no_warning(self, monkeypatch: pytest.MonkeyPatch) -> None:
        import redis

        client: Any = redis_client()

        def forbidden(_name: str) -> object:
            raise redis.ResponseError("unknown command CONFIG")

        monkeypatch.setattr(client, "config_get", forbidden)

        assert [level for level, _ in found(infrastructure.redis_store)] == [Level.OK]
