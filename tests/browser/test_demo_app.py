"""The sample shop in a real browser: logged in by redirect and by the headless API."""

import re
from collections.abc import Iterator

import pytest
from playwright.sync_api import BrowserContext, Page, expect

from tests.browser.conftest import Site

pytestmark = [pytest.mark.browser, pytest.mark.xdist_group("browser")]

SHOP = "/demo/app/"
AT_SHOP = re.compile(r"/demo/app/$")


def by_redirect(site: Site, page: Page) -> str:
    """Logged in on the login pages and back in the shop; the number in E.164."""
    number = site.number()
    page.goto(SHOP)
    page.get_by_role("button", name="Log in with your phone").click()
    page.locator("select[name=country]").select_option("HK")
    page.locator("input[name=phone]").fill(number)
    page.locator("form:has(input[name=phone]) button[type=submit]").first.click()
    page.wait_for_url("**/login/code/")
    page.locator("input[name=code]").fill(site.simulator.wait_for_code(f"+852{number}"))
    expect(page.get_by_role("heading", name=f"Hello, +852{number}")).to_be_visible()
    return f"+852{number}"


def ask_here(site: Site, page: Page, phone: str, button: str = "Send me a code") -> None:
    """The number in the second tab, up to the field for its code."""
    page.goto(SHOP)
    page.get_by_role("tab", name="In this page").click()
    page.get_by_label("Mobile number").fill(phone)
    page.get_by_role("button", name=button).click()
    expect(page.get_by_label("Code", exact=True)).to_be_focused()


def claim(page: Page, name: str) -> str:
    """The value of a claim as the page shows it."""
    found = page.locator("#claims div", has=page.get_by_text(name, exact=True)).locator("dd").text_content()
    assert found is not None
    return found


def test_log_in_by_redirect_refresh_log_out(site: Site, page: Page) -> None:
    """I1 to I3 as another party's public client meets them."""
    page.goto(SHOP)
    page.get_by_role("button", name="Add Reading lamp to the cart").click()

    phone = by_redirect(site, page)

    expect(page).to_have_url(AT_SHOP)
    assert (claim(page, "phone_number"), claim(page, "amr")) == (phone, '["otp"]')
    assert (claim(page, "iss"), claim(page, "aud")) == (site.ports.base, "demo-app")
    expect(page.locator("#lines")).to_contain_text("Reading lamp")  # the cart came along
    page.reload()
    expect(page.get_by_role("heading", name=f"Hello, {phone}")).to_be_visible()
    page.get_by_role("button", name="Refresh tokens").click()
    expect(page.get_by_text("Refreshed once: both tokens are new.")).to_be_visible()
    page.get_by_role("button", name="Place the order").click()
    expect(page.get_by_text("Thank you!")).to_contain_text(phone)
    page.get_by_role("button", name="Log out").click()
    expect(page.get_by_role("heading", name="Log in to check out")).to_be_visible()
    expect(page).to_have_url(AT_SHOP)
    page.goto("/account/")
    expect(page).to_have_url(re.compile("/login/"))


def test_log_in_in_the_page_refresh_log_out(site: Site, page: Page) -> None:
    phone = f"+852{site.number()}"
    ask_here(site, page, phone)
    expect(page.locator("#masked")).to_contain_text(phone[-2:])
    expect(page.get_by_role("status").filter(has_text="Delivered by WhatsApp")).to_be_visible()

    page.get_by_label("Code", exact=True).press_sequentially(site.simulator.wait_for_code(phone))

    expect(page.get_by_role("heading", name=f"Hello, {phone}")).to_be_focused()
    expect(page).to_have_url(AT_SHOP)
    assert claim(page, "phone_number_verified") == "true"
    page.get_by_role("button", name="Refresh tokens").click()
    expect(page.get_by_text("Refreshed once: both tokens are new.")).to_be_visible()
    held = page.evaluate("JSON.parse(sessionStorage[`oidc.user:${location.origin}:demo-app`]).refresh_token")
    page.get_by_role("button", name="Log out").click()
    expect(page.get_by_role("heading", name="Log in to check out")).to_be_visible()
    fields = {"grant_type": "refresh_token", "client_id": "demo-app", "refresh_token": held}
    answer = page.request.post("/oauth2/token/", form=fields)
    assert (answer.status, answer.json()["error"]) == (400, "invalid_grant")


def test_the_page_says_that_whatsapp_failed_and_an_sms_went(site: Site, page: Page) -> None:
    phone = f"+852{site.number()}"
    site.simulator.set_handset(phone, whatsapp="not_on_whatsapp")

    ask_here(site, page, phone)

    expect(page.locator("#rows")).to_contain_text("WhatsApp not delivered")
    expect(page.get_by_role("status").filter(has_text="by SMS")).to_be_visible()
    page.get_by_label("Code", exact=True).fill(site.simulator.wait_for_code(phone, "sms"))
    expect(page.get_by_role("heading", name=f"Hello, {phone}")).to_be_visible()
    assert claim(page, "amr") == '["otp","sms"]'


def test_another_channel_is_one_press_away_and_the_same_one_waits(site: Site, page: Page) -> None:
    phone = f"+852{site.number()}"
    ask_here(site, page, phone)
    expect(page.get_by_role("button", name=re.compile(r"Send again by WhatsApp in \d+ s"))).to_be_disabled()

    page.get_by_role("button", name="Send by SMS instead").click()

    code = site.simulator.wait_for_code(phone, "sms")
    expect(page.get_by_role("button", name=re.compile(r"Send again by SMS in \d+ s"))).to_be_disabled()
    page.get_by_label("Code", exact=True).fill(code)
    expect(page.get_by_role("heading", name=f"Hello, {phone}")).to_be_visible()


def test_a_code_by_sms_at_once(site: Site, page: Page) -> None:
    phone = f"+852{site.number()}"

    ask_here(site, page, phone, "No WhatsApp? Get the code by SMS")

    site.simulator.wait_for_code(phone, "sms")
    assert [item["channel"] for item in site.simulator.sends(to=phone)] == ["sms"]


def test_an_error_is_shown_at_its_form(site: Site, page: Page) -> None:
    page.goto(SHOP)
    page.get_by_role("tab", name="In this page").click()
    page.get_by_label("Mobile number").fill("+852 12")
    page.get_by_role("button", name="Send me a code").click()
    expect(page.get_by_role("alert")).to_contain_text("cannot reach this number")
    expect(page.get_by_label("Mobile number")).to_have_attribute("aria-invalid", "true")

    phone = f"+852{site.number()}"
    ask_here(site, page, phone)
    right = int(site.simulator.wait_for_code(phone))
    for nth in range(1, 6):
        page.get_by_label("Code", exact=True).fill(str((right + nth) % 1_000_000).zfill(6))
        left = {1: "4 tries are left", 2: "3 tries are left", 3: "2 tries are left", 4: "One try is left"}
        expect(page.get_by_role("alert")).to_contain_text(left.get(nth, "Please start again"))
    expect(page.get_by_label("Mobile number")).to_be_focused()


def test_use_another_number(site: Site, page: Page) -> None:
    ask_here(site, page, f"+852{site.number()}")

    page.get_by_role("button", name="Use another number").click()

    expect(page.get_by_label("Mobile number")).to_be_focused()
    expect(page.get_by_label("Code", exact=True)).to_be_hidden()


def test_an_unexpected_answer_is_reported_and_forgotten(page: Page) -> None:
    page.goto(f"{SHOP}?error=access_denied&state=made-up")

    expect(page.get_by_role("alert")).to_contain_text("No matching state")
    expect(page).to_have_url(AT_SHOP)
    expect(page.get_by_role("button", name="Log in with your phone")).to_be_visible()


def test_a_logout_elsewhere_ends_the_shops_session_at_the_next_refresh(site: Site, page: Page) -> None:
    """F7: without `offline_access` tokens end with the session."""
    by_redirect(site, page)
    page.goto("/account/")
    page.wait_for_timeout(900)  # a stray tap right after the login is ignored on purpose
    page.get_by_role("button", name="Sign out", exact=True).click()
    page.goto(SHOP)

    page.get_by_role("button", name="Refresh tokens").click()

    expect(page.get_by_role("button", name="Log in with your phone")).to_be_visible()
    expect(page.get_by_role("alert")).not_to_be_empty()


def test_the_cart_counts_and_speaks(page: Page) -> None:
    page.goto(SHOP)
    add = page.get_by_role("button", name="Add Stoneware mug to the cart")
    add.click()
    add.click()
    expect(page.locator("#count")).to_have_text("2")
    expect(page.locator("#total")).to_contain_text("$36.00")
    expect(page.get_by_role("status").filter(has_text="Stoneware mug: 2 in the cart")).to_be_attached()

    for _ in range(2):
        page.get_by_role("button", name="One less: Stoneware mug").click()

    expect(page.get_by_text("Nothing in it yet.")).to_be_visible()


def test_the_tabs_are_moved_between_with_arrows(page: Page) -> None:
    page.goto(SHOP)
    page.get_by_role("tab", name="By redirect").focus()

    page.keyboard.press("ArrowRight")
    expect(page.get_by_role("tab", name="In this page")).to_be_focused()
    expect(page.get_by_role("tabpanel", name="In this page")).to_be_visible()
    page.keyboard.press("ArrowRight")

    expect(page.get_by_role("tab", name="By redirect")).to_have_attribute("aria-selected", "true")
    expect(page.get_by_role("tabpanel", name="In this page")).to_be_hidden()


@pytest.fixture(params=["light", "dark"])
def narrow(site: Site, request: pytest.FixtureRequest) -> Iterator[BrowserContext]:
    context = site.browser.new_context(
        base_url=site.ports.base, viewport={"width": 320, "height": 640}, color_scheme=request.param
    )
    yield context
    context.close()


def test_nothing_is_wider_than_a_small_phone(site: Site, narrow: BrowserContext) -> None:
    """G11: at 320 pixels, with the longest things that there are to show."""
    page = narrow.new_page()
    page.goto(SHOP)
    for button in page.get_by_role("button", name=re.compile("^Add ")).all():
        button.click()
    assert page.evaluate("document.documentElement.scrollWidth") == 320

    phone = f"+852{site.number()}"
    ask_here(site, page, phone)
    assert page.evaluate("document.documentElement.scrollWidth") == 320
    page.get_by_label("Code", exact=True).fill(site.simulator.wait_for_code(phone))
    expect(page.get_by_role("heading", name="Hello")).to_be_visible()

    assert page.evaluate("document.documentElement.scrollWidth") == 320
