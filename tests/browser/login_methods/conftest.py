"""A demo of its own, whose login methods may be changed, and its admin in Chromium."""

from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from playwright.sync_api import Browser, Page

from tests.browser.conftest import Site, made


@pytest.fixture(scope="module")
def admin_site(tmp_path_factory: pytest.TempPathFactory, _browser: Browser) -> Iterator[Site]:
    with made(tmp_path_factory.mktemp("methods"), _browser) as site:
        yield site


@contextmanager
def opened(site: Site, *, width: int = 1280, scripts: bool = True, scheme: str = "light") -> Iterator[Page]:
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
def methods(admin_site: Site) -> Iterator[Page]:
    with opened(admin_site) as page:
        yield page


@pytest.fixture
def plain(admin_site: Site) -> Iterator[Page]:
    """The same without scripts."""
    with opened(admin_site, scripts=False) as page:
        yield page
