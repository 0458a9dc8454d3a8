"""Keys that contain their time, work in batches, and the histogram of a login."""

import time
import uuid
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from prometheus_client import REGISTRY
from structlog.contextvars import bound_contextvars

from core import batches, ids, metrics

MOMENT = datetime(2026, 11, 26, 12, 0, 0, 123_000, tzinfo=UTC)


def test_a_new_key_is_a_uuid_7_that_contains_its_time() -> None:
    before = datetime.now(tz=UTC) - timedelta(milliseconds=1)
    key = ids.new_id()

    assert key.version == 7
    assert before <= ids.time_of(key) <= datetime.now(tz=UTC)


@pytest.mark.parametrize(("bound", "expected"), [({"request_id": "r-1"}, "r-1"), ({"other": "x"}, "")])
def test_the_id_of_the_request_is_that_of_its_log_lines(bound: dict[str, str], expected: str) -> None:
    with bound_contextvars(**bound):
        assert ids.request_id() == expected


def test_later_keys_are_larger() -> None:
    first = ids.new_id()
    time.sleep(0.002)

    assert first < ids.new_id()


@given(
    st.integers(1_600_000_000, 4_000_000_000).map(
        lambda seconds: datetime.fromtimestamp(seconds + 0.5, tz=UTC)
    )
)
def test_the_oldest_key_of_a_moment_has_its_time(moment: datetime) -> None:
    key = ids.oldest_id_at(moment)

    assert key.version == 7
    assert timedelta(0) <= moment - ids.time_of(key) < timedelta(milliseconds=2)


def test_the_oldest_key_of_a_moment_is_between_its_neighbours() -> None:
    oldest = ids.oldest_id_at(MOMENT)
    random = uuid.UUID(int=(oldest.int >> 80 << 80) | (7 << 76) | (2 << 62) | 1)

    assert ids.oldest_id_at(MOMENT - timedelta(milliseconds=1)) < oldest < random
    assert random < ids.oldest_id_at(MOMENT + timedelta(milliseconds=1))


@pytest.mark.parametrize(
    ("rows", "total", "steps"), [([], 0, 1), ([2], 2, 1), ([3], 3, 2), ([3, 3, 1], 7, 3), ([3, 3, 3], 9, 4)]
)
def test_batches_run_until_one_is_not_full(rows: list[int], total: int, steps: int) -> None:
    waiting, sizes = list(rows), list[int]()

    def step(size: int) -> int:
        sizes.append(size)
        return waiting.pop(0) if waiting else 0

    assert batches.run(step, batch=3, seconds=None) == total
    assert sizes == [3] * steps


@pytest.mark.parametrize(("seconds", "steps"), [(0.0, 1), (2.5, 3), (3.0, 4)])
def test_batches_end_after_their_time(seconds: float, steps: int, monkeypatch: pytest.MonkeyPatch) -> None:
    clock = [100.0]
    monkeypatch.setattr(time, "monotonic", lambda: clock[0])

    def step(size: int) -> int:
        clock[0] += 1
        return size

    assert batches.run(step, batch=2, seconds=seconds) == 2 * steps


@pytest.mark.parametrize(("seconds", "observed"), [(4.0, 4.0), (-1.0, 0.0)])
def test_a_stage_is_observed_from_the_start_of_its_challenge(seconds: float, observed: float) -> None:
    labels = {"stage": "sent", "channel": f"test{seconds}"}
    metrics.reached(
        stage="sent",
        channel=labels["channel"],
        challenge_id=ids.oldest_id_at(MOMENT),
        at=MOMENT + timedelta(seconds=seconds),
    )

    assert REGISTRY.get_sample_value("authsvc_since_start_seconds_sum", labels) == pytest.approx(observed)
    assert REGISTRY.get_sample_value("authsvc_since_start_seconds_count", labels) == 1
