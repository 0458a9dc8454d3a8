"""Chromium against a demo that really runs."""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, BrowserContext, Page

from tests.processes import Ports, demo, until
from tests.simulator_client import SimulatorClient


@dataclass
class Site:
    ports: Ports
    simulator: SimulatorClient
    browser: Browser
    folder: Path  # of its data
    password: str = ""  # of the admin
    people: int = 0
    _cookies: Any = None

    def signed_in(self) -> Any:
        """The cookies of one session of staff, who may sign in a few times a minute."""
        if self._cookies is None:
            with self.browser.new_context(base_url=self.ports.base) as context:
                page = context.new_page()
                page.goto("/admin/")
                page.locator("[name=username]").fill("admin")
                page.locator("[name=password]").fill(self.password)
                page.locator("[name=password]").press("Enter")
                page.wait_for_url("**/admin/")
                self._cookies = context.storage_state()
        return self._cookies

    def number(self) -> str:
        """An unused number in its national form for Hong Kong; `+852` makes it whole."""
        self.people += 1
        return f"52{1_000_00 + self.people:06}"


@contextmanager
def made(folder: Path, browser: Browser) -> Iterator[Site]:
    with demo(folder, from_nothing=False) as (process, ports), SimulatorClient(ports.handsets) as simulator:
        password = until(lambda: re.search(r"admin / (\S+)", process.output), "the admin's password")
        assert password
        yield Site(ports, simulator, browser, folder, password[1])


@pytest.fixture(scope="session")
def _site(tmp_path_factory: pytest.TempPathFactory, _browser: Browser) -> Iterator[Site]:
    with made(tmp_path_factory.mktemp("demo"), _browser) as site:
        yield site


@pytest.fixture
def site(_site: Site) -> Site:
    _site.simulator.reset()
    return _site


@pytest.fixture
def context(site: Site) -> Iterator[BrowserContext]:
    context = site.browser.new_context(
        base_url=site.ports.base, viewport={"width": 390, "height": 844}, locale="en-HK"
    )
    context.set_default_timeout(10_000)
    yield context
    context.close()


@pytest.fixture
def page(context: BrowserContext) -> Iterator[Page]:
    """A page whose script errors and policy violations fail the test."""
    page = context.new_page()
    errors: list[str] = []
    page.on("pageerror", lambda error: errors.append(str(error)))
    page.on(
        "console",
        lambda message: errors.append(message.text) if "Content Security" in message.text else None,
    )
    yield page
    assert errors == []
