"""Edges of the ceilings, found by mutation testing: the very end of a window, who refused, and what is logged and counted."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest
import redis
import structlog
import time_machine
from django.conf import LazySettings

from abuse import throttle
from abuse.throttle import CEILINGS, TooMany, charge
from core import metrics
from core.redis import redis_client
from tests.abuse.stores import without_redis

pytestmark = pytest.mark.stores

MOMENT = datetime(2026, 11, 26, 12, 0, 0, tzinfo=UTC)
ONE, OTHER = "push.address", "push.client"


@pytest.fixture
def clock(settings: LazySettings) -> Iterator[time_machine.Traveller]:
    """One process without Redis, in which time stands still unless a test moves it."""
    settings.AUTHSVC_LIMITS = {ONE: "1/10m", OTHER: "1/10m"}
    with without_redis(), time_machine.travel(MOMENT, tick=False) as clock:
        yield clock


def refusal(*counts: tuple[str, str]) -> TooMany:
    with pytest.raises(TooMany) as refused:
        charge(*counts)
    return refused.value


@pytest.mark.parametrize(("left", "wait"), [(0.25, 1), (0.9, 1), (1.5, 2), (59.5, 60), (300, 300)])
def test_the_wait_is_rounded_up_to_seconds(left: float, wait: int, clock: time_machine.Traveller) -> None:
    charge((ONE, "a"))
    clock.move_to(MOMENT + timedelta(seconds=600 - left))

    refused = refusal((ONE, "a"))

    assert (refused.wait_seconds, str(refused)) == (wait, f"wait {wait} s")
    clock.shift(wait)
    charge((ONE, "a"))


def test_half_a_millisecond_before_its_end_a_window_is_open_and_at_its_end_it_is_not(
    clock: time_machine.Traveller,
) -> None:
    charge((ONE, "a"))
    clock.move_to(MOMENT + timedelta(seconds=600, microseconds=-500))
    assert refusal((ONE, "a")).wait_seconds == 1

    clock.move_to(MOMENT + timedelta(seconds=600))
    charge((ONE, "a"))


@pytest.mark.parametrize("full", [(ONE,), (OTHER,), (ONE, OTHER)], ids=["the first", "the second", "both"])
def test_who_refused_is_logged_and_counted(full: tuple[str, ...], clock: time_machine.Traveller) -> None:
    """By its name, never by its subject, which would fill the memory; of equal ones the first."""
    for name in full:
        charge((name, "a"))
    count = metrics.LIMITED.labels(full[0])
    before = count._value.get()

    with structlog.testing.capture_logs() as lines:
        refusal((ONE, "a"), (OTHER, "a"))

    assert [(line["event"], line["rule"]) for line in lines] == [("limits.refused", full[0])]
    assert count._value.get() == before + 1


def test_the_longer_wait_is_the_one_that_is_named(
    clock: time_machine.Traveller, settings: LazySettings
) -> None:
    settings.AUTHSVC_LIMITS = {ONE: "1/10m", OTHER: "1/1h"}
    charge((ONE, "a"), (OTHER, "a"))

    with structlog.testing.capture_logs() as lines:
        assert 3600 <= refusal((ONE, "a"), (OTHER, "a")).wait_seconds <= 3601

    assert [line["rule"] for line in lines] == [OTHER]


def test_while_the_store_is_away_it_says_so_and_counts_here(
    monkeypatch: pytest.MonkeyPatch, settings: LazySettings
) -> None:
    class Away:
        def run(self, *_: object) -> object:
            raise redis.TimeoutError

    away = Away()
    monkeypatch.setattr(throttle, "redis_client", lambda: away)
    settings.AUTHSVC_LIMITS = {ONE: "1/10m"}

    with structlog.testing.capture_logs() as lines:
        charge((ONE, "a"))
        refusal((ONE, "a"))

    assert [line["event"] for line in lines] == [
        "throttle.store_away",
        "throttle.store_away",
        "limits.refused",
    ]
    assert lines[0]["error"] == "TimeoutError"


def test_one_subject_of_two_ceilings_has_two_windows(settings: LazySettings) -> None:
    settings.AUTHSVC_LIMITS = {ONE: "2/10m", OTHER: "1/10m"}
    charge((ONE, "a"), (OTHER, "a"))

    charge((ONE, "a"))
    refusal((OTHER, "a"))


@pytest.mark.parametrize("name", sorted(CEILINGS))
def test_each_default_lets_its_amount_pass(name: str) -> None:
    ceiling = CEILINGS[name]
    client = redis_client()
    if client:
        client.set(f"authsvc:limit:{name}:{ceiling.seconds}:a", ceiling.amount - 1, ex=ceiling.seconds)
    else:
        for _ in range(ceiling.amount - 1):
            charge((name, "a"))

    charge((name, "a"))
    assert ceiling.seconds - 60 < refusal((name, "a")).wait_seconds <= ceiling.seconds + 1
