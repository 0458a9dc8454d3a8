"""Staff set up and use factors in Chromium, with its virtual authenticator."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect

from tests.processes import demo

pytestmark = [pytest.mark.browser, pytest.mark.xdist_group("browser")]


@pytest.fixture(scope="module")
def installation(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[str, str]]:
    """A demo: its address and the password that it printed."""
    folder: Path = tmp_path_factory.mktemp("staff")
    with demo(folder, from_nothing=False) as (process, ports):
        match = re.search(r"admin / (\S+)", process.output)
        assert match
        yield ports.base, match[1]


@pytest.fixture
def staff_context(installation: tuple[str, str], _browser: Browser) -> Iterator[BrowserContext]:
    base, _password = installation
    context = _browser.new_context(base_url=base, viewport={"width": 390, "height": 844}, locale="en-GB")
    context.set_default_timeout(15_000)
    yield context
    context.close()


@pytest.fixture
def page(staff_context: BrowserContext) -> Iterator[Page]:
    page = staff_context.new_page()
    errors: list[str] = []
    page.on("pageerror", lambda error: errors.append(str(error)))
    yield page
    assert errors == []


def with_authenticator(page: Page) -> None:
    """A device that recognises its person."""
    session = page.context.new_cdp_session(page)
    session.send("WebAuthn.enable")
    options = {
        "protocol": "ctap2",
        "transport": "internal",
        "hasResidentKey": True,
        "hasUserVerification": True,
        "isUserVerified": True,
        "automaticPresenceSimulation": True,
    }
    session.send("WebAuthn.addVirtualAuthenticator", {"options": options})


def type_password(page: Page, password: str) -> None:
    page.goto("/admin/login/")
    page.get_by_label("Username").fill("admin")
    page.get_by_label("Password").fill(password)
    page.get_by_role("button", name="Log in").click()


def sign_out(page: Page) -> None:
    page.evaluate("document.getElementById('logout-form').submit()")
    page.wait_for_url("**/admin/logout/")


def assert_fits(page: Page) -> None:
    """On a phone nothing is wider than the screen."""
    assert page.evaluate("document.documentElement.scrollWidth") <= 390


def test_a_passkey_is_made_and_used(installation: tuple[str, str], page: Page) -> None:
    """The whole way: printed password, passkey, ten codes, out, password, passkey, in; once by a recovery code; and
    without the device, and without scripts."""
    _base, password = installation
    with_authenticator(page)
    type_password(page, password)
    page.goto("/admin/security/")
    assert_fits(page)
    page.get_by_label("Name of the passkey").fill("Phone of the test")
    page.get_by_role("button", name="Add a passkey").click()
    codes = page.locator("li code")
    expect(codes).to_have_count(10)
    recovery = codes.first.inner_text()
    assert_fits(page)
    page.get_by_role("link", name="I have kept them").click()
    expect(page.get_by_text("Phone of the test (localhost")).to_be_visible()

    sign_out(page)
    type_password(page, password)
    expect(page).to_have_url(re.compile("/admin/login/second-factor/$"))
    assert_fits(page)
    page.get_by_role("button", name="Use a passkey").click()
    expect(page).to_have_url(re.compile("/admin/$"))

    sign_out(page)
    type_password(page, password)
    page.get_by_label("Code of the app").fill(recovery)
    page.get_by_role("button", name="Sign in").click()
    expect(page).to_have_url(re.compile("/admin/$"))
    expect(page.get_by_text("9 are left")).to_be_visible()

    sign_out(page)
    without_a_device_the_page_says_so(page, password)
    assert page.context.browser
    without_scripts_codes_alone_are_offered(page.context.browser, installation)


def without_a_device_the_page_says_so(page: Page, password: str) -> None:
    """And the other ways stay."""
    type_password(page, password)
    expect(page).to_have_url(re.compile("/admin/login/second-factor/$"))
    page.evaluate("() => { navigator.credentials.get = () => Promise.reject(new Error('no device')) }")

    page.get_by_role("button", name="Use a passkey").click()

    expect(page.get_by_role("alert")).to_contain_text("did not answer")
    expect(page.get_by_role("button", name="Use a passkey")).to_be_enabled()
    expect(page.get_by_label("Code of the app")).to_be_visible()


def without_scripts_codes_alone_are_offered(browser: Browser, installation: tuple[str, str]) -> None:
    base, password = installation
    context = browser.new_context(base_url=base, java_script_enabled=False)
    page = context.new_page()

    type_password(page, password)

    expect(page.get_by_label("Code of the app")).to_be_visible()
    expect(page.get_by_role("button", name="Use a passkey")).to_be_hidden()
    context.close()
