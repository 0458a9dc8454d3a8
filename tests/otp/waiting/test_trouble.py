"""Few threads, errors, ends of processes."""

import threading
import time
from datetime import timedelta

import pytest
from django.conf import LazySettings
from django.db import OperationalError
from structlog.testing import capture_logs

from channels.types import Channel, Message, Status
from core import config_version
from otp import policy, sweep, waiting
from otp.models import Delivery
from otp.store import claim as store
from tests.clock import later
from tests.otp.conftest import Providers, QueuedTasks, Start
from tests.otp.waiting.conftest import THREADS
from tests.otp.waiting.support import begin, send_all, sent_ids
from tests.threads import at_once

pytestmark = pytest.mark.django_db(transaction=True)


def test_no_more_is_claimed_than_threads_are_free_and_another_worker_is_asked(
    start: Start,
    queued: QueuedTasks,
    providers: Providers,
    asked: list[bool],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(waiting, "_FULL_SECONDS", 0.02)
    answer, together, most = threading.Event(), 0, 0
    lock = threading.Lock()

    def slow(_message: Message) -> None:
        nonlocal together, most
        with lock:
            together += 1
            most = max(most, together)
        assert answer.wait(10)
        with lock:
            together -= 1

    providers.script[Channel.WHATSAPP] = slow
    begin(start, queued, THREADS + 2)
    task = threading.Thread(target=lambda: at_once([waiting.send_waiting]))
    task.start()
    deadline = time.monotonic() + 10
    while (together < THREADS or len(asked) < 2) and time.monotonic() < deadline:
        time.sleep(0.01)

    waits = Delivery.objects.filter(status=Status.QUEUED, tries=0).count()
    answer.set()
    task.join(timeout=10)
    waiting.finish()

    assert (waits, most) == (2, THREADS)
    assert len(asked) >= 2
    assert len(providers.sent) == THREADS + 2


def test_one_that_goes_wrong_does_not_keep_the_others(
    start: Start, queued: QueuedTasks, providers: Providers
) -> None:
    broken, *others = begin(start, queued, 3)

    def act(message: Message) -> None:
        if message.delivery_id == broken:
            raise ZeroDivisionError

    providers.script[Channel.WHATSAPP] = act
    with capture_logs() as lines:
        send_all()

    assert sorted(sent_ids(providers)) == others
    (line,) = [line for line in lines if line["event"] == "send.failed"]
    assert line["delivery_id"] == str(broken)
    assert waiting._threads(THREADS).take_free(0) == THREADS
    waiting._threads(THREADS).give_back(THREADS)
    providers.script.clear()
    with later(policy.LEASE.total_seconds() + 1):
        sweep.watch_deliveries()
    assert broken in sent_ids(providers)


@pytest.mark.parametrize("what", ["claim", "version"])
def test_a_database_or_redis_that_is_away_leaves_every_thread_free(
    what: str, start: Start, queued: QueuedTasks, providers: Providers, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What was claimed when it happened is found once its lease is over, as that of a worker that died."""
    begin(start, queued, 2)

    def away(**_: object) -> object:
        raise OperationalError("away")

    with monkeypatch.context() as patch:
        if what == "claim":
            patch.setattr(store, "claim_waiting", away)
        else:
            patch.setattr(config_version, "current", away)
        with pytest.raises(OperationalError):
            waiting.send_waiting()

    assert waiting._threads(THREADS).wait_until_idle(1)
    assert providers.sent == []
    with later(policy.LEASE.total_seconds() + 1):
        sweep.watch_deliveries()
    assert len(providers.sent) == 2


def test_told_to_stop_it_finishes_what_it_sends_and_claims_no_more(
    start: Start, queued: QueuedTasks, providers: Providers, asked: list[bool], settings: LazySettings
) -> None:
    settings.WORKER_THREADS = 1
    begin(start, queued, 3)

    def stop(_message: Message) -> None:
        sweep.stop()

    providers.script[Channel.WHATSAPP] = stop

    send_all()

    assert len(providers.sent) == 1
    left = Delivery.objects.exclude(status=Status.ACCEPTED)
    assert {(item.status, item.tries) for item in left} == {(Status.QUEUED, 0)}
    assert asked


def test_the_end_of_the_process_waits_for_messages_at_their_provider(
    start: Start, queued: QueuedTasks, providers: Providers
) -> None:
    begun, answer = threading.Event(), threading.Event()

    def slow(_message: Message) -> None:
        begun.set()
        assert answer.wait(10)

    providers.script[Channel.WHATSAPP] = slow
    begin(start, queued, 1)
    waiting.send_waiting()
    assert begun.wait(10)
    assert providers.sent == []
    threading.Timer(0.1, answer.set).start()

    waiting.finish()

    assert Delivery.objects.get().status == Status.ACCEPTED


def test_a_provider_that_hangs_does_not_keep_the_process(
    start: Start, queued: QueuedTasks, providers: Providers, monkeypatch: pytest.MonkeyPatch
) -> None:
    answer = threading.Event()

    def hang(_message: Message) -> None:
        assert answer.wait(10)

    providers.script[Channel.WHATSAPP] = hang
    begin(start, queued, 1)
    waiting.send_waiting()
    with capture_logs() as lines, monkeypatch.context() as patch:
        patch.setattr(policy, "LEASE", timedelta(seconds=0.05))
        waiting.finish()

    assert [line["event"] for line in lines] == ["send.unfinished"]
    answer.set()
