"""Every page of the admin on a desk and on a phone: nothing that axe-core finds, nothing wider than the screen."""

import json
import sqlite3
import uuid
from collections.abc import Iterator
from contextlib import closing
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe  # type: ignore[import-untyped] # not annotated
from django.contrib import admin
from playwright.sync_api import Page

from tests.browser.conftest import Site
from tests.browser.walk import fits
from tests.people import Person

pytestmark = [pytest.mark.browser, pytest.mark.xdist_group("browser")]

# Pages that no list leads to.
BESIDE = (
    "/admin/",
    "/admin/setup/",
    "/admin/projects/project/add/",
    "/admin/channels/sender/add/",
    "/admin/channels/sender/add/?channel=whatsapp&provider=meta",
    "/admin/channels/sender/add/?channel=sms&provider=twilio",
    "/admin/security/",
    "/admin/sessions/",
    "/admin/password_change/",
)


@pytest.fixture(params=[(1280, "light"), (390, "dark")], ids=["desk", "phone"])
def page(request: pytest.FixtureRequest, _site: Site) -> Iterator[Page]:
    width, scheme = request.param
    context = _site.browser.new_context(
        base_url=_site.ports.base,
        storage_state=_site.signed_in(),
        viewport={"width": width, "height": 900},
        color_scheme=scheme,
        locale="en",
    )
    context.set_default_timeout(15_000)
    log_in(_site)
    yield context.new_page()
    context.close()


def log_in(site: Site) -> None:
    """So that there are a user, a message and events to look at."""
    person = Person(site.ports, f"+852{site.number()}")
    person.ask_for_code()
    assert person.type_code(person.wait_for_code("whatsapp")).status_code == 302
    person.close()


def problems(page: Page, address: str) -> list[str]:
    """What is wrong with a page, each with its place."""
    answer = page.goto(address)
    if answer is None or answer.status != 200:
        return [f"{address}: answers {answer and answer.status}"]
    response: Any = Axe().run(page).response
    found = [
        f"{address}: {violation['id']}: {node['target']} {node['html'][:120]}"
        for violation in response["violations"]
        for node in violation["nodes"][:3]
    ]
    return found if fits(page) else [*found, f"{address}: is wider than the screen"]


def opened(page: Page, name: str) -> list[str]:
    """A list, the form of a new row, and the first one."""
    address = f"/admin/{name}/"
    page.goto(address)
    rows = page.locator("#result_list th a").evaluate_all("links => links.map(link => link.pathname)")
    adding = page.locator(f'a[href^="{address}add/"]').count()
    return [address, *([f"{address}add/"] if adding else []), *rows[:1]]


def test_every_page_can_be_used_by_everybody(page: Page) -> None:
    names = [f"{model._meta.app_label}/{model._meta.model_name}" for model in admin.site._registry]
    addresses = [*BESIDE, *(address for name in names for address in opened(page, name))]
    assert len(addresses) > 40

    wrong = [problem for address in dict.fromkeys(addresses) for problem in problems(page, address)]

    assert not wrong, "\n".join(wrong)


def test_an_event_of_long_names_fits(page: Page, site: Site) -> None:
    """Names of staff, projects and objects may be one long word."""
    key = uuid.uuid4()
    event = {"id": key.hex, "at": "2026-01-01 00:00:00", "kind": "changed", "outcome": "done", "before": "{}"}
    long = {"actor": "a" * 150, "object_id": "i" * 80, "object_name": "n" * 200, "detail": "d" * 300}
    field = {"object_type": "projects.project", "after": json.dumps({"f" * 80: "v" * 200})}
    row = event | long | field
    with closing(sqlite3.connect(site.folder / "demo.sqlite3", timeout=20)) as database, database:
        marks = ", ".join("?" for _ in row)
        names = ", ".join(row)
        database.execute(f"INSERT INTO audit_auditevent ({names}) VALUES ({marks})", list(row.values()))

    page.goto(f"/admin/audit/auditevent/{key}/change/")

    assert "n" * 200 in page.inner_text("body")
    assert fits(page)
