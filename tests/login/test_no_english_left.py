"""No page is half translated: what people read in a language without Latin letters has none but names."""

import re
from collections.abc import Callable, Iterator
from dataclasses import replace
from html import unescape
from html.parser import HTMLParser

import pytest
from django.conf import LazySettings
from django.test import Client
from django.utils import translation

from abuse.errors import RateLimited, Unavailable
from channels.types import Channel, FailureReason, Status
from core.errors import DomainError
from login.messages import errors as error_messages
from otp import errors
from otp.types import EndReason, State
from projects.config import ProjectConfig
from tests import factories
from tests.login.conftest import Browser, set_status, text_of
from tests.login.messages.deliveries import live, message, view
from tests.login.test_error_pages import Urls
from tests.oidc.app import App

LANGUAGES = ["ar", "zh-hans", "zh-hant"]
_NAMES = re.compile(r"WhatsApp|SMS|START|UTC|[Cc]ookie|Acme( shop)?|acme\.example")


class Heard(HTMLParser):
    """The words of a page, those for screen readers and scripts too; not the names of languages in themselves."""

    _SPOKEN = re.compile(r"aria-label|title|alt|placeholder|data-(busy|offline|none|text|label|waiting)")

    def __init__(self) -> None:
        super().__init__()
        self.words: list[str] = []
        self._quiet = 0

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag in ("script", "style") or (tag == "a" and "hreflang" in dict(attrs)):
            self._quiet += 1
        self.words += [value for name, value in attrs if value and self._SPOKEN.fullmatch(name)]

    def handle_endtag(self, tag: str) -> None:
        if self._quiet and tag in ("script", "style", "a"):
            self._quiet -= 1

    def handle_data(self, data: str) -> None:
        if not self._quiet and data.strip():
            self.words.append(data.strip())


def english(text: str) -> list[str]:
    return [word for word in [_NAMES.sub("", text).replace("{time}", "")] if re.search("[A-Za-z]{2}", word)]


def left_over(page: str) -> list[str]:
    heard = Heard()
    heard.feed(page)
    assert heard.words
    return [word for text in heard.words for word in english(unescape(text))]


@pytest.fixture(params=LANGUAGES)
def language(request: pytest.FixtureRequest) -> Iterator[str]:
    with translation.override(request.param):
        yield request.param


@pytest.fixture
def reader(browser: Browser, language: str) -> Browser:
    browser.client.defaults["HTTP_ACCEPT_LANGUAGE"] = language
    return browser


def test_english_is_noticed() -> None:
    assert left_over("<p>您好 <b>Sign in</b></p>") == ["Sign in"]
    assert left_over('<button data-busy="Sending">好</button>') == ["Sending"]
    assert left_over("<p>通过 WhatsApp</p>") == []


def test_login(reader: Browser) -> None:
    texts = [
        reader.page("/login/"),
        reader.ask("123").content.decode(),
        reader.ask("+15005550199").content.decode(),
    ]
    reader.ask()
    texts += [
        reader.page(),
        reader.enter("12").content.decode(),
        reader.enter(reader.wrong_code).content.decode(),
    ]
    texts += [reader.send().content.decode(), reader.page()]
    set_status(reader.challenge_id, Status.FAILED, reason=FailureReason.NOT_ON_CHANNEL)
    texts += [reader.page()]

    assert [left_over(text) for text in texts if text] == [[] for text in texts if text]


def test_end_of_a_login(reader: Browser) -> None:
    reader.ask()
    for _ in range(10):
        page = reader.enter(reader.wrong_code)
        if page.status_code == 423:
            break

    assert page.status_code == 423
    assert left_over(page.content.decode()) == []


def test_account(reader: Browser, project: ProjectConfig) -> None:
    reader.sign_in()

    pages = ["/account/", "/logout/", "/login/?next=/account/", "/oauth2/logout/"]
    assert {url: left_over(reader.page(url)) for url in pages} == {url: [] for url in pages}


@pytest.mark.parametrize("prompt", [None, "select_account"])
def test_what_an_application_leads_to(reader: Browser, project: ProjectConfig, prompt: str | None) -> None:
    app = App(factories.make_client(project, skip_authorization=False), reader)
    login = app.authorize()
    reader.sign_in()

    page = app.authorize(prompt=prompt)

    assert page.status_code == 200
    assert [left_over(text) for text in (reader.page(login.url), text_of(page))] == [[], []]


@pytest.mark.parametrize(
    ("method", "url"),
    [
        ("get", "/nowhere/"), ("get", "/forbid/"), ("get", "/crash/"), ("put", "/login/"),
        ("get", "/oauth2/authorize/"), ("get", "/oauth2/logout/?client_id=nobody"),
        ("get", "/oauth2/logout/?id_token_hint=x"), ("post", "/login/"),
    ],
)  # fmt: skip
def test_errors(project: ProjectConfig, settings: LazySettings, language: str, method: str, url: str) -> None:
    settings.ROOT_URLCONF = Urls
    client = Client(enforce_csrf_checks=True, raise_request_exception=False)

    response = getattr(client, method)(url, headers={"Accept-Language": language})

    assert response.status_code >= 400
    assert left_over(response.content.decode()) == []


def test_host_that_is_not_ours(project: ProjectConfig, language: str) -> None:
    response = Client().get("/login/", headers={"Host": "evil.example", "Accept-Language": language})

    assert left_over(response.content.decode()) == []


@pytest.mark.django_db
def test_nothing_set_up(language: str) -> None:
    response = Client().get("/login/", headers={"Accept-Language": language})

    assert response.status_code == 503
    assert left_over(response.content.decode()) == []


CAUSES = ["start", "resend", "switch", "fallback"]


OUTCOMES = [
    *((status, None) for status in Status),
    *((Status.FAILED, reason) for reason in FailureReason),
]


@pytest.mark.parametrize("cause", CAUSES)
@pytest.mark.parametrize("channel", Channel)
def test_every_way_that_a_delivery_can_go(language: str, channel: Channel, cause: str) -> None:
    other = next(c for c in Channel if c is not channel)
    for status, reason in OUTCOMES:
        newest = message(channel, status, cause, reason, from_number="+15005550006")
        for before_status, before_reason in OUTCOMES:
            before = message(other, before_status, "start", before_reason)
            for shown in (live(before, newest, waits={channel: 30}, fallback_in=20), live(newest)):
                words = [shown.headline, shown.detail, shown.countdown]
                words += [text for row in shown.rows for text in (row.name, row.label)]
                words += [text for send in shown.sends for text in (send.label, send.waiting)]
                assert [english(word) for word in words if english(word)] == []


REFUSALS: list[DomainError] = [
    errors.WrongCode(attempts_left=2), errors.NotACode(length=6), errors.CountryNotAllowed(),
    errors.ChannelNotAllowed(), RateLimited(wait_seconds=40), Unavailable(),
]  # fmt: skip


@pytest.mark.parametrize("error", REFUSALS, ids=lambda error: error.code)
def test_every_refusal(language: str, error: DomainError) -> None:
    for of_guess in (True, False):
        said = error_messages.refusal(error, of_guess=of_guess)
        assert said
        assert english(said.text) == []


ENDS: list[Callable[[], error_messages.End | None]] = [
    lambda: error_messages.end(errors.ChallengeLocked()),
    lambda: error_messages.end(errors.UserBlocked()),
    lambda: error_messages.ended(view(state=State.EXPIRED)),
    lambda: error_messages.ended(replace(view(state=State.EXPIRED), end_reason=EndReason.DISAVOWED)),
    lambda: error_messages.ended(replace(view(state=State.EXPIRED), end_reason=EndReason.IDENTITY_CHANGED)),
    lambda: error_messages.ended(replace(view(state=State.EXPIRED), end_reason=EndReason.RESTARTED)),
]


@pytest.mark.parametrize("make", ENDS)
def test_every_end(language: str, make: Callable[[], error_messages.End | None]) -> None:
    end = make()

    assert end
    assert [*english(end.title), *english(end.text)] == []


@pytest.mark.parametrize("word", ["rate_limited:9000", "challenge_consumed", "signed_out", Unavailable.code])
def test_every_notice(language: str, word: str) -> None:
    assert error_messages.notice(word)
    assert english(error_messages.notice(word)) == []
