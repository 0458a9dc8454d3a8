"""A charge that stands instead of another, and the mark that is passed once."""

import pytest

from abuse import limiter
from abuse.errors import RateLimited
from abuse.limiter import Charge, Rule
from tests.abuse.counting import times

pytestmark = [pytest.mark.stores, pytest.mark.usefixtures("either_store")]

A, B = (Rule(name=name, amount=2, period_seconds=60) for name in "ab")


def instead(*, cost: int = 1) -> list[Charge]:
    others = (Charge(rule=B, subject="x"), Charge(rule=B, subject="y", cost=cost))
    return [Charge(rule=A, subject="x", instead=others)]


def test_it_is_taken_when_there_is_no_room_and_not_before() -> None:
    assert times(instead()) == 4
    with pytest.raises(RateLimited):
        limiter.charge([Charge(rule=B, subject="x")])


def test_until_then_it_is_not_counted() -> None:
    limiter.charge(instead())

    assert times([Charge(rule=B, subject="x")]) == 2


def test_all_of_them_need_room() -> None:
    limiter.charge([Charge(rule=B, subject="y", cost=2)])

    assert times(instead()) == 2


def test_one_that_costs_nothing_is_only_asked() -> None:
    assert times(instead(cost=0)) == 4
    assert times([Charge(rule=B, subject="y")]) == 2


def test_the_wait_is_the_shorter_one() -> None:
    long = Rule(name="long", amount=1, period_seconds=3600)
    items = [Charge(rule=long, subject="x", instead=(Charge(rule=B, subject="x"),))]
    assert times(items) == 3

    with pytest.raises(RateLimited) as refused:
        limiter.charge(items)

    assert refused.value.wait_seconds == 60
    assert refused.value.rule == "long"


def test_what_follows_an_alternative_is_still_charged() -> None:
    last = Rule(name="last", amount=3, period_seconds=60)

    assert times([*instead(), Charge(rule=last, subject="z")]) == 3


@pytest.mark.parametrize(
    ("near", "cost", "told"), [(3, 1, [3]), (3, 2, [2]), (1, 1, [1]), (0, 1, []), (5, 1, [5]), (9, 1, [])]
)
def test_who_crosses_the_mark_is_told_once(near: int, cost: int, told: list[int]) -> None:
    five = Rule(name="five", amount=5, period_seconds=60)
    item = Charge(rule=five, subject="x", near=near, cost=cost)
    turns = [
        nth for nth in range(1, 6 // cost + (cost == 1)) if nth * cost <= 5 and limiter.charge([item]).near
    ]

    assert turns == told
