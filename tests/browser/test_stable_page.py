"""What the page says may change at any moment, and nothing moves under a finger that is on its way."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import BrowserContext, Page, expect

from tests.browser.conftest import Site
from tests.browser.test_login import ask

pytestmark = [pytest.mark.browser, pytest.mark.xdist_group("browser")]

# What Chromium itself counts: everything that moved without having been pressed.
_WATCH = """
window.shifts = [];
new PerformanceObserver((list) => {
  for (const entry of list.getEntries()) {
    if (entry.hadRecentInput) continue;
    window.shifts.push(...entry.sources.map((item) => item.node?.outerHTML?.slice(0, 80) ?? "?"));
  }
}).observe({type: "layout-shift", buffered: true});
"""
_LASTING = "#code, #code-form button, #live, #sends button, .sends:last-of-type button"
WIDTHS = [360, 390, 1280]


@pytest.fixture(params=WIDTHS)
def narrow(request: pytest.FixtureRequest, site: Site) -> Iterator[BrowserContext]:
    context = site.browser.new_context(
        base_url=site.ports.base, viewport={"width": request.param, "height": 900}, locale="en-HK"
    )
    context.add_init_script(_WATCH)
    yield context
    context.close()


def places(page: Page) -> list[dict[str, float]]:
    boxes: list[dict[str, float]] = page.locator(_LASTING).evaluate_all(
        "nodes => nodes.map(node => { const {x, y, width, height} = node.getBoundingClientRect(); "
        "return {x, y, width, height}; })"
    )
    return boxes


_ON_ANY_PAGE = {
    "undelivered": "WhatsApp could not deliver it — we sent an SMS",
    "not_on_whatsapp": "This number is not on WhatsApp, so we sent an SMS",
}


@pytest.mark.parametrize(
    ("narrow", "mode", "after"),
    [
        *((width, *words) for width in WIDTHS for words in _ON_ANY_PAGE.items()),
        # Once only: several in a row would open the breaker, and then others' first message is an SMS.
        (390, "error_500", "WhatsApp could not deliver it — we sent an SMS"),
    ],
    indirect=["narrow"],
)
def test_nothing_moves_when_whatsapp_turns_into_sms(
    site: Site, narrow: BrowserContext, mode: str, after: str
) -> None:
    """Got a field that jumps 74 pixels, and No word and no colour of alarm in between."""
    page, number = narrow.new_page(), site.number()
    # The page is there before the news: a phone that is slow to answer.
    site.simulator.set_handset(f"+852{number}", whatsapp=mode, delay_ms=1500)
    tones: list[str] = []
    page.expose_function("noteTone", lambda tone: tones.append(tone))  # noqa: PLW0108 # it takes no built-in
    page.add_init_script(
        """addEventListener("DOMContentLoaded", () => { const box = document.querySelector("#live"); if (!box) return;
        new MutationObserver(() => noteTone(box.className)).observe(box, {attributes: true}); });"""
    )

    ask(page, number)
    first = places(page)
    expect(page.locator("#headline")).to_contain_text(after, timeout=15_000)
    expect(page.locator("#rows")).to_be_visible()
    expect(page.locator("#detail")).to_contain_text("The SMS was delivered.")

    assert places(page) == first
    assert page.evaluate("window.shifts") == []
    assert not [tone for tone in tones if "bad" in tone]
    page.close()


@pytest.mark.parametrize("language", ["es", "pt-BR", "ar", "zh-HK"])
def test_code_field_moves_in_no_language(site: Site, language: str) -> None:
    """The words may be longer there than the room that is kept, and then what is below them gives way."""
    context = site.browser.new_context(
        base_url=site.ports.base, viewport={"width": 360, "height": 900}, locale=language
    )
    page, number = context.new_page(), site.number()
    site.simulator.set_handset(f"+852{number}", whatsapp="undelivered", delay_ms=1500)
    ask(page, number)
    field = page.locator("#code").bounding_box()

    expect(page.locator("#rows")).to_be_visible(timeout=15_000)

    assert page.locator("#code").bounding_box() == field
    context.close()


def test_scripts_move_nothing_when_they_begin(site: Site, narrow: BrowserContext) -> None:
    """The search in front of the countries and the live state take the room of what works without them."""
    page = narrow.new_page()
    page.goto("/login/")
    expect(page.locator("input[role=combobox]")).to_be_visible()
    assert page.evaluate("window.shifts") == []

    ask(page, site.number())
    expect(page.locator("#headline")).to_contain_text("Delivered on WhatsApp")

    assert page.evaluate("window.shifts") == []
