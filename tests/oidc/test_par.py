"""Requests sent ahead (RFC 9126). J23, J4."""

import json
from typing import Any
from urllib.parse import urlencode

import pytest

from oidc import policy
from oidc.models import PushedRequest
from tests.clock import later
from tests.login.conftest import Page, text_of
from tests.login.oidc.consent import answer_consent
from tests.oidc.app import App, answer_of

pytestmark = pytest.mark.django_db


def push(app: App, **changes: Any) -> Page:
    return app.post("/oauth2/par/", app.parameters() | changes)


def bring(app: App, uri: str, **changes: Any) -> Page:
    parameters = {"client_id": app.client.client_id, "request_uri": uri} | changes
    return app.browser.client.get(f"/oauth2/authorize/?{urlencode(parameters)}")


@pytest.fixture(params=["app", "server_app"])
def either(request: pytest.FixtureRequest) -> App:
    found: App = request.getfixturevalue(request.param)
    return found


def test_a_pushed_request_ends_in_tokens(either: App) -> None:
    """J23"""
    pushed = push(either)
    assert pushed.status_code == 201
    assert pushed["Cache-Control"] == "no-store"
    body = pushed.json()
    assert body["expires_in"] == policy.PUSHED_VALID.total_seconds()
    assert len(body["request_uri"]) > 60

    page = bring(either, body["request_uri"])
    assert "code_challenge" not in page.url
    answer = answer_of(either.sign_in(page))

    assert answer["state"] == "st-1"
    assert either.exchange(answer["code"]).status_code == 200


def test_discovery_announces_par(app: App) -> None:
    found = app.http.get("/.well-known/openid-configuration").json()

    assert found["pushed_authorization_request_endpoint"] == "http://testserver/oauth2/par/"
    assert found["require_pushed_authorization_requests"] is False


def test_a_pushed_request_gives_one_code_only(app: App) -> None:
    uri = push(app).json()["request_uri"]
    app.sign_in(bring(app, uri))

    again = bring(app, uri)

    assert again.status_code == 400
    assert "This link does not work" in text_of(again)


def test_a_pushed_request_expires(app: App) -> None:
    uri = push(app).json()["request_uri"]

    with later(policy.PUSHED_VALID.total_seconds() + 1):
        assert bring(app, uri).status_code == 400


def test_what_stands_beside_it_is_not_believed(app: App) -> None:
    """RFC 9126 4: neither another address nor fewer checks."""
    uri = push(app).json()["request_uri"]
    evil = {"redirect_uri": "https://evil.example/", "state": "evil", "scope": "openid", "prompt": "none"}

    answer = answer_of(app.sign_in(bring(app, uri, **evil)))

    assert answer["state"] == "st-1"


def test_a_pushed_request_belongs_to_its_client(app: App, server_app: App) -> None:
    uri = push(app).json()["request_uri"]

    for client_id in ("acme-server", "nobody", ""):
        assert bring(app, uri, client_id=client_id).status_code == 400


@pytest.mark.parametrize(
    "uri",
    [
        "urn:ietf:params:oauth:request_uri:made-up",
        "urn:ietf:params:oauth:request_uri:",
        "urn:ietf:params:oauth:request_uri:nul%00",
    ],
)
def test_made_up_names_lead_nowhere(app: App, uri: str) -> None:
    assert bring(app, uri).status_code == 400


@pytest.mark.parametrize(
    ("changes", "status", "error"),
    [
        ({"client_secret": "wrong"}, 401, "invalid_client"),
        ({"client_secret": None}, 401, "invalid_client"),
        ({"client_id": "nobody"}, 401, "invalid_client"),
        ({"redirect_uri": "https://evil.example/"}, 400, "invalid_request"),
        ({"response_type": "token"}, 400, "unsupported_response_type"),
        ({"code_challenge": None}, 400, "invalid_request"),
        ({"code_challenge_method": "plain"}, 400, "invalid_request"),
        ({"request_uri": "https://evil.example/"}, 400, "request_uri_not_supported"),
        ({"request": "e30."}, 400, "request_not_supported"),
        ({"scope": "email"}, 400, "invalid_scope"),
    ],
)
def test_a_push_is_checked_as_the_request_itself(
    server_app: App, changes: dict[str, Any], status: int, error: str
) -> None:
    """J4: the client proves itself as at the token endpoint."""
    page = push(server_app, **changes)

    assert page.status_code == status, page.content
    assert page.json()["error"] == error
    assert not PushedRequest.objects.exists()


def test_other_methods_and_bodies_are_refused(app: App) -> None:
    """P7"""
    assert app.http.get("/oauth2/par/").status_code == 405
    assert app.http.post("/oauth2/par/", "{}", content_type="application/json").status_code == 400


def test_secrets_are_not_kept(server_app: App) -> None:
    push(server_app)

    row = PushedRequest.objects.get()
    assert "client_secret" not in row.parameters
    assert server_app.secret not in json.dumps(row.parameters)


def test_consent_works_with_it(partner: App) -> None:
    uri = push(partner).json()["request_uri"]
    page = partner.sign_in(bring(partner, uri))
    assert "Continue to Partner?" in text_of(page)

    allowed = answer_consent(partner, page, "yes")

    assert answer_of(partner.browser.client.get(allowed["Location"]))["code"]


def test_the_form_may_reach_the_application(app: App) -> None:
    """The content policy of the code page knows where the login ends."""
    uri = push(app).json()["request_uri"]
    page = bring(app, uri)
    app.browser.ask(url=page.url, next=page.url.split("next=")[1])

    from urllib.parse import parse_qs, urlsplit

    wanted = parse_qs(urlsplit(page.url).query)["next"][0]
    app.browser.ask(url=page.url, next=wanted)
    code_page = app.browser.client.get("/login/code/")

    assert "form-action 'self' https://acme.example" in code_page["Content-Security-Policy"]


def test_the_language_of_the_request_is_that_of_the_pages(app: App, partner: App) -> None:
    """As for a request in the URL: on the page itself, and on those after it."""
    page = bring(app, push(app, ui_locales="es").json()["request_uri"])
    assert 'lang="es"' in text_of(app.browser.client.get(page.url)).split(">")[1]

    app.sign_in(page)
    consent = bring(partner, push(partner, ui_locales="pt-BR").json()["request_uri"])
    assert 'lang="pt-br"' in text_of(consent).lower().split(">")[1]


def test_hints_and_prompts_work_with_it(app: App) -> None:
    uri = push(app, login_hint="+852 5123 4567", prompt="none").json()["request_uri"]
    assert answer_of(bring(app, uri))["error"] == "login_required"

    uri = push(app, login_hint="+852 5123 4567").json()["request_uri"]
    page = bring(app, uri)
    assert "5123" not in page.url
    assert 'value="+852 5123 4567"' in text_of(app.browser.client.get(page.url))
