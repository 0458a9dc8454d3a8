"""From an empty production database to a first login by WhatsApp, in admin pages only, after one command."""

from collections.abc import Iterator
from pathlib import Path

import pyotp
import pytest
from playwright.sync_api import Browser, BrowserContext, expect

from tests.browser.production import META, PASSWORD, TWILIO, Installation, installation
from tests.browser.screenshots import take
from tests.browser.walk import MOST_CLICKS, Walk, fits

pytestmark = [
    pytest.mark.browser,
    pytest.mark.postgres,
    pytest.mark.xdist_group("browser"),
]
OWNER, PERSON = "+85251110001", "+85251110002"  # a phone of the admin, and one of a first user


@pytest.fixture
def installed(tmp_path: Path) -> Iterator[Installation]:
    with installation(tmp_path) as result:
        yield result


@pytest.fixture
def context(_browser: Browser, installed: Installation) -> Iterator[BrowserContext]:
    context = _browser.new_context(
        base_url=installed.base,
        ignore_https_errors=True,
        viewport={"width": 1280, "height": 900},
        locale="en",
    )
    context.set_default_timeout(15_000)
    yield context
    context.close()


def test_from_an_empty_database_to_a_login(installed: Installation, context: BrowserContext) -> None:
    page = context.new_page()
    page.set_default_timeout(6000)
    errors: list[str] = []
    page.on("pageerror", lambda error: errors.append(str(error)))
    walk = Walk(page)
    sign_in(walk)
    assert walk.states == ["next", "later", "later", "later", "later"]
    take(page, "set-up-list")
    make_project(walk)
    set_up_whatsapp(walk, installed)
    set_up_sms(walk)
    page.goto("/admin/")
    assert walk.states == ["done", "done", "done", "done", "next"]

    log_in(walk, installed)

    page.goto("/admin/setup/")
    assert walk.states == ["done"] * 5
    assert walk.clicks <= MOST_CLICKS, walk.clicks
    assert errors == []


def sign_in(walk: Walk) -> None:
    """Production asks for a second factor."""
    page = walk.page
    page.goto("/admin/")
    page.get_by_label("Username").fill("admin")
    page.get_by_label("Password").fill(PASSWORD)
    walk.press("Log in")
    secret = page.locator("p > code").inner_text().replace(" ", "")
    page.get_by_label("The six digits").fill(pyotp.TOTP(secret).now())
    walk.press("Set up the app")
    expect(page.locator("li code")).to_have_count(10)
    walk.click(page.get_by_role("link", name="I have kept them"))


def make_project(walk: Walk) -> None:
    page = walk.page
    walk.follow("New project")
    page.get_by_label("Name", exact=True).fill("Acme Shop")
    page.get_by_label("Filter the countries").fill("hong")
    walk.click(page.get_by_label("Hong Kong SAR China (+852)"))
    take(page, "new-project")
    walk.press("Create the project")
    expect(page.get_by_text("Nobody can log in yet: no sender for WhatsApp, SMS.")).to_be_visible()


def set_up_whatsapp(walk: Walk, installed: Installation) -> None:
    page = walk.page
    walk.follow("Add one")
    page.get_by_label("Phone number ID").fill(META.phone_number_id)
    page.get_by_label("WhatsApp Business Account ID").fill(META.business_account_id)
    page.get_by_label("Access token").fill(META.access_token)
    page.get_by_label("App secret", exact=True).fill(META.app_secret)
    take(page, "whatsapp-sender")
    walk.press("Save", exact=True)
    page.wait_for_url("**/setup/")
    assert fits(page)
    walk.press("Check everything")
    expect(page.locator("#connect")).to_contain_text("token works for the number of Acme Shop")
    expect(page.locator("#templates")).to_contain_text("does not exist")
    take(page.locator("#connect"), "whatsapp-connect")
    walk.press("Create missing")
    expect(page.locator("#live")).to_contain_text("en APPROVED")
    take(page.locator("#templates"), "whatsapp-templates")

    walk.press("Make a new verify token")
    callback, token = (page.locator(name).input_value() for name in ("#callback_url", "#verify_token"))
    take(page.locator("#reports"), "whatsapp-webhook")
    assert installed.enter_at_meta(callback, token)
    walk.press("Subscribe")
    expect(page.locator("#reports")).to_contain_text("Meta posts its reports to our address")
    page.get_by_label("Phone number, with +").fill(OWNER)
    walk.press("Send a test code")
    expect(page.locator("#live")).to_contain_text("WhatsApp: delivered")
    expect(page.locator("#live a[href='#reports']")).to_contain_text("last signed event")
    for step in ("connect", "templates", "reports", "try"):
        expect(page.locator(f"#live a[href='#{step}']")).to_contain_text("Works")
    take(page.locator("#live"), "whatsapp-try")
    assert fits(page)


def set_up_sms(walk: Walk) -> None:
    page = walk.page
    page.goto("/admin/")
    walk.follow("Add a sender for SMS")
    take(page, "sms-senders")
    walk.click(page.get_by_role("link", name="Twilio"))
    page.get_by_label("Account SID").fill(TWILIO.account_sid)
    page.get_by_label("Auth token", exact=True).fill(TWILIO.auth_token)
    page.get_by_label("From", exact=True).fill(TWILIO.from_number)
    walk.press("Save", exact=True)
    walk.press("Check everything")
    expect(page.locator("#live a[href='#connect']")).to_contain_text("Works")


def log_in(walk: Walk, installed: Installation) -> None:
    """With a phone, in a browser of its own."""
    browser = walk.page.context.browser
    assert browser
    window = browser.new_context(base_url=installed.base, ignore_https_errors=True, locale="en")
    person = window.new_page()
    person.goto("/login/")
    person.locator("input[name=phone]").fill(PERSON)
    walk.click(person.locator("form:has(input[name=phone]) button.primary"))
    person.wait_for_url("**/login/code/")
    # A whole code is sent by the page itself.
    person.locator("input[name=code]").fill(installed.simulator.wait_for_code(PERSON, "whatsapp"))
    person.wait_for_url("**/account/")
    window.close()
