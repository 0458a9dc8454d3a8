"""Beats: one at a time enqueues, and another takes over when it is gone."""

import signal
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import SimpleNamespace
from typing import Any

import pytest
import redis
from celery.signals import worker_shutdown, worker_shutting_down
from django.conf import LazySettings
from structlog.testing import capture_logs

from authsvc import beat
from authsvc.beat import Beat, Turn
from authsvc.celery import app
from core.redis import redis_client
from tests.processes import Running, running, until

SCHEDULE = app.conf.beat_schedule


@pytest.fixture
def _with_redis(settings: LazySettings) -> None:
    if not settings.REDIS_URL:
        pytest.skip("several processes need Redis")


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> SimpleNamespace:
    """What `authsvc.beat` takes for the time; Celery's scheduler has its own."""
    now = SimpleNamespace(seconds=1000.0)
    monkeypatch.setattr(beat, "time", SimpleNamespace(monotonic=lambda: now.seconds))
    return now


def test_no_connection_of_its_own_can_break() -> None:
    """Celery's scheduler keeps the one that it began with, even when the broker has cut it."""
    scheduler = Beat()._service.scheduler

    assert scheduler.producer is None


@pytest.mark.stores
def test_the_first_has_its_turn_and_keeps_it(clock: SimpleNamespace) -> None:
    first = Turn()
    for _ in range(20):
        assert first.is_mine()
        clock.seconds += 1


class TestWithRedis:
    """Several processes: each Turn stands for one."""

    pytestmark = [pytest.mark.stores, pytest.mark.usefixtures("_with_redis")]

    def test_another_waits_until_it_is_handed_over(self, clock: SimpleNamespace) -> None:
        first, second = Turn(), Turn()
        assert (first.is_mine(), second.is_mine()) == (True, False)

        first.give_back()
        clock.seconds += 1

        assert (second.is_mine(), first.is_mine()) == (True, False)

    def test_who_has_no_turn_cannot_hand_it_over(self, clock: SimpleNamespace) -> None:
        first, second, third = Turn(), Turn(), Turn()
        assert first.is_mine()
        second.give_back()

        assert not third.is_mine()

    def test_another_takes_over_when_the_holder_is_killed(
        self, clock: SimpleNamespace, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(beat, "LOST_AFTER_SECONDS", 0.05)
        first, second = Turn(), Turn()
        assert first.is_mine()
        time.sleep(0.06)

        assert second.is_mine()

    def test_a_holder_that_was_frozen_finds_another_in_its_place(
        self, clock: SimpleNamespace, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(beat, "LOST_AFTER_SECONDS", 0.05)
        first, second = Turn(), Turn()
        assert first.is_mine()
        time.sleep(0.06)
        monkeypatch.setattr(beat, "LOST_AFTER_SECONDS", 4.0)
        assert second.is_mine()
        clock.seconds += 1

        assert not first.is_mine()

    def test_the_holder_extends_its_turn(self, clock: SimpleNamespace) -> None:
        first = Turn()
        first.is_mine()
        client = redis_client()
        assert client
        client.pexpire("authsvc:beat", 100)
        clock.seconds += 1
        first.is_mine()

        assert client.pttl("authsvc:beat") > 3000

    def test_redis_is_asked_once_a_second(
        self, clock: SimpleNamespace, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        asked: list[str] = []
        first = Turn()

        def take(script: str, *_: str) -> bool:
            asked.append(script)
            return True

        monkeypatch.setattr(first, "_run", take)
        for _ in range(10):
            assert first.is_mine()
            clock.seconds += 0.25

        assert len(asked) == 3

    def test_while_redis_is_away_each_enqueues(
        self, clock: SimpleNamespace, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """The broker may be another server, and twice is harmless while never is not."""
        first, second = Turn(), Turn()
        assert first.is_mine()
        assert not second.is_mine()

        def refuse(*_: object) -> None:
            raise redis.ConnectionError

        monkeypatch.setattr(beat, "redis_client", lambda: SimpleNamespace(eval=refuse))
        clock.seconds += 1

        assert (first.is_mine(), second.is_mine()) == (True, True)
        first.give_back()


# What is enqueued ---------------------------------------------------------------------------------


@pytest.fixture
def sent(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Names of entries that were enqueued."""
    names: list[str] = []
    monkeypatch.setattr(
        beat._Scheduler, "apply_entry", lambda _self, entry, producer=None: names.append(entry.name)
    )
    monkeypatch.setattr(beat._Scheduler, "producer", None)
    return names


def scheduler(is_mine: Callable[[], bool]) -> beat._Scheduler:
    turn: Any = SimpleNamespace(is_mine=is_mine)
    return beat._Scheduler(app, turn=turn)


def test_out_of_turn_nothing_is_enqueued(sent: list[str]) -> None:
    waiting = scheduler(lambda: False)
    time.sleep(1.1)

    assert waiting.tick() == 1.0
    assert sent == []


def test_what_fell_due_meanwhile_is_enqueued_once_when_its_turn_comes(sent: list[str]) -> None:
    turn = [False]
    waiting = scheduler(lambda: turn[0])
    time.sleep(1.1)
    waiting.tick()
    turn[0] = True
    while waiting.tick() == 0:
        pass

    assert sent == ["watch-deliveries"]
    assert 0 < waiting.tick() <= 1


def test_the_schedule_is_the_one_of_the_settings(sent: list[str]) -> None:
    ours = scheduler(lambda: True).schedule

    assert SCHEDULE.keys() <= ours.keys()
    assert {name: entry.task for name, entry in ours.items() if name in SCHEDULE} == {
        name: entry["task"] for name, entry in SCHEDULE.items()
    }


# A process's beat ---------------------------------------------------------------------------------


def test_it_goes_on_after_a_failure(monkeypatch: pytest.MonkeyPatch) -> None:
    """Celery gives up after a hundred attempts to reach the broker; a worker whose beat has ended would be half dead."""
    monkeypatch.setattr(beat, "_RETRY_SECONDS", 0.01)
    mine = Beat()
    starts: list[int] = []

    def start() -> None:
        starts.append(1)
        if len(starts) < 3:
            raise OSError("the broker at +85251234567")
        mine.stop()

    monkeypatch.setattr(mine._service, "start", start)
    monkeypatch.setattr(mine, "hand_over", lambda: None)
    with capture_logs() as logs:
        mine.run()

    assert len(starts) == 3
    assert [line["event"] for line in logs] == ["beat.failed"] * 2


def test_it_stops_within_a_second_or_so_and_hands_over(
    monkeypatch: pytest.MonkeyPatch, sent: list[str]
) -> None:
    mine = Beat()
    handed: list[bool] = []
    monkeypatch.setattr(mine._turn, "give_back", lambda: handed.append(True))
    monkeypatch.setattr(mine._turn, "is_mine", lambda: True)
    thread = threading.Thread(target=mine.run)
    thread.start()
    time.sleep(0.1)
    mine.stop()
    thread.join(2)

    assert not thread.is_alive()
    assert handed == [True]


def test_stopped_before_it_began_it_enqueues_nothing(
    sent: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    mine = Beat()
    handed: list[bool] = []
    monkeypatch.setattr(mine, "hand_over", lambda: handed.append(True))
    mine.stop()
    mine.run()

    assert handed == [True]
    assert sent == []


def test_a_worker_has_one_that_ends_with_it(monkeypatch: pytest.MonkeyPatch) -> None:
    calls: list[str] = []
    kept = [each.receivers[:] for each in (worker_shutting_down, worker_shutdown)]
    for name in ("start", "stop", "hand_over"):
        monkeypatch.setattr(Beat, name, lambda _self, name=name: calls.append(name))
    # Those of workers that other tests have announced in this process.
    worker_shutting_down.receivers, worker_shutdown.receivers = [], []
    try:
        beat._start_in_worker()
        worker_shutting_down.send(sender="worker", sig="SIGTERM", how="Warm", exitcode=0)
        worker_shutdown.send(sender="worker")
    finally:
        worker_shutting_down.receivers, worker_shutdown.receivers = kept

    assert calls == ["start", "stop", "hand_over"]


# Processes ----------------------------------------------------------------------------------------


@pytest.mark.processes
@pytest.mark.usefixtures("_with_redis")
class TestProcesses:
    """Two processes with a beat each, on one Redis; the queue shows what they enqueue."""

    @pytest.fixture
    def client(self, settings: LazySettings) -> Iterator[redis.Redis]:
        server, _, number = settings.REDIS_URL.rpartition("/")
        self.url = f"{server}/{int(number) - 4}"
        client = redis.Redis.from_url(self.url)
        client.flushdb()
        yield client
        client.flushdb()
        client.close()

    @contextmanager
    def beating(self) -> Iterator[Running]:
        with running(
            ["-m", "authsvc.beat"], REDIS_URL=self.url, AUTHSVC_MODE="test",
            SECRET_KEY="a-secret-key-of-this-test-0123456789-abcdefghij", DATABASE_URL="postgres://nobody@127.0.0.1:1/none",
        ) as process:  # fmt: skip
            until(lambda: process.has("beat.started"), "the start", 30)
            yield process

    @pytest.mark.parametrize(
        ("number", "patience"), [(signal.SIGKILL, beat.LOST_AFTER_SECONDS + 4), (signal.SIGTERM, 4)]
    )
    def test_another_takes_over(self, number: int, patience: float, client: redis.Redis) -> None:
        with self.beating() as first:
            until(lambda: client.get("authsvc:beat"), "the first one's turn", 10)
            with self.beating():
                holder = client.get("authsvc:beat")
                before = client.llen("sweep")
                time.sleep(4)
                rung = client.llen("sweep") - before
                assert client.get("authsvc:beat") == holder
                first.process.send_signal(number)
                code = first.process.wait(timeout=5)
                begun, there = time.monotonic(), client.llen("sweep")
                until(lambda: client.llen("sweep") > there + 1, "the second one's rings", patience)

                assert time.monotonic() - begun < patience
                assert client.get("authsvc:beat") not in (holder, None)
        assert code == (-number if number == signal.SIGKILL else 0)
        # In four seconds: four sweeps, two rounds of events, two of logouts. Two beats would have made sixteen.
        assert 6 <= rung <= 11
