"""The login in a real browser: what people see, type, paste and press twice."""

import re
from collections.abc import Iterator

import pytest
from playwright.sync_api import BrowserContext, Page, Request, expect

from tests.browser.conftest import Site
from tests.processes import until

pytestmark = [pytest.mark.browser, pytest.mark.xdist_group("browser")]


def ask(page: Page, number: str) -> None:
    page.goto("/login/")
    page.locator("select[name=country]").select_option("HK")
    page.locator("input[name=phone]").fill(number)
    page.locator("form:has(input[name=phone]) button[type=submit]").first.click()
    page.wait_for_url("**/login/code/")


def test_a_login_by_whatsapp_with_the_live_truth(site: Site, page: Page) -> None:
    number = site.number()

    ask(page, number)
    expect(page.get_by_role("status").first).to_contain_text("Delivered on WhatsApp")
    code = site.simulator.wait_for_code(f"+852{number}")
    page.locator("input[name=code]").press_sequentially(code)

    page.wait_for_url("**/account/")
    expect(page.get_by_text(re.compile(rf"\+852 .*{number[-2:]}")).first).to_be_visible()


def test_the_page_says_that_whatsapp_failed_and_an_sms_went(site: Site, page: Page) -> None:
    number = site.number()
    site.simulator.set_handset(f"+852{number}", whatsapp="not_on_whatsapp")

    ask(page, number)

    expect(page.get_by_text("This number is not on WhatsApp, so we sent an SMS").first).to_be_visible()
    page.locator("input[name=code]").fill(site.simulator.wait_for_code(f"+852{number}", "sms"))
    page.wait_for_url("**/account/")


def test_send_by_sms_instead(site: Site, page: Page) -> None:
    """D14."""
    number = site.number()
    ask(page, number)
    expect(page.get_by_role("status").first).to_contain_text("WhatsApp")

    page.get_by_role("button", name=re.compile("SMS")).first.click()

    code = site.simulator.wait_for_code(f"+852{number}", "sms")
    page.locator("input[name=code]").fill(code)
    page.wait_for_url("**/account/")
    assert [item["channel"] for item in site.simulator.sends(to=f"+852{number}")] == ["whatsapp", "sms"]


def test_a_wrong_code_says_how_many_tries_are_left(site: Site, page: Page) -> None:
    number = site.number()
    ask(page, number)
    right = site.simulator.wait_for_code(f"+852{number}")

    page.locator("input[name=code]").fill(str((int(right) + 1) % 1_000_000).zfill(6))
    expect(page.get_by_text(re.compile("4")).first).to_be_visible()
    expect(page.locator("input[name=code]")).to_have_attribute("aria-invalid", "true")
    page.locator("input[name=code]").fill(right)

    page.wait_for_url("**/account/")


@pytest.mark.parametrize("spelling", ["{0}{1}{2} {3}{4}{5}", "{0}{1}{2}-{3}{4}{5}", " {0}{1}{2}{3}{4}{5} "])
def test_a_pasted_code_is_understood(spelling: str, site: Site, page: Page) -> None:
    """G6: one real field, filled in one event."""
    number = site.number()
    ask(page, number)
    code = site.simulator.wait_for_code(f"+852{number}")

    page.locator("input[name=code]").focus()
    page.evaluate("text => document.execCommand('insertText', false, text)", spelling.format(*code))

    page.wait_for_url("**/account/")


def test_the_code_field_is_ready_for_autofill(site: Site, page: Page) -> None:
    """G6, G10."""
    ask(page, site.number())

    field = page.locator("input[name=code]")
    expect(field).to_have_count(1)
    for name, value in {
        "autocomplete": "one-time-code",
        "inputmode": "numeric",
        "dir": "ltr",
        "type": "text",
    }.items():
        expect(field).to_have_attribute(name, value)
    expect(field).to_be_focused()


def test_reload_back_and_forward_send_nothing(site: Site, page: Page) -> None:
    """C1."""
    number = site.number()
    ask(page, number)
    site.simulator.wait_for_code(f"+852{number}")

    for _ in range(3):
        page.reload()
    page.go_back()
    page.go_forward()
    page.request.head("/login/code/")

    assert len(site.simulator.sends(to=f"+852{number}")) == 1


def test_back_and_the_same_number_again_is_the_same_login(site: Site, page: Page) -> None:
    number = site.number()
    ask(page, number)
    code = site.simulator.wait_for_code(f"+852{number}")

    ask(page, number)
    page.locator("input[name=code]").fill(code)

    page.wait_for_url("**/account/")
    assert len(site.simulator.sends(to=f"+852{number}")) == 1


def test_autofill_and_a_tap_are_one_login(site: Site, page: Page) -> None:
    """G8."""
    number = site.number()
    ask(page, number)
    code = site.simulator.wait_for_code(f"+852{number}")
    posts: list[Request] = []
    page.on("request", lambda request: posts.append(request) if request.method == "POST" else None)

    page.evaluate(
        """code => { const field = document.querySelector('input[name=code]'); field.value = code;
        field.dispatchEvent(new Event('input', {bubbles: true}));
        const button = field.form.querySelector('button[type=submit]'); button.click(); button.click(); }""",
        code,
    )

    page.wait_for_url("**/account/")
    assert len([request for request in posts if request.url.endswith("/login/code/")]) == 1


def test_nothing_comes_from_elsewhere_and_no_address_tells_anything(site: Site, page: Page) -> None:
    """F11, G4."""
    number = site.number()
    urls: list[str] = []
    page.on("request", lambda request: urls.append(request.url))
    ask(page, number)
    code = site.simulator.wait_for_code(f"+852{number}")
    page.locator("input[name=code]").fill(code)
    page.wait_for_url("**/account/")

    assert all(url.startswith(site.ports.base) for url in urls)
    assert not any(secret in url for url in urls for secret in (number, code))


@pytest.fixture
def plain(site: Site) -> Iterator[Page]:
    """A browser without scripts."""
    context = site.browser.new_context(
        base_url=site.ports.base, java_script_enabled=False, viewport={"width": 320, "height": 640}
    )
    yield context.new_page()
    context.close()


def test_the_whole_login_works_without_scripts(site: Site, plain: Page) -> None:
    """G9."""
    number = site.number()
    ask(plain, number)
    code = site.simulator.wait_for_code(f"+852{number}")
    said = plain.get_by_text("Delivered on WhatsApp").first
    until(lambda: plain.reload() and said.is_visible(), "the page's word")

    plain.locator("input[name=code]").fill(code)
    plain.locator("input[name=code]").press("Enter")

    plain.wait_for_url("**/account/")


def test_a_country_is_found_by_typing(site: Site, page: Page) -> None:
    page.goto("/login/")
    search = page.locator("[data-country-search], input[role=combobox], input[type=search]").first

    search.fill("mexi")
    expect(page.get_by_role("option", name="Mexico")).to_be_visible()
    search.press("Enter")

    expect(page.locator("select[name=country]")).to_have_value("MX")


def test_signing_out_everywhere_ends_the_other_browser_too(
    site: Site, context: BrowserContext, page: Page
) -> None:
    """F7."""
    number = site.number()
    ask(page, number)
    page.locator("input[name=code]").fill(site.simulator.wait_for_code(f"+852{number}"))
    page.wait_for_url("**/account/")
    other = site.browser.new_context(base_url=site.ports.base, storage_state=context.storage_state())
    twin = other.new_page()
    twin.goto("/account/")
    expect(twin).to_have_url(re.compile("/account/"))

    page.wait_for_timeout(900)  # a stray tap right after the login is ignored on purpose
    page.get_by_role("button", name=re.compile("everywhere", re.IGNORECASE)).click()
    page.wait_for_url("**/login/**")
    twin.goto("/account/")

    expect(twin).to_have_url(re.compile("/login/"))
    other.close()


@pytest.mark.parametrize(("language", "direction"), [("ar", "rtl"), ("es", "ltr")])
def test_number_and_code_stay_left_to_right(language: str, direction: str, site: Site) -> None:
    """G10."""
    context = site.browser.new_context(base_url=site.ports.base, locale=language)
    page = context.new_page()
    page.goto("/login/")

    expect(page.locator("html")).to_have_attribute("dir", direction)
    expect(page.locator("input[name=phone]")).to_have_attribute("dir", "ltr")
    context.close()


def test_the_phone_shows_the_message_and_copies_its_code(
    site: Site, page: Page, context: BrowserContext
) -> None:
    context.grant_permissions(["clipboard-read", "clipboard-write"], origin=site.ports.base)
    number = site.number()
    ask(page, number)
    site.simulator.wait_for_code(f"+852{number}")
    phone = context.new_page()
    phone.goto("/demo/phone/")

    phone.get_by_role("button", name="Copy code").last.click()
    copied = phone.evaluate("navigator.clipboard.readText()")

    assert copied == site.simulator.messages(f"+852{number}")[-1]["code"]
    page.bring_to_front()
    page.locator("input[name=code]").fill(copied)
    page.wait_for_url("**/account/")


def test_the_switches_of_the_phone_change_what_happens(
    site: Site, page: Page, context: BrowserContext
) -> None:
    number = site.number()
    phone = context.new_page()
    site.simulator.set_handset(f"+852{number}", delay_ms=0)
    phone.goto("/demo/phone/")
    chooser = phone.locator("input[type=tel]").first
    chooser.fill(f"+852{number}")
    chooser.press("Enter")

    phone.get_by_text("Not on WhatsApp").first.click()
    until(lambda: site.simulator.handset(f"+852{number}")["whatsapp"] == "not_on_whatsapp", "the switch", 5)
