"""Believing the configuration version that was heard last, and finding out in time that it was replaced."""

import threading
from typing import Any

import pytest
import redis

from core import config_version
from core.config_models import ConfigVersion
from core.config_version import VERSION_KEY, Cached, Outdated, believing

pytestmark = pytest.mark.django_db


class Store:
    """As much of Redis as the version needs. `asked` counts the reads; `away` makes them fail."""

    def __init__(self) -> None:
        self.version: int | None = 7
        self.asked = 0
        self.away = False

    def run(self, *command: str) -> Any:
        assert command == ("GET", VERSION_KEY)
        self.asked += 1
        if self.away:
            raise redis.ConnectionError
        return None if self.version is None else str(self.version).encode()

    def set(self, _key: str, value: int, *, nx: bool = False) -> None:
        if not nx or self.version is None:
            self.version = value


class Clock:
    def __init__(self) -> None:
        self.now = 1000.0

    def monotonic(self) -> float:
        return self.now


@pytest.fixture
def store(monkeypatch: pytest.MonkeyPatch) -> Store:
    made = Store()
    monkeypatch.setattr(config_version, "redis_client", lambda: made)
    return made


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    made = Clock()
    monkeypatch.setattr(config_version, "time", made)
    return made


@pytest.fixture
def heard(store: Store, clock: Clock) -> int:
    """A version that this process has just read."""
    version = config_version.current()
    store.asked = 0
    return version


def save_elsewhere(version: int) -> int:
    """As another process does it: the row changes, and this process does not hear of it."""
    ConfigVersion.objects.update_or_create(id=1, defaults={"value": version})
    return version


# For a moment --------------------------------------------------------------------------------------


def test_what_was_heard_a_moment_ago_is_not_asked_for(heard: int, store: Store, clock: Clock) -> None:
    clock.now += 0.09
    store.version = 8

    with config_version.pinned():
        config_version.believe(seconds=0.1)
        assert config_version.current() == heard
    assert store.asked == 0


def test_what_was_heard_longer_ago_is_asked_for(heard: int, store: Store, clock: Clock) -> None:
    clock.now += 0.11
    store.version = 8

    with config_version.pinned():
        config_version.believe(seconds=0.1)
        assert config_version.current() == 8
    assert store.asked == 1


def test_believing_does_not_make_it_younger(heard: int, store: Store, clock: Clock) -> None:
    """Or a busy process would never hear of a change."""
    store.version = 8
    versions = []
    for _ in range(3):
        with config_version.pinned():
            config_version.believe(seconds=0.1)
            versions.append(config_version.current())
        clock.now += 0.06

    assert versions == [heard, heard, 8]


def test_the_age_counts_from_the_question_not_from_the_answer(store: Store, clock: Clock) -> None:
    real = store.run

    def slow(*command: str) -> Any:
        answer = real(*command)
        clock.now += 0.2
        return answer

    store.run = slow  # type: ignore[method-assign]
    config_version.current()

    with config_version.pinned():
        config_version.believe(seconds=0.1)
        config_version.current()
    assert store.asked == 2


def test_an_answer_that_was_overtaken_is_not_what_was_heard_last(heard: int, clock: Clock) -> None:
    config_version.compare(9, asked_at=clock.now + 0.01)
    config_version.compare(8, asked_at=clock.now)

    with config_version.pinned():
        config_version.believe(seconds=1)
        assert config_version.current() == 9


def test_what_this_process_saved_it_has_heard(heard: int) -> None:
    config_version.publish(heard + 3)

    with config_version.pinned():
        config_version.believe(seconds=0.1)
        assert config_version.current() == heard + 3


def test_a_version_that_was_read_stays(heard: int, store: Store) -> None:
    with config_version.pinned():
        store.version = 8
        assert config_version.current() == 8
        config_version.compare(9, asked_at=0)  # asked before: not what was heard last
        config_version.believe(seconds=100)
        assert config_version.current() == 8


def test_outside_of_a_pin_there_is_nothing_to_believe(heard: int, store: Store) -> None:
    store.version = 8
    config_version.believe(seconds=100)

    assert config_version.current() == 8


def test_a_process_that_heard_nothing_asks(store: Store) -> None:
    with config_version.pinned():
        config_version.believe(seconds=100)
        assert config_version.current() == 7
    assert store.asked == 1


def test_without_redis_the_row_is_read_each_time(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(config_version, "redis_client", lambda: None)
    save_elsewhere(20)
    config_version.current()
    save_elsewhere(21)

    with config_version.pinned():
        config_version.believe(seconds=100)
        assert config_version.current() == 21
    save_elsewhere(22)
    assert believing(config_version.current) == 22


def test_tests_can_forget_what_was_heard(heard: int, store: Store) -> None:
    Cached.clear_all()

    with config_version.pinned():
        config_version.believe(seconds=100)
        config_version.current()
    assert store.asked == 1


# Until it is compared ------------------------------------------------------------------------------


class Call:
    """What is decided: it notes the version that it goes by, and then what the limits' round trip reads along."""

    def __init__(self, store: Store, clock: Clock, *, fails: Exception | None = None) -> None:
        self.store, self.clock, self.fails = store, clock, fails
        self.seen: list[int] = []
        self.effects = 0

    def __call__(self) -> str:
        self.seen.append(config_version.current())
        if self.fails and len(self.seen) == 1:
            raise self.fails
        if config_version.unconfirmed() is not None:
            config_version.compare(self.store.version, asked_at=self.clock.now)
        self.effects += 1
        return "done"


def test_a_version_in_force_costs_no_round_trip(heard: int, store: Store, clock: Clock) -> None:
    clock.now += 10**6
    call = Call(store, clock)

    assert believing(call) == "done"
    assert (call.seen, call.effects, store.asked) == ([heard], 1, 0)


@pytest.mark.parametrize("now", [8, 6])
def test_an_outdated_version_decides_nothing(heard: int, store: Store, clock: Clock, now: int) -> None:
    """Also a lower one: of a database that was restored."""
    store.version = now
    call = Call(store, clock)

    assert believing(call) == "done"
    assert (call.seen, call.effects, store.asked) == ([heard, now], 1, 0)
    with config_version.pinned():
        config_version.believe(seconds=0)
        assert config_version.current() == now, "what was learned is what was heard last"


def test_a_store_that_was_emptied_is_asked_again(heard: int, store: Store, clock: Clock) -> None:
    row = save_elsewhere(20)
    store.version = None
    call = Call(store, clock)

    assert believing(call) == "done"
    assert (call.seen, call.effects) == ([heard, row], 1)
    assert store.version == row


def test_nothing_is_refused_under_an_outdated_version(heard: int, store: Store, clock: Clock) -> None:
    store.version = 8
    call = Call(store, clock, fails=LookupError("no such client, yet"))

    assert believing(call) == "done"
    assert (call.seen, call.effects, store.asked) == ([heard, 8], 1, 1)


def test_a_refusal_under_the_version_in_force_stays(heard: int, store: Store, clock: Clock) -> None:
    refusal = LookupError("no such client")
    call = Call(store, clock, fails=refusal)

    with pytest.raises(LookupError) as raised:
        believing(call)
    assert raised.value is refusal
    assert (call.seen, call.effects, store.asked) == ([heard], 0, 1)


def test_a_refusal_after_the_comparison_asks_nothing(heard: int, store: Store, clock: Clock) -> None:
    def decide() -> None:
        config_version.compare(store.version, asked_at=clock.now)
        raise LookupError

    with pytest.raises(LookupError):
        believing(decide)
    assert store.asked == 0


def test_what_is_refused_the_second_time_is_refused(heard: int, store: Store, clock: Clock) -> None:
    """A client that was revoked meanwhile."""
    store.version = 8

    def decide() -> None:
        if config_version.current() == 8:
            raise LookupError
        config_version.compare(store.version, asked_at=clock.now)

    with pytest.raises(LookupError):
        believing(decide)


def test_a_change_between_the_two_attempts_is_decided_by_the_first_one(
    heard: int, store: Store, clock: Clock
) -> None:
    """As for every request: what is saved after its version was read comes too late for it."""
    store.version = 8
    seen = []

    def decide() -> None:
        seen.append(config_version.current())
        config_version.compare(store.version, asked_at=clock.now)

    believing(decide)
    believing(decide)
    assert seen == [heard, 8, 8]


def test_while_redis_is_away_the_row_is_compared(heard: int, store: Store) -> None:
    row = save_elsewhere(20)
    store.away = True
    seen = []

    def decide() -> str:
        seen.append(config_version.current())
        config_version.confirm()
        return "done"

    assert believing(decide) == "done"
    assert seen == [heard, row]


def test_a_process_that_heard_nothing_reads_before_it_decides(store: Store, clock: Clock) -> None:
    call = Call(store, clock)

    assert believing(call) == "done"
    assert (call.seen, store.asked) == ([7], 1)


def test_a_request_that_has_read_the_version_believes_nothing(heard: int, store: Store, clock: Clock) -> None:
    store.version = 8
    call = Call(store, clock)

    with config_version.pinned():
        config_version.current()
        believing(call)
    assert (call.seen, store.asked) == ([8], 1)


def test_what_was_believed_for_a_moment_is_never_outdated(heard: int, store: Store, clock: Clock) -> None:
    """Reports of providers: what they decide may be so old."""
    store.version = 8
    with config_version.pinned():
        config_version.believe(seconds=1)
        assert config_version.unconfirmed() is None
        config_version.confirm()
        config_version.compare(8, asked_at=clock.now)
    assert store.asked == 0


def test_threads_believe_each_for_itself(heard: int, store: Store, clock: Clock) -> None:
    entered, go = threading.Event(), threading.Event()
    seen: list[int | None] = []

    def decide() -> None:
        entered.set()
        go.wait(5)
        seen.append(config_version.unconfirmed())

    thread = threading.Thread(target=believing, args=(decide,))
    thread.start()
    assert entered.wait(5)
    assert config_version.unconfirmed() is None
    config_version.compare(8, asked_at=clock.now)
    go.set()
    thread.join()

    assert seen == [heard]


def test_the_error_is_no_refusal() -> None:
    """Nothing that answers a caller takes it for one of its own."""
    from core.errors import DomainError

    assert not issubclass(Outdated, DomainError)


# Before something is refused -----------------------------------------------------------------------


def test_what_was_believed_is_read_again_and_says_whether_it_changed(heard: int, store: Store) -> None:
    with config_version.pinned():
        config_version.believe(seconds=0.1)
        assert not config_version.renew()
        store.version = heard + 1
        assert config_version.renew()
        assert config_version.current() == heard + 1
        assert not config_version.renew()


def test_outside_of_a_request_and_without_redis_nothing_was_believed(
    heard: int, store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    store.version = heard + 1
    assert not config_version.renew()
    assert store.asked == 0
    monkeypatch.setattr(config_version, "redis_client", lambda: None)
    with config_version.pinned():
        assert not config_version.renew()
