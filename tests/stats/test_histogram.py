"""Buckets of durations, and the percentiles that come from their counts."""

import itertools
import statistics

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stats import histogram
from stats.histogram import BEYOND, BOUNDS


def test_bounds_grow_by_a_quarter_to_a_code_s_longest_life() -> None:
    assert BOUNDS[0] == 0.5
    assert BOUNDS[-1] > 600
    assert all(1.2 < upper / lower < 1.28 for lower, upper in itertools.pairwise(BOUNDS))


@pytest.mark.parametrize(
    ("seconds", "bucket"),
    [(-3, 0), (0, 0), (0.5, 0), (0.5001, 1), (0.62, 1), (BOUNDS[-1], BEYOND - 1), (1e9, BEYOND)],
)
def test_a_bucket_holds_its_upper_bound(seconds: float, bucket: int) -> None:
    assert histogram.bucket_of(seconds) == bucket


def test_nothing_has_no_percentile() -> None:
    assert histogram.percentile({}, 0.5) is None
    assert histogram.percentile({3: 0}, 0.5) is None


def test_what_lies_beyond_counts_as_the_last_bound() -> None:
    assert histogram.percentile({BEYOND: 4}, 0.5) == BOUNDS[-1]


def test_it_is_interpolated_within_a_bucket() -> None:
    assert histogram.percentile({0: 10}, 0.5) == 0.25
    assert histogram.percentile({0: 10}, 1.0) == 0.5
    assert histogram.percentile({0: 50, 1: 50}, 0.5) == 0.5


@given(st.lists(st.floats(0.6, 700), min_size=20, max_size=200), st.sampled_from([0.5, 0.95]))
def test_it_is_right_within_a_quarter(durations: list[float], share: float) -> None:
    """Against the exact percentile of the same rank."""
    counts: dict[int, int] = {}
    for seconds in durations:
        bucket = histogram.bucket_of(seconds)
        counts[bucket] = counts.get(bucket, 0) + 1
    rank = max(0, -int(-share * len(durations) // 1) - 1)
    exact = sorted(durations)[rank]

    guessed = histogram.percentile(counts, share)

    assert guessed is not None
    assert exact / 1.3 <= guessed <= exact * 1.3


def test_the_statement_s_buckets_are_these() -> None:
    text = histogram.case_of("x")

    assert text.startswith("CASE WHEN x <= 0.5 THEN 0 WHEN x <= 0.62 THEN 1 ")
    assert text.endswith(f"ELSE {BEYOND} END")
    assert statistics.mode(text.split()) in ("WHEN", "x", "<=", "THEN")
