"""The authorization endpoint: what is refused, where errors go, and what comes back. docs/security.md, section I."""

from urllib.parse import parse_qs, urlencode, urlsplit

import pytest
import responses

from otp.models import Delivery
from tests.login.conftest import Browser, Page, text_of
from tests.oidc.app import App, answer_of

pytestmark = pytest.mark.django_db


def error_of(app: App, **changes: object) -> str:
    answer = answer_of(app.authorize(**changes))
    assert answer["iss"] == "http://testserver"  # I7: on errors as well
    assert answer.get("state") == changes.get("state", "st-1")
    assert "code" not in answer
    return answer["error"]


@pytest.mark.parametrize(
    "changes",
    [{"client_id": "nobody"}, {"client_id": None}, {"client_id": "acme-web\0"}, {"client_id": "x" * 5000}],
)
def test_an_unknown_client_stays_on_our_page(app: App, changes: dict[str, str | None]) -> None:
    """I11"""
    page = app.authorize(**changes)

    assert page.status_code == 400
    assert "Location" not in page


def test_an_inactive_client_is_an_unknown_one(app: App) -> None:
    app.client.is_active = False
    app.client.save()

    assert app.authorize().status_code == 400


@pytest.mark.parametrize(
    "kind", ["token", "id_token", "id_token token", "code token", "code id_token", "none", "CODE"]
)
def test_only_codes_travel_through_the_browser(app: App, kind: str) -> None:
    """I3"""
    assert error_of(app, response_type=kind) == "unsupported_response_type"


def test_a_missing_response_type_is_an_invalid_request(app: App) -> None:
    """OPcert response-type-missing."""
    assert error_of(app, response_type=None) == "invalid_request"


@pytest.mark.parametrize(
    "changes",
    [
        {"code_challenge": None, "code_challenge_method": None},
        {"code_challenge_method": "plain"},
        {"code_challenge_method": None},
        {"code_challenge_method": "S512"},
        {"code_challenge": "short"},
    ],
)
def test_pkce_with_s256_is_required(app: App, changes: dict[str, str | None]) -> None:
    """I5"""
    assert error_of(app, **changes) == "invalid_request"


def test_a_client_may_be_exempted_from_pkce(server_app: App) -> None:
    """I5: so that the conformance suite's modules without it can run."""
    server_app.client.pkce_required = False
    server_app.client.save()

    code = server_app.code(code_challenge=None, code_challenge_method=None)

    assert server_app.exchange(code, code_verifier=None).status_code == 200


@pytest.mark.parametrize(
    "state", ["a b+c&d=e#f%20", "汉字 🙂", "<script>alert(1)</script>", "x" * 1000, '{"a": [1]}']
)
def test_state_and_nonce_come_back_as_they_were(app: App, state: str) -> None:
    """I8"""
    nonce = state[:200]
    answer = answer_of(app.sign_in(app.authorize(state=state, nonce=nonce)))

    assert answer["state"] == state
    tokens = app.exchange(answer["code"]).json()
    assert app.claims(tokens["id_token"])["nonce"] == nonce


def test_state_is_echoed_on_errors_too(app: App) -> None:
    assert error_of(app, state="a&b=c", response_type="token") == "unsupported_response_type"


@pytest.mark.parametrize("changes", [{"state": "x" * 1001}, {"nonce": "x" * 256}])
def test_what_cannot_be_kept_is_refused(app: App, changes: dict[str, str]) -> None:
    assert answer_of(app.authorize(**changes))["error"] == "invalid_request"


def test_posts_are_accepted_from_other_sites(app: App) -> None:
    """I10: without our CSRF token, and turned into a GET so that the browser sends its cookies along."""
    page: Page = app.http.post(
        "/oauth2/authorize/",
        urlencode(app.parameters()),
        content_type="application/x-www-form-urlencoded",
        HTTP_ORIGIN="https://acme.example",
    )

    assert page.status_code == 303
    assert parse_qs(urlsplit(page.url).query)["nonce"] == ["no-1"]
    assert answer_of(app.sign_in(app.browser.client.get(page.url)))["code"]


@pytest.mark.parametrize("method", ["put", "delete", "patch", "head"])
def test_other_methods_are_refused(app: App, method: str) -> None:
    """P7. A HEAD must not give a code away."""
    assert getattr(app.browser.client, method)(app.url()).status_code == 405


@pytest.mark.parametrize("name", ["client_id", "redirect_uri", "scope", "state", "response_type"])
def test_repeated_parameters_are_refused(app: App, name: str) -> None:
    """RFC 6749 3.1: whose they are is not to be guessed."""
    page = app.browser.client.get(f"{app.url()}&{urlencode({name: 'again'})}")

    assert page.status_code == 400
    assert "Location" not in page


@pytest.mark.parametrize(
    "changes",
    [
        {"ui_locales": "fr-CA fr en"},
        {"ui_locales": "xx"},
        {"claims_locales": "de"},
        {"acr_values": "urn:mace:incommon:iap:silver 1 2"},
        {"display": "popup"},
        {"display": "nonsense"},
        {"extra": "foobar"},
        {"claims": '{"userinfo": {"name": {"essential": true}}}'},
        {"authsvc_asked_at": "nonsense"},
    ],
)
def test_what_we_do_not_know_breaks_nothing(app: App, changes: dict[str, str]) -> None:
    """I17"""
    assert answer_of(app.sign_in(app.authorize(**changes)))["code"]


def test_malformed_claims_are_an_invalid_request(app: App) -> None:
    assert error_of(app, claims="{") == "invalid_request"


def test_the_login_page_speaks_the_language_that_was_asked_for(app: App) -> None:
    page = app.authorize(ui_locales="zh-TW es")

    assert 'lang="es"' in text_of(app.browser.client.get(page.url)) or 'lang="zh-hant"' in text_of(
        app.browser.client.get(page.url)
    )


@responses.activate
def test_request_objects_are_refused_and_never_fetched(app: App) -> None:
    """I18, D15"""
    assert error_of(app, request="eyJhbGciOiJub25lIn0.e30.") == "request_not_supported"
    assert error_of(app, request_uri="https://evil.example/request.jwt") == "request_uri_not_supported"
    assert error_of(app, registration="{}") == "registration_not_supported"
    assert len(responses.calls) == 0


@pytest.mark.parametrize("mode", ["fragment", "form_post", "web_message"])
def test_only_the_query_carries_answers(app: App, mode: str) -> None:
    """J22"""
    assert error_of(app, response_mode=mode) == "invalid_request"


def test_a_client_gets_only_the_scopes_it_is_registered_for(app: App) -> None:
    """J22; unknown scopes are ignored, not refused (Core 3.1.2.1)."""
    app.client.scopes = ["openid"]
    app.client.save()

    assert error_of(app, scope="openid phone") == "invalid_scope"
    assert app.tokens(scope="openid email address https://example.com/x")["scope"] == "openid"


@pytest.mark.parametrize("scope", ["email", "x"])
def test_nothing_but_unknown_scopes_is_an_invalid_scope(app: App, scope: str) -> None:
    assert error_of(app, scope=scope) == "invalid_scope"


def test_a_login_hint_fills_the_field_and_sends_nothing(app: App) -> None:
    """I16, F11: the number is in no address of ours."""
    page = app.authorize(login_hint="+852 5123 4567")

    assert "5123" not in page.url
    shown = text_of(app.browser.client.get(page.url))
    assert 'value="+852 5123 4567"' in shown
    assert not Delivery.objects.exists()


@pytest.mark.parametrize("hint", ["x" * 100, '"><script>', "bob@example.com"])
def test_a_hint_that_is_no_number_harms_nothing(app: App, hint: str) -> None:
    page = app.authorize(login_hint=hint)

    shown = text_of(app.browser.client.get(page.url))
    assert "<script>" not in app.browser.client.get(page.url).content.decode().split("<body>")[1]
    assert "Sign in with your phone" in shown


def test_a_second_request_without_a_hint_forgets_the_first_ones(app: App) -> None:
    app.authorize(login_hint="+852 5123 4567")
    page = app.authorize()

    assert "5123" not in text_of(app.browser.client.get(page.url))


def test_what_we_do_not_know_takes_no_room(app: App) -> None:
    """It is dropped, however long, and what is known goes on."""
    page = app.authorize(extra="x" * 3000, state="st-2")

    assert "xxx" not in page.url
    assert answer_of(app.sign_in(page))["state"] == "st-2"


def test_pages_of_the_flow_cannot_be_framed(partner: App) -> None:
    """I21, G1"""
    to_login = partner.authorize()
    pages = [
        partner.browser.client.get(to_login.url),
        partner.sign_in(to_login),
        partner.authorize(redirect_uri="https://evil.example/"),
        partner.authorize(prompt="select_account"),
    ]

    for page in pages:
        assert page.status_code in (200, 400)
        assert "frame-ancestors 'none'" in page["Content-Security-Policy"]
        assert page["X-Frame-Options"] == "DENY"
        assert page["Cache-Control"] == "no-store"


def test_a_step_cannot_be_skipped(app: App, other_browser: Browser) -> None:
    """F9: a code of an authorization request is only given to a person who logged in."""
    page = app.sign_in(app.authorize())
    assert answer_of(page)["code"]

    assert other_browser.client.get(app.url()).status_code == 303


def test_the_login_page_says_where_it_leads(app: App) -> None:
    shown = text_of(app.browser.client.get(app.authorize().url))
    assert "to continue to <b>Acme shop</b>" in shown

    for wanted in ("/account/", "/oauth2/authorize/?client_id=nobody", "/oauth2/authorize/", "//acme-web"):
        assert "to continue to" not in text_of(app.browser.client.get("/login/", {"next": wanted}))
