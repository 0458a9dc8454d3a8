"""Windows: when they open and close, what a refusal's wait says of them, and how long a form is remembered."""

import uuid
from dataclasses import replace
from datetime import timedelta

import pytest
import structlog
import time_machine
from django.conf import LazySettings
from django.utils import timezone

from abuse import limiter
from abuse.errors import RateLimited
from abuse.limiter import Charge, Rule
from core import metrics
from core.redis import LocalStore, redis_client
from tests.clock import later

pytestmark = pytest.mark.stores

MINUTE = Rule(name="minute", amount=2, period_seconds=60)
HOUR = Rule(name="hour", amount=2, period_seconds=3600)
FORM, ONCE_SECONDS = "form", 900


@pytest.fixture(autouse=True, params=["configured", "memory"])
def _store(request: pytest.FixtureRequest, settings: LazySettings) -> None:
    if request.param == "memory":
        settings.REDIS_URL = ""


def take(*rules: Rule, subject: str = "a", cost: int = 1, need: int = 1) -> None:
    limiter.charge([Charge(rule=rule, subject=subject, cost=cost, need=need) for rule in rules])


def refusal(*rules: Rule, cost: int = 1, need: int = 1) -> RateLimited:
    with pytest.raises(RateLimited) as refused:
        take(*rules, cost=cost, need=need)
    return refused.value


# Windows -------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("seconds", "passes"), [(0, False), (30, False), (58, False), (61, True)])
def test_a_window_closes_a_period_after_its_first_hit(seconds: int, passes: bool) -> None:
    take(MINUTE)
    take(MINUTE)

    with later(seconds):
        if passes:
            take(MINUTE)
        else:
            refusal(MINUTE)


def test_a_later_hit_does_not_lengthen_it() -> None:
    take(MINUTE)
    with later(50):
        take(MINUTE)
        refusal(MINUTE)
        client = redis_client()
        with later(11):
            take(MINUTE)
            assert client is None or client.get(Charge(rule=MINUTE, subject="a").key) == b"1"


def test_nor_does_a_refusal() -> None:
    take(MINUTE, cost=2)
    for _ in range(5):
        refusal(MINUTE)

    with later(61):
        take(MINUTE)


def test_after_it_all_of_the_amount_is_there_again() -> None:
    take(MINUTE, cost=2)

    with later(61):
        take(MINUTE, need=2)
        take(MINUTE)
        refusal(MINUTE)


def test_each_subject_has_a_window_of_its_own() -> None:
    take(MINUTE, cost=2)
    with later(40):
        take(MINUTE, subject="b", cost=2)
        with later(21):
            take(MINUTE)
            with pytest.raises(RateLimited):
                take(MINUTE, subject="b")


def test_one_rule_with_another_period_counts_apart() -> None:
    """As after a change of AUTHSVC_LIMITS: the count of the old period does not close the new one's window."""
    take(MINUTE, cost=2)

    take(Rule(name=MINUTE.name, amount=2, period_seconds=120))


def test_a_smaller_amount_holds_for_the_window_that_is_open() -> None:
    five = Rule(name="five", amount=5, period_seconds=60)
    take(five, cost=3)

    refusal(Rule(name="five", amount=3, period_seconds=60))
    take(five)


@pytest.mark.parametrize("cost", [0, 1, 2, 5])
def test_a_cost_counts_as_much_as_it_says(cost: int) -> None:
    five = Rule(name="five", amount=5, period_seconds=60)
    take(five, cost=cost)

    left = 0
    while left < 9:
        try:
            take(five)
        except RateLimited:
            break
        left += 1
    assert left == 5 - cost


# What a refusal says -------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("moved", "wait"), [(0, 3600), (1790, 1860), (3530, 120), (3543, 60), (3572, 30), (3594, 10)]
)
def test_the_wait_is_what_is_left_of_the_window_rounded_up(moved: int, wait: int) -> None:
    """C14."""
    take(HOUR, cost=2)

    with later(moved):
        assert refusal(HOUR).wait_seconds == wait


@pytest.mark.parametrize(
    ("full", "rule", "wait"),
    [((MINUTE,), "minute", 60), ((HOUR,), "hour", 3600), ((MINUTE, HOUR), "hour", 3600)],
    ids=["the short one", "the long one", "both"],
)
@pytest.mark.parametrize("order", [(MINUTE, HOUR), (HOUR, MINUTE)], ids=["short first", "long first"])
def test_of_several_the_longest_is_named(
    full: tuple[Rule, ...], rule: str, wait: int, order: tuple[Rule, ...]
) -> None:
    take(*full, cost=2)

    refused = refusal(*order)

    assert (refused.rule, refused.wait_seconds) == (rule, wait)
    assert refused.code == "rate_limited"
    assert str(refused) == f"wait {wait} s"


def test_the_one_that_may_not_happen_at_all_waits_for_its_period() -> None:
    assert refusal(Rule(name="never", amount=0, period_seconds=600)).wait_seconds == 600


def test_a_refusal_is_counted_and_logged_by_its_rule() -> None:
    take(HOUR, cost=2)
    count = metrics.LIMITED.labels("hour")
    before = count._value.get()

    with structlog.testing.capture_logs() as lines:
        refusal(MINUTE, HOUR)

    assert count._value.get() == before + 1
    (line,) = lines
    assert (line["event"], line["rule"]) == ("limits.refused", "hour")
    assert 3_595_000 < line["wait_ms"] <= 3_600_000


@pytest.mark.parametrize("near", [0, 1, 2])
def test_the_one_that_came_near_its_ceiling_is_named(near: int) -> None:
    """Among others, of which one stands for another."""
    plain = [Charge(rule=Rule(name=name, amount=3, period_seconds=60), subject="a") for name in "xyz"]
    marked = [
        replace(item, near=1 if nth == near else 0, place=f"place {nth}") for nth, item in enumerate(plain)
    ]
    full = Charge(rule=Rule(name="full", amount=0, period_seconds=60), subject="a", instead=(marked[1],))

    for charges in (marked, [marked[0], full, marked[2]]):
        LocalStore.clear_all()
        client = redis_client()
        if client:
            client.flushdb()
        assert [item.place for item in limiter.charge(charges).near] == [f"place {near}"]


# Forms that are charged once -----------------------------------------------------------------------


@pytest.mark.parametrize(
    ("seconds", "is_known"), [(1, True), (ONCE_SECONDS - 2, True), (ONCE_SECONDS + 1, False)]
)
def test_a_form_is_remembered_for_a_quarter_of_an_hour(seconds: int, is_known: bool) -> None:
    first, second = uuid.uuid4(), uuid.uuid4()
    charges = [Charge(rule=HOUR, subject="a", cost=0)]
    limiter.charge(charges, once=FORM, candidate=first)

    client = redis_client()
    if client:
        left = client.pttl(f"authsvc:once:{FORM}") - seconds * 1000
        client.pexpire(f"authsvc:once:{FORM}", left) if left > 0 else client.delete(f"authsvc:once:{FORM}")
    with time_machine.travel(timezone.now() + timedelta(seconds=seconds), tick=False):
        charged = limiter.charge(charges, once=FORM, candidate=second)

    assert charged.first == (first if is_known else None)


def test_a_repeat_is_answered_where_every_limit_is_reached() -> None:
    first = uuid.uuid4()
    limiter.charge([Charge(rule=MINUTE, subject="a", cost=2)], once=FORM, candidate=first)

    for _ in range(3):
        again = limiter.charge([Charge(rule=MINUTE, subject="a", cost=2)], once=FORM, candidate=uuid.uuid4())
        assert (again.first, again.near) == (first, ())
    refusal(MINUTE)


def test_after_a_refusal_the_same_form_may_come_again() -> None:
    second = uuid.uuid4()
    take(MINUTE, cost=2)
    with pytest.raises(RateLimited):
        limiter.charge([Charge(rule=MINUTE, subject="a")], once=FORM, candidate=uuid.uuid4())

    with later(61):
        assert limiter.charge([Charge(rule=MINUTE, subject="a")], once=FORM, candidate=second).first is None
        repeated = limiter.charge([Charge(rule=MINUTE, subject="a")], once=FORM, candidate=uuid.uuid4())

    assert repeated.first == second


def test_forms_without_a_name_are_all_charged() -> None:
    for _ in range(2):
        assert limiter.charge([Charge(rule=MINUTE, subject="a")], candidate=uuid.uuid4()).first is None
    refusal(MINUTE)


# Closing -------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("seconds", "passes"), [(0, False), (89, False), (91, True)])
def test_what_is_closed_opens_by_itself(seconds: int, passes: bool) -> None:
    limiter.close(Charge(rule=MINUTE, subject="a"), seconds=90)

    with later(seconds):
        if passes:
            take(MINUTE)
        else:
            refusal(MINUTE)


@pytest.mark.parametrize("taken", [0, 1, 2])
def test_closing_leaves_no_room_however_much_there_was(taken: int) -> None:
    for _ in range(taken):
        take(MINUTE)

    limiter.close(Charge(rule=MINUTE, subject="a"), seconds=600)

    assert refusal(MINUTE).wait_seconds == 600


def test_closing_one_subject_closes_no_other() -> None:
    limiter.close(Charge(rule=MINUTE, subject="a"), seconds=600)

    take(MINUTE, subject="b")
    take(HOUR)
