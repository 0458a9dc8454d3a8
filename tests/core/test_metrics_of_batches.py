"""Short ways to count: the same as the library's own calls, in the process and in the files of several."""

import subprocess
import sys
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from prometheus_client import CollectorRegistry, Counter, Histogram
from prometheus_client.multiprocess import MultiProcessCollector

from core import ids, metrics
from tests.processes import ROOT, clean_environment

BUCKETS = (0.05, 0.25, 1, 5)
SECONDS = [0.0, 0.05, 0.050001, 0.25, 1, 4.9, 5, 5.1, 1e9, 0.25, -3.0]


def histogram() -> tuple[CollectorRegistry, Histogram]:
    registry = CollectorRegistry()
    return registry, Histogram("seconds", "s", ["channel"], buckets=BUCKETS, registry=registry)


def samples(registry: CollectorRegistry) -> dict[tuple[str, str], float]:
    """By name and upper bound, without the time when the histogram was made."""
    return {
        (sample.name, sample.labels.get("le", "")): sample.value
        for family in registry.collect()
        for sample in family.samples
        if not sample.name.endswith("_created")
    }


@given(st.lists(st.sampled_from(SECONDS) | st.floats(0, 400)))
def test_many_at_once_are_counted_as_one_after_the_other(seconds: list[float]) -> None:
    one_by_one, at_once = histogram(), histogram()

    for value in seconds:
        one_by_one[1].labels("sms").observe(max(value, 0.0))
    metrics.observe_many(at_once[1].labels("sms"), iter(seconds))
    if not seconds:
        one_by_one[1].labels("sms")

    assert samples(at_once[0]) == pytest.approx(samples(one_by_one[0]))


@given(st.sampled_from(SECONDS) | st.floats(-1, 400))
def test_one_is_counted_as_the_library_counts_it(seconds: float) -> None:
    ours, theirs = histogram(), histogram()

    metrics.observe(ours[1].labels("sms"), seconds)
    theirs[1].labels("sms").observe(max(seconds, 0.0))

    assert samples(ours[0]) == pytest.approx(samples(theirs[0]))


class Channel(StrEnum):
    SMS = "sms"


@pytest.mark.parametrize("value", ["sms", Channel.SMS])
def test_a_metric_with_labels_is_the_one_that_the_library_keeps(value: str) -> None:
    registry, seconds = histogram()

    first = metrics.labelled(seconds, value)

    assert (
        first is seconds.labels("sms") is metrics.labelled(seconds, value) is metrics.labelled(seconds, "sms")
    )
    assert samples(registry)["seconds_count", ""] == 0
    seconds.remove("sms")
    assert metrics.labelled(seconds, value) is not first


def test_labels_that_are_no_text_are_those_of_their_text() -> None:
    _, seconds = histogram()

    assert metrics.labelled(seconds, 200) is seconds.labels("200")  # type: ignore[arg-type]


@pytest.mark.parametrize("labels", [[], ["sms", "more"]])
def test_other_labels_than_the_metric_has_are_refused(labels: list[str]) -> None:
    with pytest.raises(ValueError, match="label count"):
        metrics.labelled(histogram()[1], *labels)


def test_one_more_is_one_more_of_these_labels() -> None:
    registry = CollectorRegistry()
    counter = Counter("seen", "s", ["channel", "cause"], registry=registry)

    metrics.count(counter, Channel.SMS, "a")
    metrics.count(counter, "sms", "a")
    counter.labels("sms", "a").inc()
    metrics.count(counter, "sms", "b")

    assert registry.get_sample_value("seen_total", {"channel": "sms", "cause": "a"}) == 3
    assert registry.get_sample_value("seen_total", {"channel": "sms", "cause": "b"}) == 1


def test_a_second_batch_adds_to_the_first() -> None:
    registry, seconds = histogram()
    for _ in range(2):
        metrics.observe_many(seconds.labels("sms"), [0.01, 3])

    assert samples(registry)["seconds_count", ""] == 4
    assert samples(registry)["seconds_bucket", "0.05"] == 2
    assert samples(registry)["seconds_sum", ""] == pytest.approx(6.02)


def test_in_the_files_of_several_processes_too(tmp_path: Path) -> None:
    """As web processes count: buckets are added when they are read."""
    code = (
        f"from core import metrics; values = {SECONDS}\n"
        "metrics.observe_many(metrics.WEBHOOK_LAG.labels('at once'), values)\n"
        "for value in values: metrics.observe(metrics.labelled(metrics.WEBHOOK_LAG, 'our own'), value)\n"
        "for value in values: metrics.WEBHOOK_LAG.labels('one by one').observe(max(value, 0.0))\n"
        "metrics.count(metrics.LIMITED, 'of this test')"
    )
    for _ in range(2):
        environment = clean_environment(PROMETHEUS_MULTIPROC_DIR=str(tmp_path), PYTHONDONTWRITEBYTECODE="1")
        subprocess.run([sys.executable, "-c", code], cwd=ROOT, env=environment, check=True)
    registry = CollectorRegistry()
    MultiProcessCollector(registry, path=str(tmp_path))  # type: ignore[no-untyped-call] # not annotated
    values: dict[str, dict[tuple[str, str], float]] = {"at once": {}, "our own": {}, "one by one": {}}
    families = {item.name: item for item in registry.collect()}
    for sample in families["authsvc_webhook_lag_seconds"].samples:
        values[sample.labels["channel"]][sample.name, sample.labels.get("le", "")] = sample.value

    assert values["at once"] == values["our own"] == pytest.approx(values["one by one"])
    assert [sample.value for sample in families["authsvc_limits_refused"].samples] == [2]
    assert values["at once"]["authsvc_webhook_lag_seconds_count", ""] == 2 * len(SECONDS)


def test_a_stage_is_reached_so_long_after_the_start_that_the_key_contains() -> None:
    moment = datetime(2026, 11, 26, 12, tzinfo=UTC)
    child = metrics.SINCE_START.labels("sent", "of this test")

    for later in (0.4, -3):  # clocks differ
        at = moment + timedelta(seconds=later)
        metrics.reached(stage="sent", channel="of this test", challenge_id=ids.oldest_id_at(moment), at=at)

    assert child._sum.get() == pytest.approx(0.4)
    assert sum(bucket.get() for bucket in child._buckets) == 2


def test_the_text_of_a_key_contains_the_same_start() -> None:
    key = ids.new_id()

    assert ids.seconds_of_text(str(key)) == ids.seconds_of(key)
