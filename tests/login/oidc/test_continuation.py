"""Authorization requests that wait for the person: their short URLs, and states of any length."""

from collections.abc import Callable
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

import pytest
from django.conf import LazySettings

from oidc import par, parameters, policy, retention
from oidc.models import PushedRequest
from tests.clock import later
from tests.login.conftest import Page, text_of
from tests.login.oidc.consent import answer_consent
from tests.login.oidc.ways import LOCATION, STATES, WAYS, by_post, by_push
from tests.oidc.app import App, answer_of
from tests.oidc.test_par import bring, push

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize("way", WAYS.values(), ids=list(WAYS))
@pytest.mark.parametrize("state", STATES.values(), ids=list(STATES))
def test_a_state_of_any_alphabet_comes_back(app: App, state: str, way: Callable[..., Page]) -> None:
    """However it was sent, over the login, and when signed in."""
    nonce = state[:255]
    page = way(app, state=state, nonce=nonce)
    assert len(page["Location"]) < LOCATION

    answer = answer_of(app.sign_in(page))

    assert answer["state"] == state
    tokens = app.exchange(answer["code"]).json()
    assert app.claims(tokens["id_token"])["nonce"] == nonce
    assert answer_of(way(app, state=state, prompt="none"))["state"] == state


@pytest.mark.parametrize("way", WAYS.values(), ids=list(WAYS))
def test_a_long_state_passes_every_page(partner: App, way: Callable[..., Page]) -> None:
    """Login, choice of the account, consent, and back; a no as well."""
    state = STATES["any plane"]
    page = partner.sign_in(way(partner, state=state, nonce=state[:255]))
    assert "form-action 'self' https://acme.example" in page["Content-Security-Policy"]
    assert answer_of(answer_consent(partner, page, "no")) == {
        "error": "access_denied",
        "state": state,
        "iss": "http://testserver",
    }
    allowed = answer_consent(partner, page, "yes")
    assert answer_of(partner.browser.client.get(allowed["Location"]))["state"] == state

    with later(5):
        page = way(partner, state=state, prompt="select_account consent")
        (onward,) = [part.split('"')[0] for part in text_of(page).split('class="primary" href="')[1:]]
        page = partner.browser.client.get(onward)
        allowed = answer_consent(partner, page, "yes")
        assert answer_of(partner.browser.client.get(allowed["Location"]))["state"] == state


@pytest.mark.parametrize("way", WAYS.values(), ids=list(WAYS))
@pytest.mark.parametrize("changes", [{"state": "ж" * 1001}, {"nonce": "ж" * 256}, {"state": "x" * 14_000}])
def test_a_request_beyond_the_limit_always_gets_the_same_error(
    app: App, changes: dict[str, str], way: Callable[..., Page]
) -> None:
    """Signed in and not."""
    for _ in range(2):
        if way is by_push:
            assert push(app, **changes).json()["error"] == "invalid_request"
        elif way is by_post:
            page = app.http.post("/oauth2/authorize/", app.parameters(**changes))
            assert answer_of(page)["error"] == "invalid_request"
        else:
            assert answer_of(way(app, **changes))["error"] == "invalid_request"
        app.tokens()
    assert not PushedRequest.objects.exists()


def test_what_is_longer_than_anything_that_fits_is_answered_too(app: App) -> None:
    """With an error to the application up to a size; a larger request is not read."""
    url = f"{app.url()}&{urlencode({'extra': 'x' * parameters.MOST_BYTES})}"
    assert answer_of(app.browser.client.get(url))["error"] == "invalid_request"
    posted = app.parameters(extra="x" * parameters.MOST_BYTES)
    assert answer_of(app.http.post("/oauth2/authorize/", posted))["error"] == "invalid_request"

    page = app.http.post("/oauth2/authorize/", app.parameters(extra="x" * 70_000))
    assert page.status_code == 413
    assert "Location" not in page


def test_what_fits_into_an_address_is_written_nowhere(app: App) -> None:
    """Only a long request is put aside."""
    assert answer_of(app.sign_in(app.authorize()))["code"]
    assert not PushedRequest.objects.exists()

    app.browser.client.cookies.clear()
    app.authorize(state=STATES["cyrillic"])
    assert PushedRequest.objects.count() == 1


def test_what_is_put_aside_holds_what_means_something_and_ends(app: App) -> None:
    """Size, limit and end."""
    page = app.authorize(
        state=STATES["han"], extra="y" * 4000, resource="https://a.example", login_hint="+85251234567"
    )
    row = PushedRequest.objects.get()
    assert set(row.parameters) <= parameters.KNOWN
    assert "login_hint" not in row.parameters
    assert "y" * 4000 not in str(row.parameters)
    assert retention.purge()["pushed_requests"] == 0

    with later(policy.STORED_REQUEST_VALID.total_seconds() + 1):
        wanted = parse_qs(urlsplit(page.url).query)["next"][0]
        assert app.browser.client.get(wanted).status_code == 400
        assert retention.purge()["pushed_requests"] == 1


@pytest.mark.parametrize(("name", "others"), [("keep.address", True), ("keep.client", False)])
def test_how_much_is_put_aside_is_limited(app: App, settings: LazySettings, name: str, others: bool) -> None:
    """The application gets an error; short requests go on."""
    settings.AUTHSVC_LIMITS = {name: "2/10m"}
    for _ in range(2):
        assert app.authorize(state=STATES["han"]).status_code == 303

    for way in (
        app.authorize(state=STATES["han"]),
        app.http.post("/oauth2/authorize/", app.parameters(state=STATES["han"])),
    ):
        answer = answer_of(way)
        assert answer["error"] == "temporarily_unavailable"
        assert answer["state"] == STATES["han"]
    assert PushedRequest.objects.count() == 2
    assert app.authorize().status_code == 303
    app.browser.client.defaults["REMOTE_ADDR"] = "198.51.100.1"
    assert app.authorize(state=STATES["han"]).status_code == (303 if others else 302)


def test_a_name_of_what_was_put_aside_is_its_clients(app: App, server_app: App) -> None:
    page = app.authorize(state=STATES["han"])
    wanted = parse_qs(urlsplit(page.url).query)["next"][0]
    uri = parse_qs(urlsplit(wanted).query)["request_uri"][0]
    assert uri.startswith(par.LONG_URN)

    assert bring(server_app, uri).status_code == 400
    assert bring(app, uri.replace(par.LONG_URN, par.URN)).status_code == 400
    assert bring(app, par.LONG_URN).status_code == 400
    evil = {"redirect_uri": "https://evil.example/", "state": "evil", "prompt": "none"}
    assert answer_of(app.sign_in(bring(app, uri, **evil)))["state"] == STATES["han"]


# Logging out -----------------------------------------------------------------------------------------------


def logout_parameters(app: App, **changes: Any) -> dict[str, str]:
    wanted = {"client_id": app.client.client_id, "post_logout_redirect_uri": "https://acme.example/"}
    return wanted | changes


@pytest.mark.parametrize("state", STATES.values(), ids=list(STATES))
@pytest.mark.parametrize("posts", [False, True])
def test_a_log_out_keeps_any_state_as_well(app: App, state: str, posts: bool) -> None:
    """With the question in between and with a hint, signed in and not."""
    tokens = app.tokens()
    wanted = logout_parameters(app, state=state)

    def ask(**more: str) -> Page:
        if not posts:
            return app.browser.client.get(f"/oauth2/logout/?{urlencode(wanted | more)}")
        page = app.http.post("/oauth2/logout/", wanted | more)
        assert page.status_code == 303
        assert len(page["Location"]) <= LOCATION
        return app.browser.client.get(page["Location"])

    page = ask()
    assert page.status_code == 200
    from tests.login.oidc.consent import hidden

    gone = app.browser.client.post("/oauth2/logout/confirm/", hidden(page))
    assert parse_qs(urlsplit(gone["Location"]).query)["state"] == [state]
    assert not app.browser.is_signed_in
    assert parse_qs(urlsplit(ask(id_token_hint=tokens["id_token"])["Location"]).query)["state"] == [state]


@pytest.mark.parametrize(
    "changes", [{"state": "x" * 1001}, {"state": "\0"}, {"extra": "\x7f"}, {"extra": "x" * 20_000}]
)
def test_a_log_out_beyond_the_limits_leads_nowhere(app: App, changes: dict[str, str]) -> None:
    app.tokens()
    wanted = logout_parameters(app, **changes)

    for page in (
        app.http.post("/oauth2/logout/", wanted),
        app.browser.client.get(f"/oauth2/logout/?{urlencode(wanted)}"),
    ):
        assert page.status_code in (400, 413)
        assert "Location" not in page
    assert app.browser.is_signed_in


def test_long_log_outs_are_put_aside_within_the_same_limits(app: App, settings: LazySettings) -> None:
    settings.AUTHSVC_LIMITS = {"keep.address": "1/10m"}
    wanted = logout_parameters(app, state=STATES["han"])
    first = app.http.post("/oauth2/logout/", wanted)
    assert first.status_code == 303

    assert app.http.post("/oauth2/logout/", wanted).status_code == 400
    assert PushedRequest.objects.count() == 1
    with later(policy.STORED_REQUEST_VALID.total_seconds() + 1):
        assert app.browser.client.get(first["Location"]).status_code == 400
    without = {"state": STATES["han"]}
    assert app.http.post("/oauth2/logout/", without).status_code == 400
