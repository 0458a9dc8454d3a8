"""One demo, with the examples beside it, for all tests of this folder."""

import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack

import pytest
from playwright.sync_api import Browser, Page

from tests.examples.running_examples import RunningExamples
from tests.processes import ROOT, clean_environment, demo
from tests.simulator_client import SimulatorClient


def _tell_of_logouts(examples: RunningExamples) -> None:
    """Register where the FastAPI example hears of log-outs: its port is another one in every run."""
    text = (ROOT / "deploy" / "demo.yaml").read_text()
    assert text.count("http://localhost:8002/") == 1
    file = examples.folder / "demo.yaml"
    file.write_text(text.replace("http://localhost:8002/", f"{examples.origin('fastapi')}/"))
    environment = clean_environment(
        AUTHSVC_MODE="demo",
        AUTHSVC_VAR=str(examples.folder),
        DATABASE_URL=f"sqlite:///{examples.folder}/demo.sqlite3",
        SECRET_KEY=(examples.folder / "demo-secret-key").read_text(),
    )
    command = [sys.executable, "manage.py", "apply", str(file)]
    subprocess.run(command, cwd=ROOT, env=environment, check=True, capture_output=True, timeout=60)


@pytest.fixture(scope="session")
def _examples(tmp_path_factory: pytest.TempPathFactory, _browser: Browser) -> Iterator[RunningExamples]:
    folder = tmp_path_factory.mktemp("examples")
    with (
        demo(folder, from_nothing=False) as (_process, ports),
        SimulatorClient(ports.handsets) as simulator,
        ExitStack() as closing,
    ):
        examples = RunningExamples(ports, simulator, folder, closing)
        _tell_of_logouts(examples)
        yield examples


@pytest.fixture
def examples(_examples: RunningExamples) -> RunningExamples:
    _examples.simulator.reset()
    return _examples


@pytest.fixture
def page(examples: RunningExamples, _browser: Browser) -> Iterator[Page]:
    """A page on which no script fails."""
    context = _browser.new_context(locale="en-HK")
    context.set_default_timeout(10_000)
    page = context.new_page()
    troubles: list[str] = []
    page.on("pageerror", lambda error: troubles.append(str(error)))
    yield page
    context.close()
    assert troubles == []
