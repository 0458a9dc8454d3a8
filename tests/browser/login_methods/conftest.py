"""A demo of its own, whose login methods may be changed, and its admin in Chromium."""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import pytest
from playwright.sync_api import Browser, Page

from tests.processes import Ports, demo
from tests.simulator_client import SimulatorClient


@dataclass
class AdminSite:
    ports: Ports
    simulator: SimulatorClient
    browser: Browser
    password: str
    cookies: Any = None

    def signed_in(self) -> Any:
        """The cookies of one session: staff may sign in a few times a minute."""
        if self.cookies is None:
            with self.browser.new_context(base_url=self.ports.base) as context:
                page = context.new_page()
                page.goto("/admin/login/?next=/admin/projects/loginmethods/")
                page.locator("[name=username]").fill("admin")
                page.locator("[name=password]").fill(self.password)
                page.locator("[name=password]").press("Enter")
                page.wait_for_url("**/change/")
                self.cookies = context.storage_state()
        return self.cookies


@pytest.fixture(scope="module")
def admin_site(tmp_path_factory: pytest.TempPathFactory, _browser: Browser) -> Iterator[AdminSite]:
    with (
        demo(tmp_path_factory.mktemp("methods"), from_nothing=False) as (process, ports),
        SimulatorClient(ports.handsets) as simulator,
    ):
        found = re.search(r"admin / (\S+)", process.output)
        assert found, process.output
        yield AdminSite(ports, simulator, _browser, found[1])


@contextmanager
def opened(
    site: AdminSite, *, width: int = 1280, scripts: bool = True, scheme: str = "light"
) -> Iterator[Page]:
    """The login methods page, signed in. Script errors and policy violations fail the test."""
    context = site.browser.new_context(
        base_url=site.ports.base,
        storage_state=site.signed_in(),
        viewport={"width": width, "height": 900},
        java_script_enabled=scripts,
        color_scheme="dark" if scheme == "dark" else "light",
        locale="en-HK",
    )
    context.set_default_timeout(15_000)
    page = context.new_page()
    errors: list[str] = []
    page.on("pageerror", lambda error: errors.append(str(error)))
    page.goto("/admin/projects/loginmethods/")
    yield page
    context.close()
    assert errors == []


@pytest.fixture
def methods(admin_site: AdminSite) -> Iterator[Page]:
    with opened(admin_site) as page:
        yield page


@pytest.fixture
def plain(admin_site: AdminSite) -> Iterator[Page]:
    """The same without scripts."""
    with opened(admin_site, scripts=False) as page:
        yield page
