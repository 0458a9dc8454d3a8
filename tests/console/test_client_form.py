"""What the form of a client takes, and what it refuses with a word for each line."""

import re

import pytest
from django.test import Client as Browser
from django.urls import reverse
from pytest_django import Settings

from oidc import clients
from oidc.models import Client
from projects.config import ProjectConfig
from tests import factories
from tests.console.client_pages import LIST, add, change, errors

pytestmark = pytest.mark.django_db


def test_what_was_typed_is_what_is_stored(staff: Browser, project: ProjectConfig) -> None:
    add(
        staff,
        project,
        client_type="public",
        redirect_uris="https://acme.example/a\r\n\r\n  com.acme.app:/done \r\nhttps://acme.example/a\r\n",
        post_logout_redirect_uris="http://127.0.0.1/out",
        allowed_origins="https://acme.example",
        scopes=["phone", "openid"],
        skip_authorization=None,
        backchannel_logout_uri="https://acme.example/logged-out",
        algorithm="ES256",
    )

    row = Client.objects.get()
    assert row.redirect_uris.split("\n") == ["https://acme.example/a", "com.acme.app:/done"]
    assert row.post_logout_redirect_uris == "http://127.0.0.1/out"
    assert row.allowed_origins == "https://acme.example"
    assert sorted(row.scopes) == ["openid", "phone"]
    assert (row.skip_authorization, row.pkce_required, row.algorithm) == (False, True, "ES256")
    assert row.backchannel_logout_uri == "https://acme.example/logged-out"
    known = clients.client_of("acme-shop", project_id=project.id)
    assert known
    assert known.redirect_uri_allowed("com.acme.app:/done")


def test_a_new_client_has_an_id_a_project_and_all_scopes(staff: Browser, project: ProjectConfig) -> None:
    page = staff.get(reverse("admin:oidc_client_add"))
    form = page.context["adminform"].form

    assert re.fullmatch(r"[A-Za-z0-9]{40}", str(form["client_id"].value()))
    assert form["project"].value() == project.id
    assert form["scopes"].value() == ["openid", "phone", "profile", "offline_access"]
    assert form["algorithm"].value() == "ES256"
    assert (form["skip_authorization"].value(), form["pkce_required"].value()) == (True, True)


BAD_ADDRESSES = [
    ("http://acme.example/callback", "must be https, or http on loopback"),
    ("https://*.acme.example/callback", "is not an address"),
    ("https://acme.example/callback#part", "must not have a fragment"),
    ("https://acme.example/a/../b", "must not have dots"),
    ("https://me@acme.example/", "must not have a user name"),
    ("javascript:alert(1)", "own scheme with a dot"),
    ("myapp:/done", "own scheme with a dot"),
    ("//acme.example/callback", "own scheme with a dot"),
]


@pytest.mark.parametrize("field", ["redirect_uris", "post_logout_redirect_uris"])
@pytest.mark.parametrize(("uri", "problem"), BAD_ADDRESSES)
def test_an_address_that_may_not_be_is_named_with_its_line(
    field: str, uri: str, problem: str, staff: Browser, project: ProjectConfig
) -> None:
    """I2"""
    found = errors(staff, project, **{field: f"https://acme.example/fine\r\n{uri}"})

    assert list(found) == [field]
    (line,) = found[field]
    assert line.startswith(f"{uri}: ")
    assert problem in line
    assert not Client.objects.exists()


@pytest.mark.parametrize(
    ("changes", "field", "problem"),
    [
        ({"redirect_uris": " \r\n "}, "redirect_uris", "required"),
        ({"allowed_origins": "https://acme.example/"}, "allowed_origins", "scheme, host and port only"),
        ({"allowed_origins": "http://acme.example"}, "allowed_origins", "must be https"),
        ({"allowed_origins": "*"}, "allowed_origins", "is not an origin"),
        ({"backchannel_logout_uri": "http://acme.example/out"}, "backchannel_logout_uri", "must be https"),
        ({"backchannel_logout_uri": "com.acme.app:/out"}, "backchannel_logout_uri", "must be https"),
        ({"scopes": ["phone"]}, "scopes", "must include openid"),
        ({"scopes": []}, "scopes", "required"),
        ({"scopes": ["openid", "admin"]}, "scopes", "not one of the available choices"),
        ({"client_id": "acme shop"}, "client_id", "Letters, digits"),
        ({"client_id": "acme:shop"}, "client_id", "Letters, digits"),
        ({"client_id": ""}, "client_id", "required"),
        ({"client_type": "public", "pkce_required": None}, "pkce_required", "needs PKCE"),
        ({"client_type": "public", "may_introspect": "on"}, "may_introspect", "introspects nothing"),
        ({"client_type": "secret"}, "client_type", "valid choice"),
        ({"algorithm": "none"}, "algorithm", "valid choice"),
        ({"project": ""}, "project", "required"),
        ({"jwks": "{"}, "jwks", "valid JSON"),
        ({"jwks": '{"keys": []}'}, "jwks", "must look like"),
        ({"jwks": '{"keys": [{"kty": "oct", "k": "c2VjcmV0"}]}'}, "jwks", "private or shared"),
    ],
)
def test_bad_input_is_reported_and_nothing_is_stored(
    changes: dict[str, object], field: str, problem: str, staff: Browser, project: ProjectConfig, settings: Settings
) -> None:  # fmt: skip
    settings.INSECURE_HTTP = False

    found = errors(staff, project, **changes)

    assert list(found) == [field]
    assert problem in " ".join(found[field])
    assert not Client.objects.exists()


def test_a_public_client_has_no_keys(staff: Browser, project: ProjectConfig) -> None:
    found = errors(staff, project, client_type="public", jwks=factories.public_jwks())

    assert found == {"jwks": ["a public client has none"]}


def test_an_id_belongs_to_one_client_of_all_projects(staff: Browser, project: ProjectConfig) -> None:
    other = factories.make_project(slug="other", name="Other", is_default=False)
    factories.make_client(other, client_id="acme-shop")

    assert "already exists" in errors(staff, project)["client_id"][0]


def test_project_id_and_type_stay_what_they_are(staff: Browser, project: ProjectConfig) -> None:
    other = factories.make_project(slug="other", name="Other", is_default=False)
    add(staff, project, client_type="public")
    row = Client.objects.get()

    change(staff, row, other, client_id="stolen", client_type="confidential", name="Renamed")

    row.refresh_from_db()
    assert (row.name, row.project_id) == ("Renamed", project.id)
    assert (row.client_id, row.client_type, row.client_secret) == ("acme-shop", "public", "")


def test_a_client_with_an_id_of_older_rules_can_still_be_changed(
    staff: Browser, project: ProjectConfig
) -> None:
    row = factories.make_client(project, client_id="https://old.example/")

    assert "was changed successfully" in change(staff, row, project, name="Renamed")


def test_the_list_is_filtered_and_searched(staff: Browser, project: ProjectConfig) -> None:
    other = factories.make_project(slug="other", name="Other", is_default=False)
    factories.make_client(project, client_id="first", name="Shop")
    factories.make_client(other, client_id="second", name="Till")

    def found(**query: str) -> list[str]:
        page = staff.get(reverse(LIST), query)
        return [row.client_id for row in page.context["cl"].result_list]

    assert found() == ["first", "second"]
    assert found(project__id__exact=str(other.id)) == ["second"]
    assert found(q="till") == ["second"]
    assert found(q="first") == ["first"]
    assert found(is_active__exact="0") == []
