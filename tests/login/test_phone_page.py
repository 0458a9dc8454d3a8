"""The first page: a number in, a challenge out, once."""

import re
import threading

import pytest
from django.db import connections
from django.test import Client, RequestFactory

from channels.types import Channel
from login.views import _fallback_token
from otp.models import Challenge, Delivery
from otp.types import EndReason
from projects.config import ProjectConfig
from tests import factories
from tests.clock import later
from tests.login.conftest import Browser, text_of
from tests.login.support import allow
from users.models import User

pytestmark = pytest.mark.django_db


# The page ----------------------------------------------------------------------------------------


def test_page_holds_one_form_for_new_and_known_people(browser: Browser) -> None:
    page = browser.page("/login/")

    assert page.count('name="phone"') == 1
    assert re.search(r'<input type="tel" name="phone"[^>]* dir="ltr"[^>]* autocomplete="tel"', page)
    assert '<select name="country"' in page
    assert "Your account is made when you sign in for the first time" in page


@pytest.mark.parametrize(
    ("mode", "notice", "choice"),
    [
        ("whatsapp_or_sms", "We will send you a one-time code by WhatsApp or SMS.", True),
        ("whatsapp_only", "We will send you a one-time code by WhatsApp.", False),
        ("sms_only", "We will send you a one-time code by SMS.", False),
    ],
)
def test_notice_names_the_ways_that_are_used(browser: Browser, mode: str, notice: str, choice: bool) -> None:
    allow(verify_phone_by=mode)

    page = browser.page("/login/")

    assert notice in page
    assert ('name="channel" value="sms"' in page) is choice


def test_pinned_countries_come_first(browser: Browser) -> None:
    allow(countries_pinned=["HK", "GB"])

    offered = re.findall(r'<option value="([A-Z]{2})"', browser.page("/login/"))

    assert offered[:2] == ["HK", "GB"]
    assert "FR" in offered


def test_country_is_guessed_from_the_language(browser: Browser) -> None:
    response = browser.client.get("/login/", headers={"Accept-Language": "fr-CH"})

    assert re.search(r'<option value="CH"[^>]* selected', text_of(response))


def test_a_single_country_is_not_asked_for(browser: Browser) -> None:
    allow(countries_allowed=["HK"])

    page = browser.page("/login/")

    assert "<select" not in page
    assert '<input type="hidden" name="country" value="HK">' in page


def test_whole_world_stays_light(browser: Browser) -> None:
    """Page, style and script together, uncompressed, with every country on offer."""
    from pathlib import Path

    size = len(browser.client.get("/login/").content)
    size += sum(Path("static/login", name).stat().st_size for name in ("login.css", "login.js"))

    assert size < 48_000


# A number comes in -------------------------------------------------------------------------------


def test_a_number_leads_to_the_code_page(browser: Browser) -> None:
    response = browser.ask()

    assert (response.status_code, response.headers["Location"]) == (302, "/login/code/")
    assert Challenge.objects.get().phone == factories.PHONE
    assert Challenge.objects.get().origin == "http://testserver"


@pytest.mark.parametrize(
    ("typed", "country", "meant"),
    [
        ("5123 4567", "HK", "+85251234567"),
        ("+852 5123 4567", "GB", "+85251234567"),  # a typed + wins over the select
        ("07911 123456", "gb", "+447911123456"),
        ("٥١٢٣٤٥٦٧", "HK", "+85251234567"),
        ("5123-4567", "hk", "+85251234567"),
    ],
)
def test_numbers_are_read_as_people_write_them(
    browser: Browser, typed: str, country: str, meant: str
) -> None:
    assert browser.ask(typed, country=country).status_code == 302
    assert Challenge.objects.get().phone == meant


def test_address_language_and_origin_are_passed_on(project: ProjectConfig) -> None:
    browser = Browser(REMOTE_ADDR="203.0.113.50", headers={"Accept-Language": "pt-BR"})
    browser.ask()

    challenge = Challenge.objects.get()

    assert (challenge.address, challenge.language) == ("203.0.113.50", "pt-br")


def test_choice_of_sms_is_honoured(browser: Browser) -> None:
    browser.ask(channel="sms")

    delivery = Delivery.objects.get()
    assert (delivery.channel, delivery.chosen) == (Channel.SMS, True)


def test_known_and_unknown_numbers_get_the_same_answer(browser: Browser, other_browser: Browser) -> None:
    """E1."""
    browser.sign_in(factories.PHONE)
    assert User.objects.get().phone == factories.PHONE

    with later(3600):
        known, unknown = browser.ask(factories.PHONE), other_browser.ask(factories.OTHER_PHONE)

        assert (known.status_code, known.headers["Location"]) == (
            unknown.status_code,
            unknown.headers["Location"],
        )
        assert {*known.cookies} == {*unknown.cookies}
        assert {*known.headers} == {*unknown.headers}
        pages = [
            re.sub(r'value="[^"]*"|etag="[^"]*"|•• ?\d\d|\+\d+', "", b.page())
            for b in (browser, other_browser)
        ]
        assert len(pages[0].splitlines()) == len(pages[1].splitlines())


# Once --------------------------------------------------------------------------------------------


def test_one_form_posted_often_is_one_challenge(browser: Browser) -> None:
    """C2."""
    token = browser.form_token()

    answers = {
        browser.client.post("/login/", {"form_token": token, "phone": factories.PHONE}).headers["Location"]
        for _ in range(20)
    }

    assert answers == {"/login/code/"}
    assert Delivery.objects.count() == 1


def test_posts_without_a_token_count_as_one_form(project: ProjectConfig) -> None:
    """C2: also for a client that does not send our hidden field."""
    browser = Browser()
    browser.form_token()  # the CSRF cookie comes with the page

    for _ in range(3):
        assert browser.client.post("/login/", {"phone": factories.PHONE}).status_code == 302

    assert Delivery.objects.count() == 1


def test_fallback_token_differs_by_browser_and_minute() -> None:
    def token(secret: str) -> str:
        request = RequestFactory().post("/login/")
        request.META["CSRF_COOKIE"] = secret
        return _fallback_token(request)

    now = token("a")

    assert token("b") != now
    with later(61):
        assert token("a") != now


@pytest.mark.django_db(transaction=True)
def test_twenty_posts_at_once_are_one_challenge(project: ProjectConfig) -> None:
    """C2: in parallel, each on a connection of its own."""
    browser = Browser()
    token = browser.form_token()
    answers: list[tuple[int, str]] = []

    def post() -> None:
        client = Client()
        client.cookies = browser.client.cookies.copy()  # type: ignore[assignment] # a jar of its own
        response = client.post("/login/", {"form_token": token, "phone": factories.PHONE})
        answers.append((response.status_code, response.headers.get("Location", "")))
        connections.close_all()

    threads = [threading.Thread(target=post) for _ in range(20)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert set(answers) == {(302, "/login/code/")}
    assert Delivery.objects.count() == 1


def test_looking_never_sends(browser: Browser) -> None:
    """C1: reload, back, HEAD and previews."""
    browser.ask()

    for url in ("/login/", "/login/code/", "/login/status/", "/login/send/", "/login/cancel/", "/"):
        browser.client.get(url)
        browser.client.head(url)

    assert Delivery.objects.count() == 1


def test_same_number_again_goes_on_with_the_same_challenge(browser: Browser) -> None:
    browser.ask()
    first = browser.challenge_id

    browser.ask()

    assert browser.challenge_id == first
    assert Delivery.objects.count() == 1


def test_another_number_for_the_same_request_ends_the_first_challenge(browser: Browser) -> None:
    """Back, and the number better typed: an application's request is one login. Without one it may be another tab."""
    browser.ask(next="/oauth2/authorize/?state=a")
    first = browser.challenge_id

    browser.ask(factories.OTHER_PHONE, next="/oauth2/authorize/?state=a")

    assert Challenge.objects.get(id=first).end_reason == EndReason.RESTARTED
