"""Faults on purpose, with real processes: nothing lost, nothing doubled, nothing after the login."""

from collections.abc import Iterator

import pytest

from tests.faults import backlog, soak
from tests.faults.scenarios import SCENARIOS, Scenario
from tests.faults.stack import Stack, stack

pytestmark = [pytest.mark.processes, pytest.mark.postgres, pytest.mark.xdist_group("faults")]


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    with stack(tmp_path_factory.mktemp("faults")) as processes:
        yield processes


@pytest.mark.parametrize("scenario", SCENARIOS, ids=lambda scenario: scenario.name.replace(" ", "-"))
def test_nothing_is_lost_or_doubled(scenario: Scenario, running: Stack) -> None:
    row, notes = scenario.run(running)

    assert row.is_good, (row, notes)
    assert row.started > 0
    assert row.unanswered == 0, (row, notes)


def test_a_steady_stream_meets_no_error(running: Stack) -> None:
    """The ten minutes of docs/reliability.md in small; memory is judged there."""
    result = soak.run(running, minutes=0.2, per_second=4)

    assert result.errors == 0, result.line
    assert result.logins == 48


def test_a_backlog_drains_without_a_queue_and_fresh_logins_do_not_wait(running: Stack) -> None:
    """A hundred thousand of them: docs/reliability.md."""
    result = backlog.run(running, rows=1500)

    assert (result.unsent, result.sent_twice) == (0, 0), result.line
    assert result.longest_queue < 50, result.line
    assert result.fresh >= 5
    assert result.fresh_slowest < 5, result.line
