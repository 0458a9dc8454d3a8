"""The simulator plays Meta over real HTTP, and posts its events here."""

import threading
import uuid
from collections.abc import Iterator
from http.server import ThreadingHTTPServer

import pytest

from projects.config import ProjectConfig
from tests import factories
from tests.otp.conftest import QueuedTasks, Start
from tests.otp.template_trouble.support import LogIn, make_sender
from tests.simulator.support import Receiver, make_receiver_server
from tests.simulator_client import RunningSimulator, SimulatorClient
from tests.simulator_client import start as start_simulator


@pytest.fixture(scope="module")
def receiver() -> Iterator[Receiver]:
    receiver = Receiver()
    server: ThreadingHTTPServer = make_receiver_server(receiver)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    yield receiver
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture(scope="module")
def running(receiver: Receiver) -> Iterator[RunningSimulator]:
    with start_simulator(webhook_url=f"{receiver.url}/whatsapp/webhook") as running:
        yield running


@pytest.fixture
def meta(running: RunningSimulator, receiver: Receiver, settings: object) -> Iterator[SimulatorClient]:
    receiver.start_test()
    running.webhook_url = f"{receiver.url}/whatsapp/webhook"
    settings.PROVIDER_API_URLS = {"whatsapp": running.graph_url}  # type: ignore[attr-defined] # pytest-django's
    with running.client() as client:
        client.reset()
        yield client
        client.reset()


@pytest.fixture
def project(db: None, meta: SimulatorClient) -> ProjectConfig:
    """The list of the fault: `es_MX` is paused, `sw` does not exist."""
    make_sender(["en", "es_MX", "sw"])
    factories.make_sender("sms")
    project = factories.make_project()
    factories.make_endpoint(project)
    return project


@pytest.fixture
def log_in(start: Start, queued: QueuedTasks) -> LogIn:
    """One more person, who reads `language`."""
    numbers = iter(range(100, 1000))

    def one(language: str, **fields: object) -> uuid.UUID:
        nth = next(numbers)
        challenge_id = start(
            f"+85251234{nth}", language=language, address=f"198.51.100.{nth % 250}", **fields
        )
        queued.run()
        return challenge_id

    return one
