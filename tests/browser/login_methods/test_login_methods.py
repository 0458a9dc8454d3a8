"""Authentication › Login methods in a real browser: the steps of the reference product, countries, routes."""

import re

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import Site
from tests.browser.login_methods.conftest import opened

pytestmark = [pytest.mark.browser, pytest.mark.xdist_group("browser")]


def tab(page: Page, name: str) -> None:
    page.locator("nav > a", has_text=name).click()


def save(page: Page) -> None:
    page.get_by_role("button", name="Save and continue editing").click()
    page.wait_for_load_state()


def code_page(page: Page, number: str) -> None:
    page.goto("/login/")
    page.locator("select[name=country]").select_option("HK")
    page.locator("input[name=phone]").fill(number)
    page.locator("form:has(input[name=phone]) button.primary").click()
    page.wait_for_url("**/login/code/")


def test_the_steps_of_the_reference_product(methods: Page, admin_site: Site) -> None:
    """reference/seed-add-whatsapp-otp-login.md, "Enable WhatsApp OTP in your project"."""
    sidebar = methods.locator("#nav-sidebar")
    expect(sidebar.get_by_text("Authentication", exact=True)).to_be_visible()
    sidebar.get_by_role("link", name="Login methods").click()
    expect(methods.get_by_label("Mobile")).to_be_checked()
    expect(methods.get_by_label("Email not available")).to_be_disabled()
    expect(methods.get_by_label("Passwordless")).to_be_checked()
    tab(methods, "Verification and OTP")
    methods.get_by_label("Verify phone number by").select_option(label="WhatsApp only")
    methods.get_by_role("button", name="Save", exact=True).click()

    expect(methods.get_by_text("Users now get their code by WhatsApp only.")).to_be_visible()
    code_page(methods, "52100001")
    admin_site.simulator.wait_for_code("+85252100001")
    expect(methods.get_by_role("button", name=re.compile("SMS"))).to_have_count(0)

    methods.goto("/admin/projects/loginmethods/")
    methods.get_by_label("Verify phone number by").select_option(label="WhatsApp or SMS")
    save(methods)
    code_page(methods, "52100002")
    expect(methods.get_by_role("button", name=re.compile("SMS"))).to_have_count(1)


@pytest.mark.parametrize("width", [1280, 390])
def test_what_does_not_apply_is_hidden(width: int, admin_site: Site) -> None:
    with opened(admin_site, width=width) as page:
        mode, wait = page.get_by_label("Verify phone number by"), page.locator("#id_fallback_wait_seconds")
        switch = page.locator("#id_fallback_enabled")
        expect(wait).to_be_visible()

        mode.select_option("sms_only")
        expect(wait).to_be_hidden()
        expect(switch).to_be_hidden()
        mode.select_option("whatsapp_or_sms")
        expect(switch).to_be_visible()
        switch.uncheck()
        expect(wait).to_be_hidden()
        switch.check()
        expect(wait).to_be_visible()


@pytest.mark.parametrize("width", [1280, 390])
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_no_tab_is_wider_than_the_screen(width: int, scheme: str, admin_site: Site) -> None:
    with opened(admin_site, width=width, scheme=scheme) as page:
        for name in ("Verification and OTP", "Countries", "Routing"):
            tab(page, name)
            assert page.evaluate("document.documentElement.scrollWidth") <= width, name
            assert page.evaluate("document.documentElement.classList.contains('dark')") is (scheme == "dark")


def test_the_help_of_the_waits_follows_the_field(methods: Page) -> None:
    methods.locator("#id_resend_after_seconds").fill("45")

    expect(methods.get_by_text("Grows with every send: 45, 90, 180 seconds …")).to_be_visible()


def test_tabs_are_reached_by_keyboard(methods: Page) -> None:
    countries = methods.get_by_role("button", name="Countries", exact=True)
    countries.focus()
    countries.press("Enter")

    expect(methods.get_by_placeholder("Search: name, code or +852")).to_be_visible()


# Countries --------------------------------------------------------------------------------------------


def order(page: Page) -> list[str]:
    names: list[str] = page.locator("[data-pinned] li [data-name]").all_inner_texts()
    return names


def test_countries_are_found_by_name_code_and_calling_code(methods: Page) -> None:
    tab(methods, "Countries")
    search = methods.get_by_placeholder("Search: name, code or +852")
    rows = methods.locator(".countries-list li:visible")
    for typed, name in (
        ("hong", "Hong Kong"),
        ("+852", "Hong Kong"),
        ("cote d", "Côte d’Ivoire"),
        ("nz", "New Zealand"),
    ):
        search.fill(typed)
        expect(rows.filter(has_text=name)).to_have_count(1)
        assert rows.count() < 5, typed
    search.press("Enter")  # does not save

    expect(search).to_be_visible()


def test_the_order_is_changed_by_mouse_and_by_keyboard(methods: Page) -> None:
    tab(methods, "Countries")
    begun = order(methods)
    assert len(begun) == 5

    rows = methods.locator("[data-pinned] li")
    rows.nth(4).drag_to(rows.nth(0), target_position={"x": 60, "y": 2})
    assert order(methods) == [begun[4], *begun[:4]]

    down = methods.get_by_role("button", name=f"Down: {begun[4]}")
    down.focus()
    down.press("Enter")
    assert order(methods) == [begun[0], begun[4], *begun[1:4]]
    expect(down).to_be_focused()
    down.press("ArrowUp")
    assert order(methods) == [begun[4], *begun[:4]]
    expect(methods.locator("[data-said]")).to_have_text(f"{begun[4]} is number 1 of 5")


def test_the_order_is_that_of_the_login_page(methods: Page) -> None:
    tab(methods, "Countries")
    methods.get_by_placeholder("Search: name, code or +852").fill("germany")
    methods.locator(".countries-list li:visible").get_by_text("show first").click()
    methods.get_by_role("button", name="Up: Germany").press("ArrowUp")
    methods.get_by_role("button", name="Not first any more: Mexico").click()
    wanted = order(methods)
    assert "Mexico" not in wanted
    assert wanted.index("Germany") == len(wanted) - 2
    save(methods)

    tab(methods, "Countries")
    assert order(methods) == wanted
    methods.goto("/login/?lang=en")
    shown = methods.locator("select[name=country] option").all_inner_texts()
    names = [re.sub(r"\s*\+\d+$", "", text).strip() for text in shown if "+" in text]
    assert names[: len(wanted)] == wanted


def test_all_countries_is_no_choice_of_some(methods: Page) -> None:
    tab(methods, "Countries")
    first = methods.locator(".countries-list .country input").first
    expect(first).to_be_disabled()

    methods.locator("#id_all_countries").uncheck()
    expect(first).to_be_enabled()
    expect(methods.locator("[data-count]")).to_have_text("0 allowed")
    save(methods)

    expect(methods.get_by_text("Must name at least one country")).to_be_visible()
    marked = methods.locator("nav > a", has_text="Countries").get_by_test_id("error-count")
    expect(marked).to_have_text("2")  # those shown first are not allowed either


# Routes -----------------------------------------------------------------------------------------------


def test_a_route_is_added_changed_and_removed(methods: Page) -> None:
    tab(methods, "Routing")
    row = methods.locator("[data-route]").last  # the empty one
    row.get_by_role("searchbox", name="Countries").fill("india")
    methods.locator(".select2-results__option", has_text="India +91").click()
    row.get_by_label("Wait (seconds)").fill("12")
    methods.get_by_role("button", name="Add a route").click()
    second = methods.locator("[data-route]").last
    second.get_by_role("searchbox", name="Countries").fill("canada")
    methods.locator(".select2-results__option", has_text="Canada +1").click()
    second.get_by_label("Order").select_option("sms whatsapp")
    expect(second.get_by_label("Wait (seconds)")).to_be_hidden()
    save(methods)

    expect(methods.get_by_text("Users in India get WhatsApp first, SMS after 12 s.")).to_be_visible()
    expect(methods.get_by_text("Users in Canada get SMS first, WhatsApp when that fails.")).to_be_visible()

    tab(methods, "Routing")
    for number in (0, 1):
        methods.locator("[data-route]").nth(number).get_by_label("Remove", exact=True).check()
    save(methods)
    expect(
        methods.get_by_text("Users in India, Canada get WhatsApp first, SMS after 20 s, as everywhere.")
    ).to_be_visible()


def test_an_error_opens_its_tab_and_marks_it(methods: Page) -> None:
    tab(methods, "Routing")
    methods.locator("[data-route]").last.get_by_label("Wait (seconds)").fill("12")
    save(methods)

    expect(methods.get_by_text("Route 1, countries: must name at least one country.")).to_be_visible()
    marked = methods.locator("nav > a", has_text="Routing").get_by_test_id("error-count")
    expect(marked).to_have_text("1")


# Without scripts --------------------------------------------------------------------------------------


def test_without_scripts_places_are_numbers_and_routes_have_an_empty_row(plain: Page) -> None:
    places = plain.locator("[data-pinned] input[type=number]")
    codes = [str(item.get_attribute("name")).rpartition("-")[2] for item in places.all()]
    for number, item in enumerate(places.all()):
        item.fill(str(len(codes) - number))
    plain.locator("[name=routing-0-countries]").select_option(["IN"])
    plain.locator("[name=routing-0-wait_seconds]").fill("15")
    save(plain)

    expect(plain.get_by_text("Users in India get WhatsApp first, SMS after 15 s.")).to_be_visible()
    after = [str(item.get_attribute("name")).rpartition("-")[2] for item in plain.locator("[data-pinned] input[type=number]").all()]  # fmt: skip
    assert after == codes[::-1]
    plain.locator("[name=routing-0-DELETE]").check()
    save(plain)
    expect(plain.locator("[name=routing-0-countries] option:checked")).to_have_count(0)
