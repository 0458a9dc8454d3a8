"""What is wrong with clients in the file: each problem has its path, and nothing is changed."""

import json
from pathlib import Path
from typing import Any

import pytest
from pytest_django import Settings

from oidc.models import Client
from projects.models import Project
from tests import factories
from tests.ops.configfile.client_files import SERVER, WEB, apply

pytestmark = pytest.mark.django_db
KEYS = json.loads(factories.public_jwks())

PROBLEMS: list[tuple[str, dict[str, Any], str]] = [
    ("no id", WEB | {"client_id": None}, "client_id: is required"),
    ("id with a space", WEB | {"client_id": "acme web"}, "client_id: Letters, digits"),
    ("id with a colon", WEB | {"client_id": "acme:web"}, "client_id: Letters, digits"),
    ("long id", WEB | {"client_id": "a" * 101}, "client_id: must have at most 100 characters"),
    ("id is a number", WEB | {"client_id": 7}, "client_id: must be text"),
    ("no type", WEB | {"client_type": None}, "client_type: is required"),
    ("unknown type", WEB | {"client_type": "secret"}, "client_type: must be one of public, confidential"),
    ("unknown key", WEB | {"redirect_uri": "https://acme.example/"}, "redirect_uri: unknown key"),
    ("public with a secret", WEB | {"client_secret": "x"}, "client_secret: a public client has none"),
    ("public with keys", WEB | {"jwks": KEYS}, "jwks: a public client has none"),
    ("public without PKCE", WEB | {"pkce_required": False}, "pkce_required: a public client needs PKCE"),
    ("public that introspects", WEB | {"may_introspect": True}, "may_introspect: a public client cannot authenticate"),
    ("may_introspect", SERVER | {"may_introspect": "yes"}, "may_introspect: must be true or false"),
    ("no redirects", WEB | {"redirect_uris": []}, "redirect_uris: is required"),
    ("redirects are text", WEB | {"redirect_uris": "https://acme.example/"}, "redirect_uris: must be a list"),
    ("twice", WEB | {"redirect_uris": ["https://a.example/"] * 2}, "redirect_uris[1]: duplicate value"),
    ("clear http", WEB | {"redirect_uris": ["https://a.example/", "http://a.example/"]}, "redirect_uris[1]: must be https"),
    ("wildcard", WEB | {"redirect_uris": ["https://*.example/"]}, "redirect_uris[0]: is not an address"),
    ("fragment", WEB | {"redirect_uris": ["https://a.example/#x"]}, "redirect_uris[0]: must not have a fragment"),
    ("traversal", WEB | {"redirect_uris": ["https://a.example/../x"]}, "redirect_uris[0]: must not have dots"),
    ("script", WEB | {"redirect_uris": ["javascript:alert(1)"]}, "redirect_uris[0]: must be https, or"),
    ("no dot", WEB | {"redirect_uris": ["myapp:/x"]}, "redirect_uris[0]: must be https, or"),
    ("two in one", WEB | {"redirect_uris": ["https://a.example/ https://b.example/"]}, "redirect_uris[0]: is not an address"),
    ("after log-out", WEB | {"post_logout_redirect_uris": ["http://a.example/"]}, "post_logout_redirect_uris[0]: must be https"),
    ("origin with a path", WEB | {"origins": ["https://a.example/"]}, "origins[0]: must be scheme, host and port only"),
    ("every origin", WEB | {"origins": ["*"]}, "origins[0]: is not an origin"),
    ("callback", WEB | {"backchannel_logout_uri": "http://a.example/"}, "backchannel_logout_uri: must be https"),
    ("callback of an app", WEB | {"backchannel_logout_uri": "com.acme:/x"}, "backchannel_logout_uri: must be https"),
    ("unknown scope", WEB | {"scopes": ["openid", "admin"]}, "scopes[1]: must be one of openid, phone"),
    ("no openid", WEB | {"scopes": ["phone"]}, "scopes: must include openid"),
    ("first_party", WEB | {"first_party": "yes"}, "first_party: must be true or false"),
    ("algorithm", WEB | {"algorithm": "HS256"}, "algorithm: must be one of RS256, ES256"),
    ("long name", WEB | {"name": "x" * 61}, "name: must have at most 60 characters"),
    ("keys are text", SERVER | {"jwks": "x"}, "jwks: must look like"),
    ("private key", SERVER | {"jwks": {"keys": [{**KEYS["keys"][0], "d": "AA"}]}}, "jwks: key 1 is a private"),
    ("unset variable", SERVER | {"client_secret": "${NOT_SET_ANYWHERE}"}, "client_secret: the environment variable"),
]  # fmt: skip


@pytest.mark.parametrize(("client", "line"), [p[1:] for p in PROBLEMS], ids=[p[0] for p in PROBLEMS])
def test_a_problem_is_named_with_its_path_and_nothing_changes(
    client: dict[str, Any], line: str, tmp_path: Path, settings: Settings
) -> None:
    """I2 and what Client.clean refuses."""
    settings.INSECURE_HTTP = False

    result = apply(tmp_path, client)

    assert (result.code, result.out) == (2, "")
    assert f"projects[0].clients[0].{line}" in result.err
    assert "Traceback" not in result.err
    assert not Project.objects.exists()
    assert not Client.objects.exists()


def test_a_problem_in_one_client_changes_nothing_in_the_others(tmp_path: Path) -> None:
    apply(tmp_path, WEB, SERVER)
    before = list(Client.objects.order_by("pk").values())

    result = apply(tmp_path, WEB | {"name": "New"}, SERVER | {"algorithm": "none"})

    assert result.code == 2
    assert list(Client.objects.order_by("pk").values()) == before


@pytest.mark.parametrize("again", [WEB, SERVER | {"client_id": "acme-web"}], ids=["same", "other type"])
def test_an_id_stands_once(again: dict[str, Any], tmp_path: Path) -> None:
    result = apply(tmp_path, WEB, again)

    assert (result.code, result.err) == (
        2, "projects[0].clients[1].client_id: another client has this client_id\n",
    )  # fmt: skip


def test_clear_http_is_for_this_machine(tmp_path: Path) -> None:
    result = apply(
        tmp_path,
        WEB | {"redirect_uris": ["http://localhost:3000/cb", "http://[::1]/cb", "http://127.0.0.1/cb"]},
    )

    assert (result.code, result.err) == (0, "")


def test_secrets_are_in_no_problem(tmp_path: Path) -> None:
    """A9"""
    result = apply(tmp_path, SERVER | {"algorithm": "none", "jwks": {"keys": [{"kty": "oct", "k": "c2Vj"}]}})

    assert result.code == 2
    for secret in (SERVER["client_secret"], "c2Vj"):
        assert secret not in result.err
