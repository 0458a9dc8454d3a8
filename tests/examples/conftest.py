"""One demo, with the examples beside it, for all tests of this folder."""

import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack

import pytest
from playwright.sync_api import Browser, Page

from simulator.testing import SimulatorClient
from tests.examples.stand import Stand
from tests.processes import ROOT, clean_environment, demo


def _tell_of_logouts(stand: Stand) -> None:
    """Register where the FastAPI example hears of log-outs: its port is another one in every run."""
    text = (ROOT / "deploy" / "demo.yaml").read_text()
    assert text.count("http://localhost:8002/") == 1
    file = stand.folder / "demo.yaml"
    file.write_text(text.replace("http://localhost:8002/", f"{stand.origin('fastapi')}/"))
    environment = clean_environment(
        AUTHSVC_MODE="demo",
        AUTHSVC_VAR=str(stand.folder),
        DATABASE_URL=f"sqlite:///{stand.folder}/demo.sqlite3",
        SECRET_KEY=(stand.folder / "demo-secret-key").read_text(),
    )
    command = [sys.executable, "manage.py", "apply", str(file)]
    subprocess.run(command, cwd=ROOT, env=environment, check=True, capture_output=True, timeout=60)


@pytest.fixture(scope="session")
def _stand(tmp_path_factory: pytest.TempPathFactory, _browser: Browser) -> Iterator[Stand]:
    folder = tmp_path_factory.mktemp("examples")
    with (
        demo(folder) as (_process, ports),
        SimulatorClient(ports.handsets) as simulator,
        ExitStack() as closing,
    ):
        stand = Stand(ports, simulator, folder, closing)
        _tell_of_logouts(stand)
        yield stand


@pytest.fixture
def stand(_stand: Stand) -> Stand:
    _stand.simulator.reset()
    return _stand


@pytest.fixture
def page(stand: Stand, _browser: Browser) -> Iterator[Page]:
    """A page on which no script fails."""
    context = _browser.new_context(locale="en-HK")
    context.set_default_timeout(10_000)
    page = context.new_page()
    troubles: list[str] = []
    page.on("pageerror", lambda error: troubles.append(str(error)))
    yield page
    context.close()
    assert troubles == []
