"""A task for what waits is enqueued once for all, and whatever the order of commit, flag and look: none is forgotten."""

import itertools
import threading
import time
import uuid
from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any

import pytest
import redis
from django.conf import LazySettings
from kombu.exceptions import OperationalError
from structlog.testing import capture_logs

from core import config_version
from core.redis import LocalStore, redis_client
from otp import queue, send, sweep, waiting
from otp.store import claim as store
from tests.threads import at_once

pytestmark = pytest.mark.stores
SEND = "otp.tasks.send_waiting"


@pytest.fixture
def tasks(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The names of the tasks that reached the broker."""
    names: list[str] = []
    monkeypatch.setattr(
        queue, "current_app", SimpleNamespace(send_task=lambda name, args: names.append(name))
    )
    return names


@pytest.fixture
def without_redis(settings: LazySettings) -> None:
    settings.REDIS_URL = ""


@pytest.fixture(params=["as configured", "in memory"])
def flag(request: pytest.FixtureRequest, settings: LazySettings) -> None:
    """Where the flag is: both, as a test run without Redis has only one."""
    if request.param == "in memory":
        settings.REDIS_URL = ""


def test_many_starts_need_one_task(flag: None, tasks: list[str]) -> None:
    for _ in range(5):
        queue.enqueue_send(uuid.uuid4())

    assert tasks == [SEND]


def test_after_a_look_the_next_start_needs_one_again(flag: None, tasks: list[str]) -> None:
    queue.enqueue_send(uuid.uuid4())
    queue.clear_flag()
    queue.enqueue_send(uuid.uuid4())
    queue.enqueue_send(uuid.uuid4())

    assert tasks == [SEND, SEND]


def test_a_task_that_is_lost_is_missed_for_a_moment_only(
    flag: None, tasks: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(queue, "_FLAG_MILLISECONDS", 30)
    queue.enqueue_send(uuid.uuid4())
    time.sleep(0.05)
    queue.enqueue_send(uuid.uuid4())

    assert tasks == [SEND, SEND]


def test_of_starts_at_the_same_moment_one_enqueues(flag: None, tasks: list[str]) -> None:
    at_once([lambda: queue.enqueue_send(uuid.uuid4())] * 8)

    assert tasks == [SEND]


def test_clearing_nothing_is_no_error(flag: None, tasks: list[str]) -> None:
    queue.clear_flag()
    queue.enqueue_send_again()
    queue.enqueue_send_again()

    assert tasks == [SEND]


class Away:
    """A Redis that does not answer."""

    def run(self, *_: object) -> None:
        raise redis.ConnectionError("away")


def test_without_an_answer_of_redis_each_start_enqueues(
    tasks: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The broker may be another server, and answer."""
    monkeypatch.setattr(queue, "redis_client", Away)
    queue.enqueue_send(uuid.uuid4())
    with capture_logs() as lines:
        queue.clear_flag()
    queue.enqueue_send(uuid.uuid4())

    assert tasks == [SEND, SEND]
    assert [line["event"] for line in lines] == ["enqueue.flag_stays"]


def test_a_broker_that_is_away_is_a_warning_with_the_delivery(
    flag: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    def away(*_: object, **__: object) -> None:
        raise OperationalError("away")

    monkeypatch.setattr(queue, "current_app", SimpleNamespace(send_task=away))
    delivery_id = uuid.uuid4()
    with capture_logs() as lines:
        queue.enqueue_send(delivery_id)
        queue.enqueue_fallback(delivery_id)

    assert [(line["event"], line["delivery_id"]) for line in lines] == [
        ("enqueue.failed", str(delivery_id))
    ] * 2


def test_a_fallback_is_a_task_with_its_id(monkeypatch: pytest.MonkeyPatch) -> None:
    sent: list[tuple[str, tuple[str, ...]]] = []
    monkeypatch.setattr(
        queue, "current_app", SimpleNamespace(send_task=lambda name, args: sent.append((name, args)))
    )
    delivery_id = uuid.uuid4()

    queue.enqueue_fallback(delivery_id)
    queue.enqueue_fallback(delivery_id)

    assert sent == [("otp.tasks.fall_back", (str(delivery_id),))] * 2


def test_a_start_costs_redis_one_round_trip(tasks: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    client: Any = redis_client()
    if client is None:
        pytest.skip("there is no Redis")
    commands: list[object] = []
    run = client.run

    def note(*arguments: object) -> object:
        commands.append(arguments[0])
        return run(*arguments)

    monkeypatch.setattr(client, "run", note)

    queue.enqueue_send(uuid.uuid4())
    queue.enqueue_send(uuid.uuid4())

    assert commands == ["SET", "SET"]


# Every interleaving ----------------------------------------------------------------------------------


class Service:
    """Starts and one worker, step by step. What is `committed` is what a look finds."""

    def __init__(self) -> None:
        self.committed: set[int] = set()
        self.sent: set[int] = set()
        self.tasks = 0  # on their way

    def look(self, **_: object) -> list[Any]:
        found = self.committed - self.sent
        self.sent |= found
        return [SimpleNamespace(delivery_id=item) for item in found]


def orders() -> Iterator[tuple[str, ...]]:
    """Every order of the steps of two starts and of a worker."""
    chains = (("commit 0", "enqueue 0"), ("commit 1", "enqueue 1"), ("clear", "look"))
    for turns in sorted(set(itertools.permutations((0, 0, 1, 1, 2, 2)))):
        rest = [iter(chain) for chain in chains]
        yield tuple(next(rest[turn]) for turn in turns)


@pytest.mark.parametrize("is_on_its_way", [False, True], ids=["quiet", "a task is on its way"])
def test_no_order_of_commit_flag_and_look_forgets_a_start(
    is_on_its_way: bool, without_redis: None, tasks: list[str]
) -> None:
    """Sent by a look, or a task is on its way that will look: else only the sweep would find it."""
    seen = 0
    for order in orders():
        LocalStore.clear_all()
        tasks.clear()
        service = Service()
        if is_on_its_way:
            queue.enqueue_send_again()
        for step in order:
            if step.startswith("commit"):
                service.committed.add(int(step[-1]))
            elif step.startswith("enqueue"):
                queue.enqueue_send(uuid.uuid4())
            elif step == "clear":
                tasks.clear()  # this worker has received it
                queue.clear_flag()
            else:
                service.look()
        assert service.committed == service.sent or tasks == [SEND], order
        seen += 1
    assert seen == 90


def test_a_look_before_the_flag_is_cleared_would_forget_one(without_redis: None, tasks: list[str]) -> None:
    """The test above can fail: the wrong order of the worker's two steps."""
    queue.enqueue_send_again()
    service = Service()
    tasks.clear()
    service.look()
    service.committed.add(0)
    queue.enqueue_send(uuid.uuid4())
    queue.clear_flag()

    assert (service.sent, tasks) == (set(), [])


@pytest.mark.parametrize("nth", range(8))
def test_a_start_at_any_moment_of_a_worker_is_sent_by_it_or_has_a_task(
    nth: int, flag: None, tasks: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The real loop: a start commits and enqueues just before its nth step, which is a look or clearing the flag."""
    service, steps = Service(), itertools.count()

    def meanwhile() -> None:
        if next(steps) == nth:
            service.committed.add(1)
            queue.enqueue_send(uuid.uuid4())

    def look(**_: object) -> list[Any]:
        meanwhile()
        return service.look()

    taken_back = queue.clear_flag

    def take_back() -> None:
        meanwhile()
        taken_back()

    monkeypatch.setattr(store, "claim_waiting", look)
    monkeypatch.setattr(queue, "clear_flag", take_back)
    monkeypatch.setattr(send, "send_claimed", lambda *_: None)
    monkeypatch.setattr(config_version, "current", lambda: 1)
    monkeypatch.setattr(waiting, "release_connection", lambda: None)
    service.committed.add(0)
    queue.enqueue_send(uuid.uuid4())
    tasks.clear()

    waiting.send_waiting()

    if next(steps) <= nth:
        assert nth >= 5, "the loop was shorter than expected"
        return
    assert service.sent == {0, 1} or (service.sent == {0} and tasks == [SEND])


def test_a_task_that_finds_another_at_work_has_it_look_once_more(
    flag: None, tasks: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """It comes when the other has looked for the last time, and has not ended yet."""
    looks: list[str] = []

    def end(_threads: object) -> None:
        looks.append(threading.current_thread().name)
        if len(looks) == 1:
            other = threading.Thread(target=waiting.send_waiting, name="second")
            other.start()
            other.join(timeout=10)

    monkeypatch.setattr(waiting, "_send_all", end)
    waiting.send_waiting()

    assert looks == [threading.current_thread().name] * 2


def test_told_to_stop_it_leaves_what_waits_to_another_worker(
    flag: None, tasks: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Although the flag says that a task is on its way: that is the one that has just come here."""
    monkeypatch.setattr(sweep, "is_stopping", lambda: True)
    monkeypatch.setattr(store, "claim_waiting", lambda **_: pytest.fail("it has looked"))
    queue.enqueue_send(uuid.uuid4())
    tasks.clear()

    waiting.send_waiting()

    assert tasks == [SEND]
