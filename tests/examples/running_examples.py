"""The sample applications of examples/, each a process of its own, beside a demo that really runs."""

import os
import shutil
import sqlite3
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack, closing, contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from playwright.sync_api import Page, expect

from scripts.services import free_port
from tests.processes import ROOT, Ports, Running, clean_environment, started
from tests.simulator_client import SimulatorClient

NAMES = ("django", "fastapi", "express", "spa")
_NPM_SECONDS = 120


@dataclass
class RunningExamples:
    """A demo, and the examples that were started so far, in copies below `folder`."""

    ports: Ports
    simulator: SimulatorClient
    folder: Path
    closing: ExitStack
    web: dict[str, int] = field(default_factory=lambda: {name: free_port() for name in NAMES})
    started: dict[str, Running] = field(default_factory=dict)
    people: int = 0

    def origin(self, name: str) -> str:
        return f"http://localhost:{self.web[name]}"

    def url(self, name: str) -> str:
        """The first page of an example, which is started at the first call."""
        url = f"{self.origin(name)}/"
        if name not in self.started:
            self.started[name] = self.closing.enter_context(START[name](self, self.copy(name)))
            self.started[name].wait_for(url)
        return url

    def copy(self, name: str) -> Path:
        """An example in a folder of its own: what it makes there is no part of the checkout."""
        folder = self.folder / name
        if not folder.exists():
            leave_out = shutil.ignore_patterns("node_modules", "*.sqlite3", "__pycache__")
            shutil.copytree(ROOT / "examples" / name, folder, ignore=leave_out)
        return folder

    def settings(self, name: str) -> dict[str, str]:
        return {"ISSUER": self.ports.base, "PORT": str(self.web[name])}

    def rows(self, question: str, *values: object) -> list[tuple[object, ...]]:
        """What the demo's database answers."""
        with closing(sqlite3.connect(self.folder / "demo.sqlite3", timeout=10)) as connection:
            return connection.execute(question, values).fetchall()

    def number(self) -> str:
        """An unused number, in its national form for Hong Kong."""
        self.people += 1
        return f"53{1_000_00 + self.people:06}"

    def sign_in(self, page: Page) -> str:
        """Log in as a new person on the login page that `page` shows; their number in E.164."""
        number = self.number()
        page.locator("select[name=country]").select_option("HK")
        page.locator("input[name=phone]").fill(number)
        page.locator("form:has(input[name=phone]) button[type=submit]").first.click()
        page.wait_for_url("**/login/code/**")
        page.locator("input[name=code]").fill(self.simulator.wait_for_code(f"+852{number}"))
        return f"+852{number}"

    def log_in(self, page: Page, name: str) -> str:
        """From an example's first page to its second."""
        page.goto(self.url(name))
        page.get_by_text("Log in").click()
        phone = self.sign_in(page)
        expect(page.get_by_role("heading", name=f"Hello, {phone}")).to_be_visible()
        return phone


type Start = Callable[[RunningExamples, Path], AbstractContextManager[Running]]


@contextmanager
def _django(examples: RunningExamples, folder: Path) -> Iterator[Running]:
    environment = {**examples.settings("django"), "DJANGO_SETTINGS_MODULE": "settings"}
    migrate = [sys.executable, "-m", "django", "migrate", "--verbosity", "0"]
    subprocess.run(migrate, cwd=folder, env=clean_environment(**environment), check=True, timeout=60)
    command = [sys.executable, "-m", "django", "runserver", str(examples.web["django"]), "--noreload"]
    with started(command, folder=folder, environment=environment) as process:
        yield process


@contextmanager
def _fastapi(examples: RunningExamples, folder: Path) -> Iterator[Running]:
    port = str(examples.web["fastapi"])
    command = [sys.executable, "-m", "granian", "--interface", "asgi", "--port", port, "app:app"]
    with started(command, folder=folder, environment=examples.settings("fastapi")) as process:
        yield process


def _node(name: str, script: str) -> Start:
    @contextmanager
    def start(examples: RunningExamples, folder: Path) -> Iterator[Running]:
        npm_install(folder)
        # What `npm start` runs; npm itself does not pass SIGTERM on.
        with started([tool("node"), script], folder=folder, environment=examples.settings(name)) as process:
            yield process

    return start


START: dict[str, Start] = {
    "django": _django,
    "fastapi": _fastapi,
    "express": _node("express", "app.js"),
    "spa": _node("spa", "serve.js"),
}


def tool(name: str) -> str:
    """Node.js or npm: NODE and NPM when `make test` found them, else those of PATH."""
    path = os.environ.get(name.upper()) or shutil.which(name)
    assert path, f"{name} is missing: install Node.js 20 or newer with npm, or run the tests with `make test`"
    return path


def npm_install(folder: Path) -> None:
    """What package.json names, from npm's cache when it is there."""
    command = [tool("npm"), "install", "--no-audit", "--no-fund", "--no-package-lock", "--prefer-offline"]
    done = subprocess.run(
        command, cwd=folder, capture_output=True, text=True, timeout=_NPM_SECONDS, check=False
    )
    assert done.returncode == 0, f"npm install failed in a copy of examples/{folder.name}:\n{done.stderr}"
