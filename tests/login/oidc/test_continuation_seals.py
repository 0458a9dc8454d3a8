"""What an authorization request says was shown: sealed for its request and browser, and never believed of an address."""

from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from django.conf import LazySettings, settings

from login.oidc import continuation
from tests.clock import later
from tests.login.conftest import Browser, text_of
from tests.login.oidc.consent import answer_consent
from tests.login.oidc.ways import by_post, by_push
from tests.oidc.app import App, answer_of
from tests.oidc.test_par import bring, push

pytestmark = pytest.mark.django_db
FORGED = ["0", "1", "99999999999999", "-1", "0:", "0:" + "A" * 43, "x" * 5000, ""]


@pytest.mark.parametrize("changes", [{"prompt": "login"}, {"max_age": 1}, {"prompt": "select_account"}])
@pytest.mark.parametrize("forged", FORGED)
def test_an_address_cannot_say_that_something_was_shown(
    app: App, forged: str, changes: dict[str, Any]
) -> None:
    """Neither by GET, by POST nor in what is pushed."""
    app.tokens()
    with later(60):
        for page in (
            app.authorize(authsvc_asked_at=forged, **changes),
            by_post(app, authsvc_asked_at=forged, **changes),
            by_push(app, authsvc_asked_at=forged, **changes),
            bring(app, push(app, **changes).json()["request_uri"], authsvc_asked_at=forged),
        ):
            asks = page.status_code == 303 and page.url.startswith("/login/")
            chooses = page.status_code == 200 and "Acme shop" in text_of(page)
            assert chooses if "select" in str(changes) else asks


@pytest.mark.parametrize("forged", FORGED)
def test_a_url_cannot_forge_that_consent_was_asked_for(partner: App, forged: str) -> None:
    page = partner.sign_in(partner.authorize())
    answer_consent(partner, page, "yes")

    with later(5):
        assert partner.authorize(prompt="consent", authsvc_asked_at=forged).status_code == 200


def waiting(app: App, **changes: Any) -> str:
    """The address at which a request goes on after the login."""
    page = app.authorize(**changes)
    assert page.status_code == 303
    return str(parse_qs(urlsplit(page.url).query)["next"][0])


def test_a_seal_is_good_for_its_own_request_only(app: App, server_app: App) -> None:
    """That of a harmless request does not open another one."""
    app.tokens()
    seal = parse_qs(urlsplit(waiting(app, prompt="login")).query)[continuation.ASKED_AT][0]
    with later(60):
        app.sign_in(app.authorize(prompt="login"))  # since the seal was made
    with later(120):
        assert answer_of(app.authorize(prompt="login", authsvc_asked_at=seal))["code"]
        for changes in (
            {"max_age": 0},
            {"scope": "openid profile"},
            {"state": "other"},
            {"nonce": "other"},
            {"prompt": "login consent"},
            {"extra": "x"},
        ):
            page = app.authorize(**({"prompt": "login", "authsvc_asked_at": seal} | changes))
            assert page.status_code == 303, changes
            assert page.url.startswith("/login/"), changes
        assert server_app.authorize(prompt="login", authsvc_asked_at=seal).url.startswith("/login/")


def test_a_seal_is_good_in_its_own_browser_only(app: App, other_browser: Browser) -> None:
    """What a stranger was shown was not shown to this person."""
    stranger = App(client=app.client, browser=other_browser)
    stolen = waiting(stranger, prompt="login")
    with later(60):
        app.tokens()  # signed in after the stranger was asked
        assert app.browser.client.get(stolen)["Location"].startswith("/login/")
        other_browser.client.cookies[settings.SESSION_COOKIE_NAME] = app.browser.client.cookies[
            settings.SESSION_COOKIE_NAME
        ].value
        assert answer_of(other_browser.client.get(stolen))["code"]  # its own would do


def test_a_seal_is_believed_for_an_hour(app: App) -> None:
    """An address that is kept does not skip the login of a later day."""
    app.tokens()
    with later(60):
        wanted = waiting(app, prompt="login")
        app.sign_in(app.authorize(prompt="login"))
    with later(60 + continuation.VALID.total_seconds() - 30):
        assert answer_of(app.browser.client.get(wanted))["code"]
    with later(60 + continuation.VALID.total_seconds() + 30):
        assert app.browser.client.get(wanted)["Location"].startswith("/login/")


def test_a_seal_survives_a_new_secret_key(app: App, settings: LazySettings) -> None:
    page = app.authorize(prompt="login")
    old = settings.SECRET_KEY
    asked = app.browser.ask(url=page.url, next=parse_qs(urlsplit(page.url).query)["next"][0])
    assert asked.status_code == 302
    code = app.browser.code
    settings.SECRET_KEY, settings.SECRET_KEY_FALLBACKS = "n" * 50, [old]

    wanted = app.browser.enter(code)["Location"]

    assert wanted.startswith("/oauth2/authorize/")
    assert answer_of(app.browser.client.get(wanted))["code"]


def test_two_tabs_of_one_browser_do_not_spoil_each_other(app: App, server_app: App) -> None:
    """The browser keeps its name over both."""
    first, second = waiting(app, prompt="login"), waiting(server_app, prompt="login", state="other")
    app.browser.sign_in()

    assert answer_of(app.browser.client.get(first))["state"] == "st-1"
    assert answer_of(app.browser.client.get(second))["state"] == "other"


@pytest.mark.parametrize("cookie", ["", "short", "x" * 500, "é" * 20, "a\tb" * 9])
def test_nonsense_in_the_cookie_does_no_harm(app: App, cookie: str) -> None:
    app.browser.client.cookies[settings.REQUEST_COOKIE_NAME] = cookie

    assert answer_of(app.sign_in(app.authorize(prompt="login")))["code"]
    assert answer_of(app.authorize())["code"]


def test_the_cookie_is_kept_from_scripts_and_other_sites(app: App) -> None:
    morsel = app.authorize().cookies[settings.REQUEST_COOKIE_NAME]

    assert (morsel["httponly"], morsel["samesite"], morsel["path"]) == (True, "Lax", "/")
    assert len(morsel.value) >= 20
