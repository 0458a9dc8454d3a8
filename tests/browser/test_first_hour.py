"""The first hour: from an empty database to a first login in admin pages only, on a computer and on a phone."""

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, BrowserContext, expect

from scripts.services import free_port
from tests import databases
from tests.browser.walk import MOST_CLICKS, Walk, fits
from tests.processes import ROOT, clean_environment, running

pytestmark = [pytest.mark.browser, pytest.mark.xdist_group("browser")]

PASSWORD = "a long enough password"  # made up


@pytest.fixture
def base(tmp_path: Path) -> Iterator[str]:
    """An empty database after `createsuperuser`, served by one process."""
    databases.copy_sqlite(tmp_path / "empty.sqlite3")
    port = free_port()
    environment = {
        "AUTHSVC_MODE": "test",
        "AUTHSVC_VAR": str(tmp_path),
        "DATABASE_URL": f"sqlite:///{tmp_path / 'empty.sqlite3'}",
        "SECRET_KEY": "a-secret-key-of-this-test-0123456789-abcdefghij",
        "PORT": str(port),
        "DJANGO_SUPERUSER_PASSWORD": PASSWORD,
    }
    for arguments in (["migrate", "-v0"], ["createsuperuser", "--noinput", "--username", "admin"]):
        command = [sys.executable, "manage.py", *arguments]
        subprocess.run(
            command, cwd=ROOT, env=clean_environment(**environment), check=True, capture_output=True
        )
    with running(["manage.py", "serve"], **environment) as process:
        process.wait_for(f"http://localhost:{port}/readyz")
        yield f"http://localhost:{port}"


@pytest.fixture(params=[(390, "dark"), (1300, "light")], ids=["phone", "computer"])
def context(request: pytest.FixtureRequest, _browser: Browser, base: str) -> Iterator[BrowserContext]:
    width, scheme = request.param
    context = _browser.new_context(
        base_url=base, viewport={"width": width, "height": 900}, color_scheme=scheme, locale="en"
    )
    context.set_default_timeout(15_000)
    yield context
    context.close()


def test_from_nothing_to_a_first_login(context: BrowserContext, base: str) -> None:
    page = context.new_page()
    errors: list[str] = []
    page.on("pageerror", lambda error: errors.append(str(error)))
    walk = Walk(page)
    page.goto("/admin/")
    page.locator("[name=username]").fill("admin")
    page.locator("[name=password]").fill(PASSWORD)
    walk.click(page.get_by_role("button", name="Log in"))

    # The list says where to begin.
    assert walk.states == ["next", "later", "later", "later", "later"]
    assert fits(page)
    walk.click(page.get_by_role("link", name="New project"))
    assert fits(page)
    page.get_by_label("Name", exact=True).fill("Acme Shop")
    page.get_by_label("Filter the countries").fill("hong")
    walk.click(page.get_by_label("Hong Kong SAR China (+852)"))
    walk.click(page.get_by_role("button", name="Create the project"))

    # What to copy; the secret is shown once.
    expect(page.get_by_text("shown only once")).to_be_visible()
    expect(page.get_by_text("Nobody can log in yet: no sender for WhatsApp, SMS.")).to_be_visible()
    assert fits(page)

    # A rehearsal, in which WhatsApp fails.
    walk.click(page.get_by_role("link", name="rehearse a login first"))
    assert fits(page)
    walk.choose(page.get_by_label("The WhatsApp message"), "failed")
    walk.click(page.get_by_role("button", name="Start"))
    number = page.locator("p.text-xl").inner_text()
    code = rehearse(walk, base, number)
    assert len(code) == 6
    assert fits(page)

    walk.click(page.get_by_role("link", name="Timeline"))
    expect(page.get_by_text("Verified: the right code was typed")).to_be_visible()
    page.goto("/admin/")
    assert walk.states == ["done", "next", "done", "done", "later"]  # a rehearsal is no login of a person
    assert walk.clicks <= MOST_CLICKS, walk.clicks
    assert errors == []


def rehearse(walk: Walk, base: str, number: str) -> str:
    """Log in on the hosted page, in a browser of its own, with the code that the admin's page shows."""
    browser = walk.page.context.browser
    assert browser
    window = browser.new_context(base_url=base, locale="en")
    person = window.new_page()
    person.goto("/login/")
    person.locator("input[name=phone]").fill(number)
    walk.click(person.locator("form:has(input[name=phone]) button.primary"))
    person.wait_for_url("**/login/code/")

    shown = walk.page.locator("[data-code]")
    shown.wait_for()
    live = walk.page.locator("#live")
    expect(live).to_contain_text("WhatsApp: failed (unreachable)")
    expect(live).to_contain_text("SMS: delivered")
    code = shown.inner_text()
    person.locator("input[name=code]").fill(code)  # a whole code is sent by the page itself
    person.wait_for_url("**/account/")
    expect(live).to_contain_text("verified")
    window.close()
    return code
