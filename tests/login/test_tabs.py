"""Several logins at once in one browser, one in each tab, and each ends where it began."""

import re
from dataclasses import dataclass, field
from typing import Any

import pytest
from django.conf import settings
from django.test import Client

from channels.types import Channel
from otp.models import Challenge, Delivery
from projects.config import ProjectConfig
from tests import factories
from tests.clock import later
from tests.login.conftest import Browser, Page, text_of

pytestmark = pytest.mark.django_db

FOR_A, FOR_B = "/oauth2/authorize/?client_id=a&state=of-a", "/oauth2/authorize/?client_id=b&state=of-b"


def fields_of(page: str, action: str) -> dict[str, str]:
    """The hidden fields of the form that posts to `action`."""
    import html

    form = re.search(rf'<form method="post" action="{action}".*?</form>', page, re.DOTALL)
    assert form, action
    hidden = re.findall(r'<input type="hidden" name="(\w+)" value="([^"]*)"', form[0])
    return {name: html.unescape(value) for name, value in hidden}


@dataclass
class Tab:
    """One tab of a browser that checks CSRF tokens: it posts the forms as the page that it shows has them."""

    client: Client
    page: str = ""
    url: str = ""
    sent: list[Page] = field(default_factory=list)

    def get(self, url: str, **headers: str) -> Page:
        response = self.client.get(url, headers=headers)
        self.page, self.url = text_of(response), url
        return response

    def post(self, action: str, **fields: Any) -> Page:
        response = self.client.post(action, fields_of(self.page, action) | fields)
        if "Location" in response.headers:
            self.url = response.headers["Location"]
        else:
            self.page = text_of(response)
        return response

    def ask(self, phone: str, *, to: str = "") -> Page:
        from urllib.parse import quote

        self.get(f"/login/?next={quote(to, safe='')}" if to else "/login/")
        response = self.post("/login/", phone=phone)
        assert response.status_code == 302, text_of(response)
        self.get(self.url)
        return response

    def enter(self, code: str, **fields: str) -> Page:
        return self.post("/login/code/", code=code, **fields)

    @property
    def status_url(self) -> str:
        url = re.search(r'data-url="([^"]+)"', self.page)
        assert url
        return url[1]


def code_for(phone: str) -> str:
    return factories.code_of(Challenge.objects.filter(phone=phone).latest("created_at").id)


@pytest.fixture
def tabs(project: ProjectConfig) -> tuple[Tab, Tab]:
    client = Client(enforce_csrf_checks=True)
    return Tab(client), Tab(client)


@pytest.mark.parametrize("first", [0, 1])
@pytest.mark.parametrize("numbers", [(factories.PHONE, factories.OTHER_PHONE), (factories.PHONE,) * 2])
def test_each_tab_finishes_its_own_request(
    tabs: tuple[Tab, Tab], numbers: tuple[str, str], first: int
) -> None:
    """With two numbers and with one, in both orders; the second code is typed after the first one signed in."""
    for tab, phone, to in zip(tabs, numbers, (FOR_A, FOR_B), strict=True):
        tab.ask(phone, to=to)
    codes = [code_for(phone) for phone in numbers]

    for nth in (first, 1 - first):
        response = tabs[nth].enter(codes[nth])

        assert response.headers["Location"] == (FOR_A, FOR_B)[nth], text_of(response)
    assert set(Challenge.objects.values_list("attempts", flat=True)) == {
        0
    }  # no code was a wrong guess elsewhere


def test_two_tabs_without_applications_and_two_numbers(tabs: tuple[Tab, Tab]) -> None:
    """Nothing but the forms tells them apart."""
    tabs[0].ask(factories.PHONE)
    tabs[1].ask(factories.OTHER_PHONE)

    assert tabs[0].enter(code_for(factories.PHONE)).headers["Location"] == "/account/"
    assert tabs[1].enter(code_for(factories.OTHER_PHONE)).headers["Location"] == "/account/"


def test_second_tab_with_the_same_number_goes_on_long_after_the_first(tabs: tuple[Tab, Tab]) -> None:
    """The code of both was used in the first tab, and who it belongs to is signed in."""
    tabs[0].ask(factories.PHONE, to=FOR_A)
    tabs[1].ask(factories.PHONE, to=FOR_B)
    code = code_for(factories.PHONE)
    tabs[0].enter(code)

    with later(60):
        answer = tabs[1].enter(code)
        looked = tabs[1].client.get(f"/login/code/?login={fields_of(tabs[1].page, '/login/code/')['login']}")

    assert (answer.status_code, answer.headers["Location"]) == (303, FOR_B)
    assert (looked.status_code, looked.headers["Location"]) == (303, FOR_B)
    assert Delivery.objects.count() == 1


def test_phone_page_that_was_open_during_another_login_still_works(tabs: tuple[Tab, Tab]) -> None:
    """The CSRF secret changed with that login."""
    tabs[1].get(f"/login/?next={FOR_B.replace('&', '%26')}")
    tabs[0].ask(factories.PHONE, to=FOR_A)
    tabs[0].enter(code_for(factories.PHONE))

    started = tabs[1].post("/login/", phone=factories.OTHER_PHONE)
    tabs[1].get(started.headers["Location"])

    assert started.status_code == 302
    assert tabs[1].enter(code_for(factories.OTHER_PHONE)).headers["Location"] == FOR_B


def test_every_form_of_a_tab_is_about_its_own_login(tabs: tuple[Tab, Tab]) -> None:
    """Sending, switching, the poll and another number, after the other tab's login."""
    tabs[0].ask(factories.PHONE, to=FOR_A)
    tabs[1].ask(factories.OTHER_PHONE, to=FOR_B)
    tabs[1].enter(code_for(factories.OTHER_PHONE))
    first = Challenge.objects.get(phone=factories.PHONE)

    state = tabs[0].client.get(tabs[0].status_url).json()
    switched = tabs[0].post("/login/send/", channel="sms")
    tabs[0].get(switched.headers["Location"])
    changed = tabs[0].post("/login/cancel/")
    tabs[0].get(changed.headers["Location"])

    assert state["phone_masked"].endswith("67")
    assert factories.channels_of(first.id) == [Channel.WHATSAPP, Channel.SMS]
    assert 'value="+85251234567"' in tabs[0].page
    assert fields_of(tabs[0].page, "/login/")["next"] == FOR_A


def test_poll_says_that_another_tab_is_meant_by_the_bare_address(tabs: tuple[Tab, Tab]) -> None:
    """The script then puts the login's own address into the tab."""
    tabs[0].ask(factories.PHONE)
    etag = tabs[0].client.get(tabs[0].status_url)
    tabs[1].ask(factories.OTHER_PHONE)

    answers = [
        tab.client.get(tab.status_url, headers={"If-None-Match": etag.headers["ETag"]}) for tab in tabs
    ]

    assert etag.json()["is_latest"] is True
    assert [answer.json()["is_latest"] for answer in answers] == [False, True]
    page = re.search(r'data-page="([^"]+)"', tabs[0].page)
    assert page
    assert "+852 5123 4567" in text_of(tabs[0].client.get(page[1]))
    assert "+44 7911 123456" in text_of(tabs[0].client.get("/login/code/"))


def test_a_reload_without_scripts_is_recognised_by_its_referer(tabs: tuple[Tab, Tab]) -> None:
    """Browsers send the address that led to a page again when they load it again."""
    tabs[0].ask(factories.PHONE, to=FOR_A)
    tabs[1].ask(factories.OTHER_PHONE, to=FOR_B)
    came_from = "http://testserver/login/?next=" + FOR_A.replace("?", "%3F").replace("&", "%26").replace(
        "=", "%3D"
    )

    tabs[0].get("/login/code/", Referer=came_from)

    assert "+852 5123 4567" in tabs[0].page
    assert tabs[0].enter(code_for(factories.PHONE)).headers["Location"] == FOR_A


def test_form_of_another_browser_is_none(tabs: tuple[Tab, Tab], other_browser: Browser) -> None:
    """A7: a seal opens with the cookie of the browser that got it, and proves nothing without."""
    tabs[0].ask(factories.PHONE)
    stolen = fields_of(tabs[0].page, "/login/code/")["login"]
    other_browser.ask(factories.OTHER_PHONE)

    entered = other_browser.enter(code_for(factories.PHONE), login=stolen)
    polled = other_browser.client.get("/login/status/", {"login": stolen})
    sent = other_browser.client.post("/login/send/", {"channel": "sms", "login": stolen})

    assert (entered.status_code, entered.headers["Location"]) == (303, "/login/")
    assert (polled.status_code, sent.headers["Location"]) == (404, "/login/")
    assert Delivery.objects.count() == 2
    assert not Challenge.objects.exclude(attempts=0).exists()


def test_forged_and_old_seals_are_none_and_not_the_latest(browser: Browser) -> None:
    browser.ask()
    good = browser.login_cookie.form_value(browser.login_cookie.logins[0])
    token, code = browser.login_cookie.form_token(), browser.code

    for seal in ("", "x", good[:-2] + "xx", good + "A", token, "x" * 100_000, "é", "\0"):
        assert browser.enter(code, login=seal).headers["Location"] == "/login/"
    with later(31 * 60):
        assert browser.enter(code, login=good).headers["Location"] == "/login/"
    assert Challenge.objects.get().attempts == 0


def test_seals_stand_in_for_a_token_only_with_their_cookie(project: ProjectConfig) -> None:
    """F8: a planted form does nothing, wherever its seal is from."""
    browser, stranger = Client(enforce_csrf_checks=True), Tab(Client(enforce_csrf_checks=True))
    stranger.ask(factories.OTHER_PHONE)
    seal = fields_of(stranger.page, "/login/code/")["login"]
    Tab(browser).ask(factories.PHONE)

    for action in ("/login/code/", "/login/send/", "/login/cancel/", "/login/", "/logout/"):
        form = {"login": seal, "phone": factories.PHONE, "code": code_for(factories.OTHER_PHONE)}
        assert browser.post(action, form).status_code == 403
    own = stranger.client.post("/logout/", {"login": seal})
    assert own.status_code == 403  # and for the forms of the login alone


def test_seal_from_another_site_is_refused(tabs: tuple[Tab, Tab]) -> None:
    """F8."""
    tabs[0].ask(factories.PHONE)
    form = {"login": fields_of(tabs[0].page, "/login/code/")["login"], "code": code_for(factories.PHONE)}

    refused = tabs[0].client.post("/login/code/", form, headers={"Origin": "https://evil.example"})
    taken = tabs[0].client.post("/login/code/", form, headers={"Origin": "http://testserver"})

    assert (refused.status_code, taken.status_code) == (403, 302)


def test_a_ninth_login_starts_and_the_first_can_still_be_finished(tabs: tuple[Tab, Tab]) -> None:
    """The cookie is bounded; a form knows its own login."""
    tabs[0].ask(factories.PHONE, to=FOR_A)
    for nth in range(8):
        Tab(tabs[0].client).ask(f"+4479111234{nth:02}", to=f"/account/?{nth}")

    shown = re.search(r'href="(/login/code/[^"]+)"', tabs[0].page)
    changed = tabs[0].post("/login/cancel/")
    assert shown
    assert "+852 5123 4567" in text_of(tabs[0].client.get(shown[1]))
    assert 'value="+85251234567"' in text_of(tabs[0].client.get(changed.headers["Location"]))
    assert tabs[0].enter(code_for(factories.PHONE)).headers["Location"] == FOR_A


def test_logins_started_at_the_same_moment_are_both_kept_by_their_forms(project: ProjectConfig) -> None:
    """The answer that comes last writes the cookie; the code page of the other is then its own address."""
    first, second = Client(), Client()
    Tab(first).get("/login/")
    second.cookies = first.cookies.copy()  # type: ignore[assignment] # the jar as both requests had it
    a, b = Tab(first), Tab(second)
    a.ask(factories.PHONE, to=FOR_A)
    b.ask(factories.OTHER_PHONE, to=FOR_B)
    first.cookies[settings.LOGIN_COOKIE_NAME] = second.cookies[settings.LOGIN_COOKIE_NAME].value

    assert a.enter(code_for(factories.PHONE)).headers["Location"] == FOR_A


def test_no_address_holds_the_key_of_a_challenge(tabs: tuple[Tab, Tab]) -> None:
    """Addresses are logged."""
    from login import seals

    tabs[0].ask(factories.PHONE)
    challenge = Challenge.objects.get().id
    addresses = re.findall(r'(?:href|data-url|data-page)="([^"]*login=([^"&]+))"', tabs[0].page)

    assert len(addresses) >= 3
    for address, reference in addresses:
        assert challenge.bytes not in seals.decode(reference)
        assert str(challenge) not in address
        assert len(address) < 120


def test_old_key_opens_seals_while_it_is_listed(browser: Browser, settings: Any) -> None:
    """A rotated SECRET_KEY ends no login."""
    browser.ask()
    code, settings.SECRET_KEY_FALLBACKS = browser.code, [settings.SECRET_KEY]
    settings.SECRET_KEY = "another-" * 8

    assert browser.enter(code).status_code == 302
