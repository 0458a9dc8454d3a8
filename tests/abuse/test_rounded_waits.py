"""A refusal's wait is enough, coarse, and in the order of what is left."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from abuse.limiter import round_wait


@pytest.mark.parametrize(
    ("seconds", "wait"),
    [
        (0, 5), (0.001, 5), (1, 5), (5, 5), (5.001, 10), (6, 10), (55.5, 60), (60, 60), (60.001, 120), (61, 120),
        (119, 120), (121, 180), (3540, 3540), (3541, 3600), (3600, 3600), (3600.5, 7200), (86_400, 86_400),
    ],
)  # fmt: skip
def test_a_wait_is_rounded_up(seconds: float, wait: int) -> None:
    assert round_wait(seconds) == wait


@given(seconds=st.floats(0, 10_000_000, allow_nan=False))
def test_a_rounded_wait_is_enough_and_not_much_more(seconds: float) -> None:
    wait = round_wait(seconds)

    assert seconds <= wait
    assert wait - seconds <= max(5, 60 * (seconds > 60), 3600 * (seconds > 3600)) + 1
    assert wait % 5 == 0


@given(st.floats(0, 1_000_000), st.floats(0, 1_000_000))
def test_whoever_waits_longer_is_never_shown_less(one: float, other: float) -> None:
    short, long = sorted((one, other))

    assert round_wait(short) <= round_wait(long)
