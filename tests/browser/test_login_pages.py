"""The login pages in a real browser: tabs, the number that stays, forced colours, translators, the simulated phone."""

import re
from collections.abc import Iterator

import pytest
from playwright.sync_api import BrowserContext, Page, expect

from tests.browser.conftest import Site
from tests.browser.test_login import ask
from tests.processes import until

pytestmark = [pytest.mark.browser, pytest.mark.xdist_group("browser")]


def open_login(page: Page, number: str, to: str) -> None:
    page.goto(f"/login/?next={to}")
    page.locator("select[name=country]").select_option("HK")
    page.locator("input[name=phone]").fill(number)
    page.locator("form:has(input[name=phone]) button.primary").click()
    page.wait_for_url("**/login/code/")


@pytest.fixture(params=[True, False], ids=["scripts", "no scripts"])
def tabs(request: pytest.FixtureRequest, site: Site) -> Iterator[tuple[Page, Page]]:
    context = site.browser.new_context(
        base_url=site.ports.base, java_script_enabled=request.param, locale="en-HK"
    )
    context.set_default_timeout(10_000)
    yield context.new_page(), context.new_page()
    context.close()


@pytest.mark.parametrize("first", [0, 1])
def test_each_tab_finishes_its_own_request(site: Site, tabs: tuple[Page, Page], first: int) -> None:
    """Two numbers; the second code is typed after the other tab signed in, and after loading the page again."""
    numbers = site.number(), site.number()
    for nth, tab in enumerate(tabs):
        open_login(tab, numbers[nth], f"/account/%3Ftab%3D{nth}")
    codes = [site.simulator.wait_for_code(f"+852{number}") for number in numbers]
    without_scripts = tabs[0].locator("#check").is_visible()

    for nth in (first, 1 - first):
        tabs[nth].reload()
        expect(tabs[nth].locator(".sent-to .number")).to_contain_text(numbers[nth][-4:])
        tabs[nth].locator("input[name=code]").fill(codes[nth])
        if without_scripts:  # with them a whole code goes by itself
            tabs[nth].locator("input[name=code]").press("Enter")

        tabs[nth].wait_for_url(f"**/account/?tab={nth}")


def test_second_tab_of_one_number_goes_on_by_itself(site: Site, context: BrowserContext) -> None:
    """The code was typed in the first one; the second was on its way elsewhere, and gets there."""
    number = site.number()
    tabs = context.new_page(), context.new_page()
    for nth, tab in enumerate(tabs):
        open_login(tab, number, f"/account/%3Ftab%3D{nth}")

    tabs[0].locator("input[name=code]").fill(site.simulator.wait_for_code(f"+852{number}"))
    tabs[0].wait_for_url("**/account/?tab=0")

    tabs[1].wait_for_url("**/account/?tab=1")
    assert len(site.simulator.sends(to=f"+852{number}")) == 1


def test_tab_that_is_no_longer_the_latest_names_its_login_in_its_address(
    site: Site, context: BrowserContext
) -> None:
    """Reloading it means this login; on another device it means none."""
    tabs = context.new_page(), context.new_page()
    ask(tabs[0], site.number())
    address = tabs[0].url
    ask(tabs[1], site.number())

    tabs[0].wait_for_url("**/login/code/?login=*")
    assert address.endswith("/login/code/")
    assert tabs[1].url.endswith("/login/code/")


def test_number_is_shown_changed_and_gone_on_with(site: Site, page: Page) -> None:
    number = site.number()
    ask(page, number)
    code = site.simulator.wait_for_code(f"+852{number}")
    expect(page.locator(".sent-to .number")).to_have_text(f"+852 {number[:4]} {number[4:]}")

    page.get_by_role("button", name="Change the number").click()
    expect(page.locator("input[name=phone]")).to_have_value(number)
    expect(page.locator("select[name=country]")).to_have_value("HK")
    page.locator("form:has(input[name=phone]) button.primary").click()
    page.wait_for_url("**/login/code/")
    page.locator("input[name=code]").fill(code)

    page.wait_for_url("**/account/")
    assert len(site.simulator.sends(to=f"+852{number}")) == 1


def test_back_button_keeps_the_number(site: Site, page: Page) -> None:
    number = site.number()
    ask(page, number)

    page.go_back()

    expect(page.locator("input[name=phone]")).to_have_value(number)


def test_wait_is_counted_down_on_the_button_and_ends_with_another_number(
    site: Site, context: BrowserContext, page: Page
) -> None:
    """The wait between two codes for one number, asked for in another browser."""
    number = site.number()
    other = site.browser.new_context(base_url=site.ports.base, locale="en-HK")
    ask(other.new_page(), number)
    page.goto("/login/")
    page.locator("select[name=country]").select_option("HK")
    page.locator("input[name=phone]").fill(number)
    button = page.locator("form:has(input[name=phone]) button.primary")
    button.click()

    expect(page.locator("#error")).to_contain_text(re.compile(r"Please wait \d+ seconds"))
    expect(button).to_be_disabled()
    expect(button).to_have_text(re.compile(r"Continue · 0:\d\d"))
    page.locator("input[name=phone]").fill(site.number())
    expect(button).to_be_enabled()
    expect(button).to_have_text("Continue")
    other.close()


def test_wait_that_is_over_frees_the_button(site: Site, page: Page) -> None:
    number = site.number()
    other = site.browser.new_context(base_url=site.ports.base, locale="en-HK")
    ask(other.new_page(), number)
    page.clock.install()
    page.goto("/login/")
    page.locator("select[name=country]").select_option("HK")
    page.locator("input[name=phone]").fill(number)
    button = page.locator("form:has(input[name=phone]) button.primary")
    button.click()
    expect(button).to_be_disabled()

    page.clock.fast_forward("00:31")

    expect(button).to_be_enabled()
    other.close()


def test_everything_that_can_be_pressed_has_an_edge_in_forced_colours(site: Site, page: Page) -> None:
    """Backgrounds are gone there."""
    page.emulate_media(forced_colors="active")
    seen = 0
    for step in ("phone", "code"):
        page.goto("/login/") if step == "phone" else ask(page, site.number())
        for node in page.locator("button:visible, a.primary:visible, a.quiet:visible").all():
            style = node.evaluate(
                "node => { const s = getComputedStyle(node); return [s.borderTopStyle, s.borderTopWidth]; }"
            )
            assert style == ["solid", "1px"], node.inner_text()
            seen += 1

    assert seen >= 6


def test_the_simulated_phone_shows_its_switches_in_forced_colours(site: Site, page: Page) -> None:
    page.emulate_media(forced_colors="active")
    page.goto("/demo/phone/")
    track = page.locator(".switch .track").first

    def style(selector: str, name: str) -> str:
        return str(
            page.locator(selector).first.evaluate("(node, name) => getComputedStyle(node)[name]", name)
        )

    for selector in (".switch .track", "button.show"):
        assert [style(selector, "borderTopStyle"), style(selector, "borderTopWidth")] == ["solid", "1px"], (
            selector
        )
    assert style("[role=tab][aria-selected=true]", "outlineStyle") == "solid"
    assert style("[role=tab][aria-selected=false]", "outlineStyle") == "none"
    off = track.evaluate("node => getComputedStyle(node).backgroundColor")

    # In one step: the page asks the simulator again and again, which switches it back.
    on = page.locator(".switch input").first.evaluate(
        """input => {
          const track = input.parentElement.querySelector(".track");
          track.style.transition = "none";
          input.checked = true;
          return getComputedStyle(track).backgroundColor;
        }"""
    )

    assert on != off


def test_translator_leaves_live_words_alone(site: Site, page: Page) -> None:
    """What Chrome's translator does to every text that is not marked, again and again."""
    ask(page, site.number())
    expect(page.locator("#headline")).to_contain_text("Delivered on WhatsApp")
    page.evaluate(
        """() => {
          const kept = (node) => node.parentElement.closest("[translate=no], .notranslate, script, style");
          const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
          window.translated = 0;
          window.changes = [];
          const texts = [];
          while (walker.nextNode()) if (walker.currentNode.data.trim() && !kept(walker.currentNode)) texts.push(walker.currentNode);
          for (const text of texts) {
            const font = document.createElement("font");
            font.textContent = `«${text.data}»`;
            text.replaceWith(font);
            window.translated += 1;
          }
          new MutationObserver((list) => list.forEach((item) => {
            if (item.target.closest?.("font") || item.target.parentElement?.closest("font")) window.changes.push(item.target.textContent);
            if ([...item.removedNodes].some((node) => node.tagName === "FONT")) window.changes.push("removed");
          })).observe(document.body, {subtree: true, childList: true, characterData: true});
        }"""
    )
    waiting = page.locator("#sends button").first.inner_text()
    until(lambda: page.locator("#sends button").first.inner_text() != waiting, "the countdown goes on", 5)

    assert page.evaluate("window.translated") >= 5
    assert page.evaluate("window.changes") == []
    expect(page.locator("#live font, #sends font")).to_have_count(0)


@pytest.mark.parametrize("width", [320, 360, 1280])
def test_simulated_phone_fits(site: Site, context: BrowserContext, width: int) -> None:
    """Got 13 pixels too wide, and cut off on the left."""
    page = context.new_page()
    page.set_viewport_size({"width": width, "height": 800})
    page.goto("/demo/phone/")
    expect(page.get_by_text("Not on WhatsApp").first).to_be_visible()

    assert page.evaluate("document.documentElement.scrollWidth") == width
    for node in page.locator(".handset, .controls, .card, .controls h1").all():
        box = node.bounding_box()
        assert box
        assert box["x"] >= 0
        assert box["x"] + box["width"] <= width


def test_login_pages_lead_to_the_simulated_phone(site: Site, context: BrowserContext, page: Page) -> None:
    page.goto("/login/")
    expect(page.get_by_role("link", name="Open the simulated phone")).to_be_visible()
    ask(page, site.number())

    with context.expect_page() as opened:
        page.get_by_role("link", name="Open the simulated phone").click()

    expect(opened.value).to_have_url(re.compile("/demo/phone/"))


def test_switch_before_the_first_message_is_for_the_next_number(
    site: Site, context: BrowserContext, page: Page
) -> None:
    """Got "Choose a phone number first"."""
    phone, number = context.new_page(), site.number()
    phone.goto("/demo/phone/")
    phone.get_by_text("Not on WhatsApp").first.click()
    expect(phone.locator("#not-on-whatsapp")).to_be_checked()
    expect(phone.locator("#problem")).to_be_hidden()
    until(lambda: site.simulator.handset("next")["whatsapp"] == "not_on_whatsapp", "the switch", 5)

    ask(page, number)

    expect(page.get_by_text("This number is not on WhatsApp, so we sent an SMS").first).to_be_visible()
    expect(phone.locator("#not-on-whatsapp")).to_be_checked()  # the switch went along with the number
    assert site.simulator.handset("next")["whatsapp"] == "delivered"
