"""The set-up page of a sender in a real browser: from the first check to a code that arrived, on a desk and on a phone."""

import re
from collections.abc import Iterator
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import Site

pytestmark = [pytest.mark.browser, pytest.mark.xdist_group("browser")]
# Contrast of two colours, WCAG 2: what is lowest on the page, of everything that has a text of its own.
CONTRAST = """() => {
  const channel = value => { value /= 255; return value <= 0.03928 ? value / 12.92 : ((value + 0.055) / 1.055) ** 2.4; };
  const canvas = document.createElement("canvas").getContext("2d", { willReadFrequently: true });
  const over = (colour, under) => {
    canvas.fillStyle = `rgb(${under})`; canvas.fillRect(0, 0, 1, 1);
    canvas.fillStyle = colour; canvas.fillRect(0, 0, 1, 1);
    return [...canvas.getImageData(0, 0, 1, 1).data].slice(0, 3);
  };
  const light = rgb => 0.2126 * channel(rgb[0]) + 0.7152 * channel(rgb[1]) + 0.0722 * channel(rgb[2]);
  const ground = element => {
    const chain = []; for (let e = element; e; e = e.parentElement) chain.unshift(getComputedStyle(e).backgroundColor);
    return chain.reduce((under, colour) => over(colour, under), [255, 255, 255]);
  };
  let lowest = [21, ""];
  for (const e of document.querySelectorAll("main *")) {
    const own = [...e.childNodes].some(n => n.nodeType === 3 && n.textContent.trim());
    if (!own || !e.getClientRects().length) continue;
    const under = ground(e), text = over(getComputedStyle(e).color, under);
    const [a, b] = [light(under), light(text)].sort((x, y) => y - x);
    const ratio = (a + 0.05) / (b + 0.05);
    if (ratio < lowest[0]) lowest = [ratio, e.outerHTML.slice(0, 200)];
  }
  return lowest;
}"""


@pytest.fixture
def desk(site: Site) -> Iterator[Page]:
    context = site.browser.new_context(
        base_url=site.ports.base, storage_state=site.signed_in(), viewport={"width": 1280, "height": 900}
    )
    context.set_default_timeout(15_000)
    yield context.new_page()
    context.close()


def open_setup(page: Page, provider: str) -> None:
    page.goto("/admin/channels/sender/")
    row = page.locator("tr", has_text=re.compile(provider))
    page.goto(row.get_by_role("link", name="Set up").get_attribute("href") or "")


def test_a_sender_is_checked_and_tried(site: Site, desk: Page) -> None:
    """Everything green but the address, which is no https here; the code arrives while people watch."""
    number = f"+852{site.number()}"
    open_setup(desk, "WhatsApp Business account")
    desk.get_by_role("button", name="Check everything").click()
    for step, word in (
        ("connect", "Works"),
        ("templates", "Works"),
        ("reports", "Look at it"),
        ("try", "Not tried"),
    ):
        expect(desk.locator(f"#live a[href='#{step}']")).to_contain_text(word)
    expect(desk.locator("#connect")).to_contain_text("the app secret belongs to the app")

    desk.get_by_label("Phone number, with + and its country code").fill(number)
    desk.get_by_role("button", name="Send a test code").click()
    expect(desk.locator("#live")).to_contain_text("WhatsApp: delivered")
    expect(desk.locator("#live a[href='#try']")).to_contain_text("Works")
    expect(desk.locator("#arrivals")).to_contain_text("last signed event")
    assert site.simulator.wait_for_code(number)


def test_a_verify_token_can_be_copied_once(site: Site, desk: Page) -> None:
    desk.context.grant_permissions(["clipboard-read", "clipboard-write"])
    open_setup(desk, "WhatsApp Business account")
    desk.get_by_role("button", name="Make a new verify token").click()
    token = desk.locator("#verify_token").input_value()
    desk.locator("[data-copy=verify_token]").click()

    assert desk.evaluate("navigator.clipboard.readText()") == token
    open_setup(desk, "WhatsApp Business account")
    expect(desk.locator("#verify_token")).to_have_count(0)
    expect(desk.locator("#callback_url")).to_have_value(f"{site.ports.base}/whatsapp/webhook")


@pytest.mark.parametrize("width", [1280, 390])
@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("provider", ["WhatsApp Business account", "Twilio"])
def test_it_can_be_read_everywhere(site: Site, width: int, scheme: Any, provider: str) -> None:
    """No text too pale, nothing wider than the screen, a name for every field, nothing that scripts must not do."""
    context = site.browser.new_context(
        base_url=site.ports.base,
        storage_state=site.signed_in(),
        viewport={"width": width, "height": 844},
        color_scheme=scheme,
    )
    context.set_default_timeout(15_000)
    page = context.new_page()
    errors: list[str] = []
    page.on("pageerror", lambda error: errors.append(str(error)))
    open_setup(page, provider)
    page.get_by_role("button", name="Check everything").click()
    expect(page.locator("#connect")).to_contain_text("Checked ")

    assert page.evaluate("document.documentElement.scrollWidth") <= width
    ratio, where = page.evaluate(CONTRAST)
    assert ratio >= 4.5, (round(ratio, 2), where)
    for field in page.locator("main input:visible, main select:visible").all():
        assert field.evaluate("element => element.labels.length"), field.evaluate(
            "element => element.outerHTML"
        )
    assert page.locator("main").count() == page.locator("main h1").count() == 1
    assert errors == []
    context.close()
