"""A client of one project can do nothing in another; pages of strangers read nothing. K8, J21."""

import json
from typing import Any

import pytest
from django.test import Client as Http

from core.config_models import ConfigVersion
from oidc import cors
from oidc.models import Client
from projects.models import Domain, LoginMethods, Project
from tests import factories
from tests.login.conftest import Browser, Page
from tests.oidc.app import SECRET, App

pytestmark = pytest.mark.django_db
OTHER = "login.other.example"


@pytest.fixture
def other(app: App, settings: Any) -> App:
    """The same browser and person at another project's host."""
    settings.ALLOWED_HOSTS = ["testserver", OTHER]
    project = Project.objects.create(slug="other", name="Other")
    LoginMethods.objects.update_or_create(project=project, defaults={"countries_allowed": ["all"]})
    Domain.objects.create(project=project, host=OTHER)
    client = Client.objects.create(
        project=project,
        client_id="other-web",
        client_type="public",
        redirect_uris="https://acme.example/callback",
    )
    browser = Browser(HTTP_HOST=OTHER)
    browser.client.cookies = app.browser.client.cookies
    return App(client=client, browser=browser, http=Http(enforce_csrf_checks=True, HTTP_HOST=OTHER))


def test_a_client_is_unknown_at_other_projects(app: App, other: App) -> None:
    """K8: at every endpoint."""
    app.client, other.client = other.client, app.client

    for one in (app, other):
        assert one.authorize().status_code == 400
        assert one.exchange("code").status_code == 401
        assert one.refresh("token").status_code == 401
        assert one.post("/oauth2/revoke_token/", {"token": "x"}).status_code == 401
        page = one.browser.client.get(f"/oauth2/logout/?client_id={one.client.client_id}")
        assert page.status_code == 400


def test_a_session_of_one_project_is_none_at_another(app: App, other: App) -> None:
    app.tokens()

    assert other.authorize().url.startswith("/login/")
    assert not other.browser.is_signed_in


def test_tokens_are_unknown_at_other_projects(app: App, other: App) -> None:
    tokens = app.tokens()

    assert other.userinfo(tokens["access_token"]).status_code == 401
    assert other.refresh(tokens["refresh_token"]).json()["error"] == "invalid_grant"
    assert other.exchange(app.code()).json()["error"] == "invalid_grant"
    other.post("/oauth2/revoke_token/", {"token": tokens["refresh_token"]})
    assert app.userinfo(tokens["access_token"]).status_code == 200


@pytest.mark.parametrize("may_introspect", [False, True])
@pytest.mark.parametrize("kind", ["access_token", "refresh_token"])
def test_a_confidential_client_learns_nothing_of_other_projects(
    app: App, other: App, may_introspect: bool, kind: str
) -> None:
    """O2: neither as a resource server."""
    tokens = app.tokens()
    from oidc.client_secrets import hash_secret

    Client.objects.filter(pk=other.client.pk).update(
        client_type="confidential", client_secret=hash_secret(SECRET), may_introspect=may_introspect
    )
    ConfigVersion.bump()
    other.secret = SECRET

    found = other.post("/oauth2/introspect/", {"token": tokens[kind]})

    assert found.json() == {"active": False}


def test_an_id_token_of_another_project_is_no_hint(app: App, other: App) -> None:
    token = app.tokens()["id_token"]

    assert "error=invalid_request" in other.authorize(id_token_hint=token, prompt="none").url
    assert other.browser.client.get(f"/oauth2/logout/?id_token_hint={token}").status_code == 400
    assert app.browser.is_signed_in


def test_the_same_number_is_another_person_elsewhere(app: App, other: App) -> None:
    """sub is a project's own."""
    here = app.claims(app.tokens()["id_token"])
    other.browser.client.cookies.clear()
    there = other.exchange(other.code()).json()

    import jwt

    claims = jwt.decode(there["id_token"], options={"verify_signature": False})
    assert claims["iss"] == f"http://{OTHER}"
    assert claims["sub"] != here["sub"]
    assert claims["phone_number"] == here["phone_number"] == factories.PHONE


def test_grants_of_another_project_cannot_be_revoked(app: App, other: App) -> None:
    tokens = app.tokens()

    other.browser.client.post("/account/apps/", {"client_id": "acme-web"})

    assert app.userinfo(tokens["access_token"]).status_code == 200


def test_a_host_without_a_project_has_no_provider(settings: Any) -> None:
    settings.ALLOWED_HOSTS = ["testserver", "nobody.example"]
    http = Http(HTTP_HOST="nobody.example")

    for path in ("/.well-known/openid-configuration", "/.well-known/jwks.json", "/oauth2/userinfo/"):
        page: Page = http.get(path)
        assert page.status_code == 404
        assert json.loads(page.content)["error"]
    assert http.get("/oauth2/authorize/").status_code == 503


# Other origins --------------------------------------------------------------------------------------

GOOD, EVIL = "https://acme.example", "https://evil.example"


def preflight(app: App, path: str, origin: str) -> Page:
    return app.http.options(
        path,
        HTTP_ORIGIN=origin,
        HTTP_ACCESS_CONTROL_REQUEST_METHOD="POST",
        HTTP_ACCESS_CONTROL_REQUEST_HEADERS="x",
    )


@pytest.mark.parametrize("path", ["/oauth2/token/", "/oauth2/userinfo/", "/oauth2/revoke_token/"])
def test_pages_of_registered_origins_may_call(app: App, path: str) -> None:
    """J21: never with cookies."""
    page = preflight(app, path, GOOD)

    assert page.status_code == 204
    assert page["Access-Control-Allow-Origin"] == GOOD
    assert "POST" in page["Access-Control-Allow-Methods"]
    assert "Authorization" in page["Access-Control-Allow-Headers"]
    assert "Access-Control-Allow-Credentials" not in page
    assert "Origin" in page["Vary"]


@pytest.mark.parametrize(
    "origin",
    [EVIL, "null", "http://acme.example", "https://acme.example:444", "https://acme.example.evil.example"],
)
@pytest.mark.parametrize("path", ["/oauth2/token/", "/oauth2/userinfo/", "/oauth2/revoke_token/"])
def test_pages_of_others_may_not(app: App, path: str, origin: str) -> None:
    """J21"""
    assert "Access-Control-Allow-Origin" not in preflight(app, path, origin)
    code = app.code()
    page = app.exchange(code, HTTP_ORIGIN=origin)
    assert "Access-Control-Allow-Origin" not in page


@pytest.mark.parametrize("path", ["/oauth2/authorize/", "/oauth2/logout/", "/login/", "/oauth2/introspect/"])
def test_pages_for_people_are_never_shared(app: App, path: str) -> None:
    """J21: AUTHZ never."""
    for page in (preflight(app, path, GOOD), app.http.get(path, HTTP_ORIGIN=GOOD)):
        assert "Access-Control-Allow-Origin" not in page


def test_the_answer_itself_is_readable(app: App) -> None:
    page = app.exchange(app.code(), HTTP_ORIGIN=GOOD)

    assert page.status_code == 200
    assert page["Access-Control-Allow-Origin"] == GOOD
    assert "Retry-After" in page["Access-Control-Expose-Headers"]


def test_an_origin_belongs_to_its_own_client(app: App, server_app: App) -> None:
    """A page of one client does not call in another's name; a confidential client has the origins it lists."""
    assert "Access-Control-Allow-Origin" not in server_app.exchange(server_app.code(), HTTP_ORIGIN=GOOD)
    assert cors.origins_of(server_app.client) == frozenset()
    server_app.client.allowed_origins = "https://shop.example"
    server_app.client.save()

    page = server_app.exchange(server_app.code(), HTTP_ORIGIN="https://shop.example")
    assert page["Access-Control-Allow-Origin"] == "https://shop.example"


def test_origins_of_another_project_are_refused(app: App, other: App) -> None:
    other.client.allowed_origins = "https://other.example"
    other.client.save()

    assert "Access-Control-Allow-Origin" not in preflight(app, "/oauth2/token/", "https://other.example")
    assert preflight(other, "/oauth2/token/", "https://other.example")["Access-Control-Allow-Origin"]


def test_addresses_of_phones_are_no_origins(app: App) -> None:
    app.client.redirect_uris = "com.example.app:/cb\nhttp://127.0.0.1/cb"
    app.client.save()

    assert cors.origins_of(app.client) == {"http://127.0.0.1"}
