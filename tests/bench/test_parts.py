"""The parts of the benchmarks that compute."""

import json
import os

import pytest

from bench import cpu, load
from bench.report import Figure, percentile, table

STAT = "4242 (a (strange) name) S 17 4242 4242 0 -1 4194304 100 0 0 0 150 50 20 30 20 0 9 0 100 0 0"


def test_cpu_is_own_and_that_of_ended_children() -> None:
    ticks = os.sysconf("SC_CLK_TCK")

    assert cpu.seconds_of(STAT) == (150 + 50 + 20 + 30) / ticks
    assert cpu.parent_of(STAT) == 17


def test_this_process_has_used_some() -> None:
    assert cpu.tree([os.getpid()]) > 0


@pytest.mark.parametrize(("share", "expected"), [(0.5, 50), (0.95, 95), (0.99, 99), (1.0, 100), (0.0, 1)])
def test_percentiles_are_values_that_occurred(share: float, expected: float) -> None:
    assert percentile([float(value) for value in range(100, 0, -1)], share) == expected


def test_no_values_have_no_percentile() -> None:
    with pytest.raises(ValueError, match="no values"):
        percentile([], 0.5)


def figure(name: str, web: float) -> Figure:
    return Figure(
        name=name,
        requests=10,
        seconds=2,
        web=web,
        worker=1,
        postgres=0.5,
        redis=0.25,
        latencies=[1, 2, 3],
        goal="≤ 5",
    )


def test_the_table_gives_every_row_as_a_ratio_to_the_floor() -> None:
    rows = table([figure("floor", 0.25), figure("other", 2.25)]).splitlines()

    assert len(rows) == 3
    assert rows[1].split()[:4] == ["floor", "10", "5", "2.00"]
    assert " 2.0 " in rows[2]
    assert rows[2].endswith("≤ 5")


def test_json_has_the_sums() -> None:
    found = figure("x", 1.0).as_json()

    assert (found["total_ms"], found["per_second"], found["p50_ms"]) == (2.75, 5.0, 2)
    assert "latencies" not in found


def test_reports_are_compact_ascii_and_signed() -> None:
    body = load.status_report(
        business_account_id="1", phone_number_id="2", deliveries=[("d1", "m1"), ("d2", "m2")], now=1795428012
    )
    statuses = json.loads(body)["entry"][0]["changes"][0]["value"]["statuses"]

    assert b": " not in body
    assert [item["biz_opaque_callback_data"] for item in statuses] == ["d1", "d2"]
    assert load.signature(b'{"t":"x"}', "secret").startswith("sha256=")
    assert load.signature(body, "a") != load.signature(body, "b")


def test_work_is_spread_and_an_error_ends_the_run() -> None:
    seen: list[int] = []

    def act(_thread: int, item: int) -> float:
        seen.append(item)
        return 0.001

    outcome = load.spread(range(20), act, threads=4)

    assert sorted(seen) == list(range(20))
    assert outcome.latencies == [1.0] * 20
    with pytest.raises(ZeroDivisionError):
        load.spread([1], lambda _thread, item: item / 0)


def test_plans_are_asked_for_and_what_was_done_is_undone() -> None:
    """The statements that a run sends are seen; a name of a query is there once."""
    from bench.queries import Seen

    seen = Seen()
    assert seen(lambda sql, *_: sql, "SELECT 1", (), False, None) == "SELECT 1"
    assert seen.statements == [("SELECT 1", ())]


def test_the_table_of_queries_gives_medians_and_a_ratio() -> None:
    from bench import scaling

    found: dict[int, scaling.Measured] = {
        10: {"q": {"ms": [1.0, 2.0, 9.0], "plan": []}},
        1000: {"q": {"ms": [3.0, 3.0, 50.0], "plan": ["Index Scan"]}},
    }

    assert scaling.table(found, {10: "1 MB", 1000: "2 MB"}).splitlines()[-1] == "| q | 2.00 | 3.00 | 1.50 |"
    assert scaling.worst(found) == 1.5
    assert "Index Scan" in scaling.plans(found[1000])
