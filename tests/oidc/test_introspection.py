"""Introspection: who learns what of whose tokens. docs/security.md, section J."""

from typing import Any

import pytest

from oidc.models import TokenFamily
from tests.oidc.app import SECRET, App, basic

pytestmark = pytest.mark.django_db


def test_a_client_learns_of_its_own_tokens(server_app: App) -> None:
    """J19"""
    tokens = server_app.tokens()

    for kind in ("access_token", "refresh_token"):
        found = server_app.post("/oauth2/introspect/", {"token": tokens[kind]})
        assert found["Cache-Control"] == "no-store"
        body = found.json()
        assert body["active"] is True
        assert body["client_id"] == "acme-server"
        assert body["scope"] == "openid phone offline_access"
        assert body["sub"] == server_app.claims(tokens["id_token"])["sub"]
        assert body["exp"] > body["iat"]
        assert "username" not in body

    by_header = server_app.post(
        "/oauth2/introspect/",
        {"token": tokens["access_token"], "client_secret": None},
        HTTP_AUTHORIZATION=basic("acme-server", SECRET),
    )
    assert by_header.json()["active"] is True


def test_everything_else_is_only_inactive(app: App, server_app: App) -> None:
    """J19: another client's, a used one, a revoked one and a made-up one are told apart by nobody."""
    others, mine = app.tokens(), server_app.tokens()
    server_app.refresh(mine["refresh_token"])
    tokens = [
        others["access_token"],
        others["refresh_token"],
        mine["refresh_token"],
        "made-up",
        mine["id_token"],
    ]

    for token in tokens:
        assert server_app.post("/oauth2/introspect/", {"token": token}).json() == {"active": False}

    TokenFamily.objects.update(revoked_at=TokenFamily.objects.get(client=server_app.client).created_at)
    found = server_app.post("/oauth2/introspect/", {"token": mine["access_token"]})
    assert found.json() == {"active": False}


def test_a_resource_server_learns_of_the_tokens_of_its_projects_clients(
    app: App, server_app: App, partner: App
) -> None:
    """O2: an API asks whose the access token is that a page brought it."""
    theirs = app.tokens()
    server_app.client.may_introspect = True
    server_app.client.save()

    for kind in ("access_token", "refresh_token"):
        found = server_app.post("/oauth2/introspect/", {"token": theirs[kind]}).json()
        assert found["active"] is True
        assert found["client_id"] == "acme-web"
        assert found["sub"] == app.claims(theirs["id_token"])["sub"]
        assert found["scope"] == "openid phone offline_access"
    assert server_app.post("/oauth2/introspect/", {"token": server_app.tokens()["access_token"]}).json()[
        "active"
    ]

    app.post("/oauth2/revoke_token/", {"token": theirs["refresh_token"]})
    for token in (theirs["access_token"], theirs["refresh_token"], theirs["id_token"], "made-up"):
        assert server_app.post("/oauth2/introspect/", {"token": token}).json() == {"active": False}


@pytest.mark.parametrize("kind", ["access_token", "refresh_token"])
def test_what_a_client_was_given_is_inactive_once_it_is_switched_off(
    app: App, server_app: App, kind: str
) -> None:
    """O2"""
    token = app.tokens()[kind]
    server_app.client.may_introspect = True
    server_app.client.save()
    app.client.is_active = False
    app.client.save()

    assert server_app.post("/oauth2/introspect/", {"token": token}).json() == {"active": False}


def test_the_right_ends_when_it_is_taken_away(app: App, server_app: App) -> None:
    """O2: at once, in every process."""
    token = app.tokens()["access_token"]
    for may in (True, False):
        server_app.client.may_introspect = may
        server_app.client.save()
        assert server_app.post("/oauth2/introspect/", {"token": token}).json()["active"] is may


@pytest.mark.parametrize(
    "changes", [{"client_secret": None}, {"client_secret": "wrong"}, {"client_id": "acme-web"}]
)
def test_introspection_needs_a_confidential_client(
    app: App, server_app: App, changes: dict[str, Any]
) -> None:
    """J19"""
    token = server_app.tokens()["access_token"]

    assert server_app.post("/oauth2/introspect/", {"token": token} | changes).status_code == 401


def test_introspection_by_public_client_is_refused(app: App) -> None:
    """J19: it cannot prove itself."""
    token = app.tokens()["access_token"]

    assert app.post("/oauth2/introspect/", {"token": token}).status_code == 401
    assert app.post("/oauth2/introspect/", {"token": token, "client_secret": ""}).status_code == 401
    assert app.http.get("/oauth2/introspect/").status_code == 405


def test_introspection_without_a_token_is_an_invalid_request(server_app: App) -> None:
    assert server_app.post("/oauth2/introspect/", {}).status_code == 400
