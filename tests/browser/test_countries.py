"""The country of the phone form in a real browser: found by any name, and by the number."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import Page, Route, expect

from tests.browser.conftest import Site

pytestmark = [pytest.mark.browser, pytest.mark.xdist_group("browser")]

NUMBERS = [
    ("+1 415 555 0132", "US"),
    ("+1 (416) 555-0132", "CA"),
    ("+1 876 555 0132", "JM"),
    ("+1 787 555 0132", "PR"),
    ("+7 916 123 45 67", "RU"),
    ("+7 701 234 56 78", "KZ"),
    ("+44 7400 123456", "GB"),
    ("+44 7797 712345", "JE"),
    ("+44 7924 123456", "GB"),
    ("+44 7524 123456", "IM"),
    ("+39 342 123 4567", "IT"),
    ("+47 406 12 345", "NO"),
    ("+61 412 345 678", "AU"),
    ("+262 692 12 34 56", "RE"),
    ("+262 639 01 23 45", "YT"),
    ("+590 690 00 12 34", "GP"),
    ("+599 9 518 1234", "CW"),
    ("+599 318 1234", "BQ"),
    ("0044 7400 123456", "GB"),
    ("tel:+1-415-555-0132", "US"),
    ("\u202a\uff0b\uff17 \uff19\uff11\uff16 123 45 67\u202c", "RU"),
    ("+٩٦٦ ٥١ ٢٣٤ ٥٦٧٨", "SA"),
]


@pytest.fixture(scope="module")
def _window(_site: Site) -> Iterator[Page]:
    """One for all: a new one, with nothing in its cache, takes longer than what these tests do."""
    context = _site.browser.new_context(
        base_url=_site.ports.base, viewport={"width": 390, "height": 844}, locale="en-HK"
    )
    context.set_default_timeout(10_000)
    yield context.new_page()
    context.close()


@pytest.fixture
def form(_window: Page) -> Page:
    page = _window
    page.goto("/login/?lang=en")
    page.locator("select[name=country]").select_option("HK")
    return page


def search(page: Page, typed: str) -> None:
    page.get_by_role("combobox", name="Country").fill(typed)


def chosen(page: Page, country: str) -> None:
    expect(page.locator("select[name=country]")).to_have_value(country)


@pytest.mark.parametrize(
    ("typed", "country"),
    [
        # ISO codes first.
        ("us", "US"), ("in", "IN"), ("gb", "GB"), ("ge", "GE"), ("ch", "CH"), ("HK", "HK"), ("ca", "CA"), ("es", "ES"),
        # What people say.
        ("uk", "GB"), ("usa", "US"), ("uae", "AE"), ("holland", "NL"), ("england", "GB"), ("scotland", "GB"),
        ("America", "US"), ("u.s.a.", "US"), ("czechia", "CZ"), ("czech republic", "CZ"), ("ivory coast", "CI"),
        ("cote d'ivoire", "CI"), ("cote divoire", "CI"), ("newzealand", "NZ"), ("saudiarabia", "SA"),
        ("mejico", "MX"), ("philipines", "PH"), ("burma", "MM"), ("swaziland", "SZ"), ("turkey", "TR"), ("Türkiye", "TR"),
        ("turkiye", "TR"), ("macedonia", "MK"), ("cape verde", "CV"), ("korea", "KR"), ("north korea", "KP"),
        ("saint lucia", "LC"), ("st lucia", "LC"), ("macau", "MO"), ("congo", "CG"), ("drc", "CD"), ("trinidad & tobago", "TT"), ("oʻzbekiston", "UZ"), ("қазақстан", "KZ"), ("føroyar", "FO"), ("viet nam", "VN"),
        ("the netherlands", "NL"), ("republic of ireland", "IE"), ("trinidad and tobago", "TT"),
        # Their own names, and those in other languages.
        ("香港", "HK"), ("中国", "CN"), ("台灣", "TW"), ("日本", "JP"), ("한국", "KR"), ("deutschland", "DE"),
        ("Österreich", "AT"), ("osterreich", "AT"), ("suisse", "CH"), ("svizzera", "CH"), ("españa", "ES"),
        ("भारत", "IN"), ("россия", "RU"), ("україна", "UA"), ("ελλάδα", "GR"), ("مصر", "EG"), ("السعودية", "SA"),
        ("ישראל", "IL"), ("ไทย", "TH"), ("việt nam", "VN"), ("alemania", "DE"), ("états-unis", "US"), ("royaume-uni", "GB"),
        ("hrvatska", "HR"), ("suomi", "FI"), ("ísland", "IS"), ("magyar", "HU"), ("საქართველო", "GE"), ("հայաստան", "AM"),
        # Beginnings.
        ("hong", "HK"), ("united k", "GB"), ("germ", "DE"), ("viet", "VN"), ("south af", "ZA"), ("arabia", "SA"),
        # Calling codes, and whole numbers pasted here.
        ("+1", "US"), ("1", "US"), ("44", "GB"), ("+7", "RU"), ("+39", "IT"), ("+852", "HK"), ("+49", "DE"),
        ("+262", "RE"), ("+590", "GP"), ("+599", "CW"), ("+61", "AU"), ("+47", "NO"), ("+358", "FI"), ("+212", "MA"),
        ("+1 416 555 0132", "CA"), ("0044 7400 123456", "GB"), ("+٩٦٦", "SA"),
    ],
)  # fmt: skip
def test_a_country_is_found_by_any_of_its_names(form: Page, typed: str, country: str) -> None:
    """The first of the list, by Enter."""
    search(form, typed)
    form.keyboard.press("Enter")

    chosen(form, country)


@pytest.mark.parametrize(("number", "country"), NUMBERS)
def test_a_pasted_number_chooses_its_country(form: Page, number: str, country: str) -> None:
    form.locator("#phone").focus()
    form.evaluate("text => document.execCommand('insertText', false, text)", number)

    chosen(form, country)
    expect(form.get_by_role("combobox", name="Country")).to_have_value(
        form.locator(f"select[name=country] option[value={country}]").inner_text()
    )


@pytest.mark.parametrize(("number", "country"), NUMBERS[:6])
def test_a_number_that_is_filled_in_chooses_its_country(form: Page, number: str, country: str) -> None:
    """Some browsers say no more than that the field has changed."""
    form.evaluate(
        "text => { const field = document.querySelector('#phone'); field.value = text;"
        " field.dispatchEvent(new Event('change', {bubbles: true})); }",
        number,
    )

    chosen(form, country)


def test_a_number_that_stands_there_already_chooses_its_country(page: Page, site: Site) -> None:
    """Filled in before the script ran."""

    def fill_in_first(route: Route) -> None:
        page.locator("#phone").fill("+7 701 234 56 78")
        route.continue_()

    page.route("**/countries*.js", fill_in_first)
    page.goto("/login/?lang=en", wait_until="load")

    chosen(page, "KZ")


def test_a_country_that_may_still_be_meant_stays(form: Page) -> None:
    """Who chose Canada types +1."""
    search(form, "canada")
    form.keyboard.press("Enter")
    form.locator("#phone").press_sequentially("+1 4")
    chosen(form, "CA")

    form.locator("#phone").press_sequentially("15")
    chosen(form, "US")

    form.locator("#phone").fill("+1 604")
    chosen(form, "CA")


@pytest.mark.parametrize("country", ["VA", "SJ", "AX", "BL"])
def test_countries_that_share_their_mobiles_stay(form: Page, country: str) -> None:
    """The Vatican's mobile numbers look like Italy's."""
    form.locator("select[name=country]").select_option(country)
    code = form.locator(f"select[name=country] option[value={country}]").inner_text().rpartition("+")[2]
    form.locator("#phone").press_sequentially(f"+{code}690001")

    chosen(form, country)


def test_tab_takes_the_highlighted_country(form: Page) -> None:
    search(form, "united k")
    form.keyboard.press("Tab")

    chosen(form, "GB")
    expect(form.locator("#phone")).to_be_focused()
    expect(form.get_by_role("combobox", name="Country")).to_have_value("United Kingdom +44")


def test_leaving_the_field_takes_the_highlighted_country(form: Page) -> None:
    """A phone's keyboard leaves without a key."""
    search(form, "mex")
    form.locator("#phone").click()

    chosen(form, "MX")


def test_shift_tab_and_arrows(form: Page) -> None:
    search(form, "united")
    form.keyboard.press("ArrowDown")
    second = form.locator("#country-list [aria-selected=true]").inner_text()
    form.keyboard.press("Shift+Tab")

    expect(form.get_by_role("combobox", name="Country")).to_have_value(second)


@pytest.mark.parametrize(("typed", "key"), [("mex", "Escape"), ("zzzz", "Tab"), ("", "Tab")])
def test_what_chooses_nothing_leaves_the_country(form: Page, typed: str, key: str) -> None:
    search(form, typed)
    form.keyboard.press(key)
    form.locator("#phone").focus()

    chosen(form, "HK")
    expect(form.get_by_role("combobox", name="Country")).to_have_value(
        form.locator("select[name=country] option[value=HK]").inner_text()
    )


def test_the_property_of_invisible_characters_is_that_of_the_browser(page: Page, site: Site) -> None:
    """The server's list against Unicode's, as the browser has it."""
    from users import characters

    page.goto("/login/")
    points = page.evaluate(
        r"""() => { const points = []; for (let point = 0; point <= 0x10ffff; point++)
        if (/\p{Default_Ignorable_Code_Point}/u.test(String.fromCodePoint(point))) points.push(point); return points; }"""
    )

    judge = characters.is_invisible.__wrapped__  # a million results are no use in its memory
    assert [point for point in range(0x110000) if judge(chr(point))] == points
