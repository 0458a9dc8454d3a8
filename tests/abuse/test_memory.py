"""The memory of one process stays small, and forgets nothing that still counts."""

import uuid
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta

import pytest
import structlog
import time_machine
from django.conf import LazySettings

from abuse import limiter
from abuse.errors import RateLimited, Unavailable
from abuse.limiter import Charge, Rule
from core.redis import LocalStore
from tests.abuse.stores import without_redis

pytestmark = pytest.mark.stores

MOMENT = datetime(2026, 11, 26, 12, 0, 0, tzinfo=UTC)
SHORT = Rule(name="short", amount=1, period_seconds=10)
LONG = Rule(name="long", amount=1, period_seconds=3600)


@pytest.fixture
def memory(monkeypatch: pytest.MonkeyPatch) -> limiter.Memory:
    """One that holds five windows."""
    monkeypatch.setattr(limiter, "_MOST_WINDOWS", 5)
    small = limiter.Memory()
    monkeypatch.setattr(limiter, "_memory", small)
    return small


def take(rule: Rule, subject: str, *, once: str = "") -> None:
    limiter.charge([Charge(rule=rule, subject=subject)], once=once, candidate=uuid.uuid4())


def test_what_was_counted_longest_ago_is_forgotten_first(memory: limiter.Memory) -> None:
    twice = Rule(name="twice", amount=2, period_seconds=3600)
    with without_redis():
        for subject in ("first", "second", "third", "fourth", "fifth", "first", "sixth"):
            take(twice, subject)

        with pytest.raises(RateLimited):
            take(twice, "first")
    assert [key.rpartition(":")[2] for key in memory._windows] == [
        "third",
        "fourth",
        "fifth",
        "first",
        "sixth",
    ]


def test_it_never_holds_more_windows_or_forms_than_it_may(memory: limiter.Memory) -> None:
    with without_redis():
        for nth in range(50):
            take(SHORT, f"subject {nth}", once=f"form {nth}")

    assert (len(memory._windows), len(memory._first)) == (5, 5)


def test_clearing_forgets_counts_and_forms(memory: limiter.Memory) -> None:
    with without_redis():
        take(LONG, "a", once="form")
        LocalStore.clear_all()
        take(LONG, "a", once="form")

    assert (len(memory._windows), len(memory._first)) == (1, 1)


def test_a_cost_of_nothing_leaves_no_trace(memory: limiter.Memory) -> None:
    with without_redis():
        limiter.charge([Charge(rule=LONG, subject="a", cost=0)])

    assert not memory._windows


# Edges, with a clock that stands still -----------------------------------------------------------------


@pytest.fixture
def clock() -> Iterator[time_machine.Traveller]:
    with without_redis(), time_machine.travel(MOMENT, tick=False) as clock:
        yield clock


def wait_for(*rules: Rule) -> tuple[int, str]:
    with pytest.raises(RateLimited) as refused:
        limiter.charge([Charge(rule=rule, subject="a") for rule in rules])
    return refused.value.wait_seconds, refused.value.rule


def test_a_window_is_closed_at_its_very_end_and_not_before(clock: time_machine.Traveller) -> None:
    take(SHORT, "a")
    clock.move_to(MOMENT + timedelta(seconds=10, microseconds=-400))
    assert wait_for(SHORT) == (5, "short")

    clock.move_to(MOMENT + timedelta(seconds=10))
    take(SHORT, "a")


@pytest.mark.parametrize(
    ("left", "wait"), [(60, 60), (60.03, 120), (3600, 3600), (3600.03, 7200), (5.004, 10)]
)
def test_a_wait_is_rounded_up_from_milliseconds(
    left: float, wait: int, clock: time_machine.Traveller
) -> None:
    day = Rule(name="day", amount=1, period_seconds=86_400)
    take(day, "a")
    clock.move_to(MOMENT + timedelta(seconds=86_400 - left))

    assert wait_for(day) == (wait, "day")


def test_of_equal_waits_the_first_is_named(clock: time_machine.Traveller) -> None:
    other = Rule(name="other", amount=1, period_seconds=10)
    limiter.charge([Charge(rule=SHORT, subject="a"), Charge(rule=other, subject="a")])

    assert wait_for(SHORT, other) == (10, "short")
    assert wait_for(other, SHORT) == (10, "other")


def test_a_form_is_forgotten_at_the_very_end_of_its_time(clock: time_machine.Traveller) -> None:
    def post() -> uuid.UUID | None:
        return limiter.charge([], once="form", candidate=uuid.uuid4()).first

    assert post() is None
    clock.shift(899)
    assert post() is not None
    clock.shift(1)
    assert post() is None


@pytest.mark.parametrize("call", ["charge", "close"])
def test_while_the_store_is_away_nothing_is_sent(call: str, settings: LazySettings) -> None:
    """C13: the log names the kind of error, and neither address nor password."""
    settings.REDIS_URL = "redis://:secret@127.0.0.1:1/0"
    charge = Charge(rule=LONG, subject="a")
    calls: dict[str, Callable[[], object]] = {
        "charge": lambda: limiter.charge([charge]),
        "close": lambda: limiter.close(charge, seconds=60),
    }

    with structlog.testing.capture_logs() as lines, pytest.raises(Unavailable) as refused:
        calls[call]()

    assert (refused.value.code, str(refused.value)) == ("unavailable", "the limiter's store is away")
    assert [(line["event"], line["error"]) for line in lines] == [("limits.unavailable", "ConnectionError")]
    assert "secret" not in str(lines)
