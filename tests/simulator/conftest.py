"""One simulator and one receiver for all tests here; each test starts from an empty state."""

from collections.abc import Iterator

import pytest

from tests.simulator.support import Receiver, receiving
from tests.simulator_client import RunningSimulator, SimulatorClient, start


@pytest.fixture(scope="session")
def receiver_of_session() -> Iterator[Receiver]:
    with receiving() as receiver:
        yield receiver


@pytest.fixture(scope="session")
def simulator_of_session(receiver_of_session: Receiver) -> Iterator[RunningSimulator]:
    with start(webhook_url=receiver_of_session.url) as running:
        yield running


@pytest.fixture(scope="session")
def client_of_session(simulator_of_session: RunningSimulator) -> Iterator[SimulatorClient]:
    with simulator_of_session.client() as client:
        yield client


@pytest.fixture
def client(client_of_session: SimulatorClient, simulator: RunningSimulator) -> SimulatorClient:
    return client_of_session


@pytest.fixture
def simulator(
    simulator_of_session: RunningSimulator, receiver_of_session: Receiver
) -> Iterator[RunningSimulator]:
    receiver_of_session.start_test()
    simulator_of_session.webhook_url = f"{receiver_of_session.url}/whatsapp/webhook"
    yield simulator_of_session
    simulator_of_session.simulator.reset()


@pytest.fixture
def receiver(receiver_of_session: Receiver, simulator: RunningSimulator) -> Receiver:
    """The receiver, empty."""
    return receiver_of_session
