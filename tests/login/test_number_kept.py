"""The typed number is shown, can be corrected without typing it again, and the sent code stays valid."""

import re

import pytest

from otp.models import Challenge, Delivery
from otp.types import EndReason
from projects.config import ProjectConfig
from tests import factories
from tests.clock import later
from tests.login.conftest import Browser, text_of
from tests.login.test_tabs import fields_of

pytestmark = pytest.mark.django_db


def press(browser: Browser, page: str, action: str, **fields: str) -> str:
    """Post the form of a page and follow where it leads; the page that is then shown."""
    response = browser.client.post(action, fields_of(page, action) | fields)
    while "Location" in response.headers:
        response = browser.client.get(response.headers["Location"])
    return text_of(response)


def prefilled(page: str) -> tuple[str, str]:
    """The number and the country that the phone form holds."""
    phone = re.search(r'<input type="tel" name="phone"[^>]* value="([^"]*)"', page)
    country = re.search(r'<option value="([A-Z]{2})"[^>]* selected', page)
    assert phone
    return phone[1], country[1] if country else ""


@pytest.mark.parametrize(
    ("typed", "country", "written"),
    [
        ("5123 4567", "HK", "+852 5123 4567"),
        ("07911 123456", "GB", "+44 7911 123456"),
        ("+1 415 555 0123", "HK", "+1 415-555-0123"),
        ("٥١٢٣٤٥٦٧", "HK", "+852 5123 4567"),
    ],
)
def test_change_keeps_number_and_country(browser: Browser, typed: str, country: str, written: str) -> None:
    """The code page shows the number as people write it, and Change the form as it was filled in."""
    browser.ask(typed, country=country)
    page = browser.page()

    changed = press(browser, page, "/login/cancel/")

    assert f'<bdi dir="ltr" class="number">{written}</bdi>' in page
    assert prefilled(changed) == (typed, country)


def test_same_number_after_change_goes_on_without_a_wait(browser: Browser) -> None:
    """Used to show "Too many tries. Please wait 10 seconds" after one try."""
    browser.ask("5123 4567", country="HK", next="/account/?a=1")
    code, first = browser.code, browser.challenge_id
    changed = press(browser, browser.page(), "/login/cancel/")

    again = press(browser, changed, "/login/", phone="51234567", country="HK")

    assert "Enter your code" in again
    assert (browser.challenge_id, Delivery.objects.count()) == (first, 1)
    assert browser.enter(code).headers["Location"] == "/account/?a=1"


def test_other_number_after_change_takes_the_place_of_the_first(browser: Browser) -> None:
    """Nothing more is sent to the first, and its login is gone."""
    browser.ask("5123 4567", country="HK", next="/account/?a=1")
    first = browser.challenge_id
    changed = press(browser, browser.page(), "/login/cancel/")

    press(browser, changed, "/login/", phone="07911 123456", country="GB")

    assert Challenge.objects.get(id=first).end_reason == EndReason.RESTARTED
    assert not Delivery.objects.filter(challenge_id=first).exclude(due_at=None).exists()
    assert len(browser.login_cookie.logins) == 1
    assert browser.enter(browser.code).headers["Location"] == "/account/?a=1"


def test_change_in_one_tab_does_not_end_the_login_of_another(browser: Browser) -> None:
    """Both tabs wait for one challenge, and one of them wants another number."""
    browser.ask("5123 4567", country="HK", next="/account/?a")
    browser.ask("5123 4567", country="HK", next="/account/?b")
    second = browser.page()
    code = browser.code

    changed = press(browser, second, "/login/cancel/")
    press(browser, changed, "/login/", phone="07911 123456", country="GB")

    assert Challenge.objects.get(phone=factories.PHONE).ended_at is None
    (first,) = [login for login in browser.login_cookie.logins if login.next == "/account/?a"]
    answer = browser.enter(code, login=browser.login_cookie.form_value(first))
    assert answer.headers["Location"] == "/account/?a"


def test_change_to_the_number_of_another_tab_goes_on_with_that_one(browser: Browser) -> None:
    """No second message, and the number that was left gets nothing more."""
    browser.ask("5123 4567", country="HK")
    browser.ask("07911 123456", country="GB")
    left = browser.challenge_id

    changed = press(browser, browser.page(), "/login/cancel/")
    press(browser, changed, "/login/", phone="5123 4567", country="HK")

    assert browser.challenge_id == Challenge.objects.get(phone=factories.PHONE).id
    assert Challenge.objects.get(id=left).end_reason == EndReason.CANCELLED
    assert Delivery.objects.count() == 2


def test_change_can_be_taken_back(browser: Browser) -> None:
    """The code still works while the number is looked at."""
    browser.ask("5123 4567", country="HK")
    changed = press(browser, browser.page(), "/login/cancel/")

    back = re.search(r'href="(/login/code/[^"]*)">Back to the code', changed)

    assert back
    assert "Enter your code" in browser.page(back[1])


@pytest.mark.parametrize(
    ("seconds", "wrong", "title"), [(601, 0, "has expired"), (60, 5, "Too many wrong codes")]
)
def test_new_code_is_one_button_away(browser: Browser, seconds: int, wrong: int, title: str) -> None:
    """Expired and locked; for the same number, on its way to the same place."""
    browser.ask("5123 4567", country="HK", next="/account/?a=1")
    first = browser.challenge_id
    for _ in range(wrong):
        browser.enter(browser.wrong_code)

    with later(seconds):
        over = text_of(browser.client.get("/login/code/"))
        again = press(browser, over, "/login/")

        assert title in over
        assert "+852 5123 4567" in over
        assert "Send a new code" in over
        assert "Enter your code" in again
        assert browser.challenge_id != first
        assert Challenge.objects.get(id=browser.challenge_id).phone == factories.PHONE
        assert browser.enter(browser.code).headers["Location"] == "/account/?a=1"


def test_number_can_be_changed_from_the_page_of_an_ended_login(browser: Browser) -> None:
    browser.ask("5123 4567", country="HK", next="/account/?a=1")

    with later(601):
        changed = press(browser, text_of(browser.client.get("/login/code/")), "/login/cancel/")

        assert prefilled(changed) == ("5123 4567", "HK")
        assert fields_of(changed, "/login/")["next"] == "/account/?a=1"


def test_every_other_way_back_keeps_the_number_too(browser: Browser) -> None:
    """The back button reloads the page, because it is never stored."""
    browser.ask("5123 4567", country="HK")

    assert prefilled(browser.page("/login/")) == ("5123 4567", "HK")
    assert prefilled(browser.page("/login/?lang=es")) == ("5123 4567", "HK")


def test_waits_of_codes_say_how_long_and_hold_the_button(browser: Browser, other_browser: Browser) -> None:
    """ "Too many tries" is said of guesses alone; the countdown is on the button, the words are in the page."""
    other_browser.ask("5123 4567", country="HK")

    page = text_of(browser.ask("5123 4567", country="HK"))

    assert "Too many tries" not in page
    assert "Please wait 30 seconds" in page
    assert 'data-wait="30">Continue</button>' in page
    assert "disabled" not in page  # without scripts it can be pressed at any time
    assert prefilled(page) == ("5123 4567", "HK")


def test_new_code_that_must_wait_keeps_everything(browser: Browser) -> None:
    """Locked within the wait."""
    browser.ask("5123 4567", country="HK", next="/account/?a=1")
    for _ in range(5):
        browser.enter(browser.wrong_code)

    page = press(browser, text_of(browser.client.get("/login/code/")), "/login/")

    assert re.search(r"Please wait \d+ seconds", page)
    assert "Too many tries" not in page
    assert prefilled(page) == ("5123 4567", "HK")
    assert fields_of(page, "/login/")["next"] == "/account/?a=1"


def test_other_browsers_see_only_the_masked_number(browser: Browser, other_browser: Browser) -> None:
    """G12: not the poll, not another browser, not one with the address of the page."""
    browser.ask("5123 4567", country="HK")
    page = browser.page()
    addresses = re.findall(r'"(/login/[^"]*login=[^"]+)"', page)

    seen = [text_of(other_browser.client.get(address)) for address in ("/login/", "/login/code/", *addresses)]
    poll = browser.client.get("/login/status/").content.decode()

    assert len(addresses) >= 2
    for text in (*seen, poll):
        assert "4567" not in text.replace(" ", "")


def test_signed_out_browser_forgets_the_number(browser: Browser) -> None:
    """What was finished is kept nowhere."""
    browser.ask("07911 123456", country="GB")  # mistyped, and never finished
    browser.sign_in("5123 4567", country="HK")
    signed_in = browser.page("/login/")
    browser.client.post("/logout/")

    assert prefilled(signed_in)[0] == ""
    assert prefilled(browser.page("/login/"))[0] == ""


def test_form_of_another_tab_keeps_its_number_over_a_sign_out(browser: Browser) -> None:
    """The cookie forgets it, the form does not."""
    browser.sign_in("5123 4567", country="HK")
    browser.ask("07911 123456", country="GB")
    page = browser.page()
    browser.client.post("/logout/")

    assert prefilled(press(browser, page, "/login/cancel/")) == ("07911 123456", "GB")


def test_hint_of_an_application_goes_before_what_was_typed_for_another(
    browser: Browser, project: ProjectConfig
) -> None:
    """It names who is meant to sign in now."""
    factories.make_client(project)
    browser.ask("5123 4567", country="HK")
    request = "client_id=acme-web&response_type=code&redirect_uri=https%3A%2F%2Facme.example%2Fcallback&scope=openid"
    challenge = "&code_challenge=" + "c" * 43 + "&code_challenge_method=S256&login_hint=%2B447911123456"

    page = browser.client.get(f"/oauth2/authorize/?{request}{challenge}", follow=True)

    assert prefilled(text_of(page))[0] == "+447911123456"
