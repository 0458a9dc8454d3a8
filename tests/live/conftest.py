"""A demo that really runs, shared by the tests of a module."""

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from tests.live.site import _original, meet, site  # noqa: F401 # fixtures
from tests.people import Person
from tests.processes import Ports, Running, demo
from tests.simulator_client import SimulatorClient


@dataclass
class Demo:
    process: Running
    ports: Ports
    simulator: SimulatorClient
    folder: str
    people: list[Person] = field(default_factory=list)
    _next: int = 0

    def person(self) -> Person:
        """Somebody new, with a number of their own."""
        self._next += 1
        found = Person(self.ports, f"+8525{1_000_000 + self._next:07}")
        self.people.append(found)
        return found

    def heal(self) -> None:
        """Forget the senders' troubles: the faults of the last test must not send this one's SMS first."""
        with (
            closing(sqlite3.connect(Path(self.folder) / "demo.sqlite3", timeout=10)) as connection,
            connection,
        ):
            healed = [
                connection.execute(f"DELETE FROM {table}").rowcount  # names of ours
                for table in ("channels_senderhealth", "channels_sendernotice")
            ]
            if any(healed):
                connection.execute("UPDATE projects_configversion SET value = value + 1")


@pytest.fixture(scope="module")
def _demo(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Demo]:
    folder = tmp_path_factory.mktemp("demo")
    with demo(folder) as (process, ports), SimulatorClient(ports.handsets) as simulator:
        yield Demo(process, ports, simulator, str(folder))


@pytest.fixture
def live(_demo: Demo) -> Iterator[Demo]:
    """The module's demo with providers that behave; people leave after the test."""
    _demo.simulator.reset()
    _demo.heal()
    yield _demo
    while _demo.people:
        _demo.people.pop().close()
