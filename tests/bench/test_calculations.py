"""The parts of the benchmarks that compute."""

import json
import os
import time
from dataclasses import replace

import pytest

from bench import capacity, cpu, load, pages, stats
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


def figure(name: str, web: float, *, speed: float = 1.0) -> Figure:
    return Figure(
        name=name,
        requests=10,
        seconds=2,
        web=web,
        worker=1,
        postgres=0.5,
        redis=0.25,
        latencies=[1, 2, 3],
        speed=speed,
        goal="≤ 5",
    )


def test_the_table_gives_every_row_as_a_ratio_to_the_floor() -> None:
    rows = table([figure("floor", 0.25), figure("other", 2.25)]).splitlines()

    assert len(rows) == 3
    assert rows[1].split()[:5] == ["floor", "10", "5", "2.00", "2.00"]
    assert " 2.0 " in rows[2]
    assert rows[2].endswith("≤ 5")


def test_figures_are_scaled_to_the_reference_core() -> None:
    """A core of double speed does in 2 ms what the reference does in 4."""
    raw = figure("x", 0.25, speed=2.0)
    scaled = raw.normalised()

    assert (scaled.web, scaled.worker, scaled.postgres, scaled.redis) == (0.5, 2.0, 1.0, 0.5)
    assert scaled.normalised() == scaled
    assert table([raw]).splitlines()[1].split()[3:5] == ["2.00", "4.00"]
    assert raw.as_json()["normalised_ms"] == 4.0


def test_the_speed_of_a_core_is_measured_while_something_runs() -> None:
    with cpu.CoreSpeed() as core:
        time.sleep(0.12)

    begun = time.thread_time()
    cpu.fixed_work()
    speed = cpu.REFERENCE_SECONDS / (time.thread_time() - begun)
    assert speed / 5 < core.value < speed * 5


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


def test_a_section_of_a_page_is_replaced_and_nothing_else() -> None:
    page = "head\n<!-- a -->\n\nold\n\n<!-- /a -->\ntail <!-- b --><!-- /b -->\n"

    assert pages.replaced(page, name="a", text="new") == page.replace("old", "new")
    assert pages.replaced(page, name="b", text="x").startswith("head\n<!-- a -->\n\nold")
    for name in ("c", "/a"):
        with pytest.raises(ValueError, match="no section"):
            pages.replaced(page, name=name, text="x")


@pytest.mark.parametrize(
    ("path", "names"),
    [("docs/scaling.md", ["queries", "capacity"]), ("docs/reliability.md", ["table", "soak", "backlog"])],
)
def test_what_is_measured_is_in_its_page(path: str, names: list[str]) -> None:
    text = (pages.ROOT / path).read_text()
    for name in names:
        section = text.partition(f"<!-- {name} -->")[2].partition(f"<!-- /{name} -->")[0]
        assert section.strip(), f"{path}: {name} was never measured"


def test_the_model_plans_for_sixty_percent_and_scales_evenly() -> None:
    assert capacity.per_core(4.0) == 250
    assert capacity.cores(3.0, 1000) == pytest.approx(5.0)
    assert capacity.cores(3.0, 10_000) == pytest.approx(10 * capacity.cores(3.0, 1000))


def test_the_model_says_what_each_part_and_the_disk_need() -> None:
    login = figure("login", 2.0)
    written = capacity.Disk(wal=100_000, tables=20_000)

    reading = replace(figure("pages", 1.0), worker=0, postgres=0.1, redis=0)
    rows = capacity.text(login, reading, figure("floor", 0.25), written).splitlines()

    assert "| web | 3.00 | 1.5 | 333 | 0.1 | 0.5 | 5.0 | 50 |" in rows
    assert "| PostgreSQL | 0.60 | 0.3 | 1,667 | 0.0 | 0.1 | 1.0 | 10 |" in rows
    assert "A login writes 10.0 kB of WAL and leaves 2.0 kB in tables and indexes:" in rows
    assert "| 10,000 | 100.0 | 864,000,000 | 1,728.0 | 51,840 |" in rows


def test_what_was_written_in_between() -> None:
    later, earlier = capacity.Disk(wal=9, tables=5), capacity.Disk(wal=4, tables=3)

    assert later.since(earlier) == capacity.Disk(wal=5, tables=2)


@pytest.mark.postgres
@pytest.mark.django_db(transaction=True)
def test_the_disk_is_read_from_the_server() -> None:
    from django.db import connection

    parts = connection.settings_dict
    password = f":{parts['PASSWORD']}" if parts["PASSWORD"] else ""
    server = f"{parts['USER']}{password}@{parts['HOST']}:{parts['PORT'] or 5432}"
    found = capacity.disk(f"postgres://{server}/{parts['NAME']}")

    assert found.wal > 0
    assert found.tables > 0


def test_the_figures_of_the_dashboard_are_a_table() -> None:
    counts = {"counted": 10_000_000, "messages": 101_520, "logins": 25_380, "times": 121_824}

    text = stats.table({"logins, a year": 19.6}, counts, 336_000)

    assert "10,000,000 messages" in text
    assert "1,000 in the hour that is counted" in text
    assert text.endswith("| logins, a year | 20 |")
