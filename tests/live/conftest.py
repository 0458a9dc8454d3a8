"""A demo that really runs, shared by the tests of a module."""

from collections.abc import Iterator
from dataclasses import dataclass, field

import pytest

from simulator.testing import SimulatorClient
from tests.people import Person
from tests.processes import Ports, Running, demo


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


@pytest.fixture(scope="module")
def _demo(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Demo]:
    folder = tmp_path_factory.mktemp("demo")
    with demo(folder) as (process, ports), SimulatorClient(ports.handsets) as simulator:
        yield Demo(process, ports, simulator, str(folder))


@pytest.fixture
def live(_demo: Demo) -> Iterator[Demo]:
    """The module's demo with providers that behave; people leave after the test."""
    _demo.simulator.reset()
    yield _demo
    while _demo.people:
        _demo.people.pop().close()
