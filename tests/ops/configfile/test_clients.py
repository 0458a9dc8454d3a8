"""OpenID Connect clients of the file: made, changed, switched off, exported, and never a secret said aloud."""

import json
from io import StringIO
from pathlib import Path

import pytest
import yaml
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from django.core.management import call_command
from pytest_django import Settings

from core.config_models import ConfigVersion
from oidc import clients, keys
from oidc.client_secrets import matches
from oidc.models import Client, TokenFamily
from ops.configfile import clients as file_clients
from projects.models import Project
from tests import factories
from tests.console.client_pages import sign_in
from tests.ops.configfile.client_files import SECRET, SERVER, WEB, apply, lines, text
from tests.ops.configfile.support import Result

pytestmark = pytest.mark.django_db
ROOT = Path(__file__).resolve().parents[3]


def test_clients_are_made_as_the_file_says(tmp_path: Path) -> None:
    result = apply(
        tmp_path,
        WEB,
        SERVER
        | {
            "name": "Acme server",
            "first_party": False,
            "scopes": ["phone", "openid"],
            "origins": ["https://server.example"],
            "pkce_required": False,
            "may_introspect": True,
            "backchannel_logout_uri": "https://server.example/out",
            "algorithm": "ES256",
        },
    )

    assert lines(result) == [
        "projects.acme.clients.acme-web: created",
        "projects.acme.clients.acme-server: created",
    ]
    web, server = Client.objects.get(client_id="acme-web"), Client.objects.get(client_id="acme-server")
    assert (web.client_type, web.client_secret) == ("public", "")
    assert web.redirect_uris == "https://acme.example/callback"
    assert (web.skip_authorization, web.pkce_required, web.algorithm, web.jwks) == (True, True, "ES256", None)
    assert web.scopes == ["openid", "phone", "profile", "offline_access"]
    assert (server.name, server.skip_authorization, server.pkce_required) == ("Acme server", False, False)
    assert (web.may_introspect, server.may_introspect) == (False, True)  # O2
    assert (server.scopes, server.algorithm) == (["openid", "phone"], "ES256")
    assert server.backchannel_logout_uri == "https://server.example/out"
    assert matches(SECRET, server.client_secret)
    for row in (web, server):
        row.full_clean()
    assert clients.client_of("acme-web", project_id=Project.objects.get().id)


def test_a_second_time_changes_nothing(tmp_path: Path) -> None:
    keys = json.loads(factories.public_jwks())
    partner = {**SERVER, "client_id": "keys", "jwks": keys}
    del partner["client_secret"]
    apply(tmp_path, WEB, SERVER, partner)
    rows, version = list(Client.objects.values()), ConfigVersion.objects.get().value

    assert lines(apply(tmp_path, WEB, SERVER, partner)) == ["nothing to change"]
    assert (list(Client.objects.values()), ConfigVersion.objects.get().value) == (rows, version)


def test_every_change_is_a_line_and_check_only_tells(tmp_path: Path) -> None:
    apply(tmp_path, WEB, SERVER)
    changed = WEB | {"name": "Shop", "redirect_uris": ["com.acme.app:/done", "http://127.0.0.1/cb"]}
    changed |= {"first_party": False, "scopes": ["openid"]}

    told = Result(text(changed, SERVER), tmp_path, "--check")
    assert told.code == 3
    assert Client.objects.get(client_id="acme-web").name == ""

    assert lines(apply(tmp_path, changed, SERVER)) == [
        'projects.acme.clients.acme-web.name: "" → Shop',
        (
            "projects.acme.clients.acme-web.redirect_uris: [https://acme.example/callback] → "
            "[com.acme.app:/done, http://127.0.0.1/cb]"
        ),
        "projects.acme.clients.acme-web.first_party: true → false",
        "projects.acme.clients.acme-web.scopes: [openid, phone, profile, offline_access] → [openid]",
    ]
    row = Client.objects.get(client_id="acme-web")
    assert row.redirect_uris == "com.acme.app:/done\nhttp://127.0.0.1/cb"


def test_what_is_left_out_becomes_the_default_again(tmp_path: Path) -> None:
    apply(tmp_path, WEB | {"name": "Shop", "origins": ["https://acme.example"]})

    apply(tmp_path, WEB)

    row = Client.objects.get()
    assert (row.name, row.allowed_origins) == ("", "")


def test_an_algorithm_that_is_left_out_stays(tmp_path: Path) -> None:
    """Applications expect the one that they have: clients of the releases before ES256 was the default keep RS256."""
    apply(tmp_path, WEB | {"algorithm": "RS256"})

    assert lines(apply(tmp_path, WEB)) == ["nothing to change"]
    assert Client.objects.get().algorithm == "RS256"

    assert lines(apply(tmp_path, WEB | {"algorithm": "ES256"})) == [
        "projects.acme.clients.acme-web.algorithm: RS256 → ES256"
    ]


@pytest.mark.parametrize("algorithm", ["RS256", "ES256"])
def test_the_algorithm_is_always_exported(tmp_path: Path, algorithm: str) -> None:
    """What is left out would be another one where a signing key is configured."""
    apply(tmp_path, WEB | {"algorithm": algorithm})

    (entry,) = file_clients.export(Project.objects.get())
    assert entry["algorithm"] == algorithm


@pytest.mark.parametrize("algorithm", ["RS256", "ES256"])
def test_a_new_client_is_signed_for_by_the_configured_key(
    tmp_path: Path, algorithm: str, settings: Settings
) -> None:
    pem = keys.generate(algorithm).private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    settings.AUTHSVC_OIDC_KEY = pem.decode()

    apply(tmp_path, WEB)

    assert Client.objects.get().algorithm == algorithm


# Secrets --------------------------------------------------------------------------------------------


def test_a_changed_secret_says_so_and_no_more(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """J5, K3, A9"""
    first = apply(tmp_path, SERVER)
    monkeypatch.setenv("ACME_SECRET", "another-secret-that-nobody-guesses-at-all")

    second = apply(tmp_path, SERVER | {"client_secret": "${ACME_SECRET}"})

    assert lines(second) == ["projects.acme.clients.acme-server.client_secret: changed"]
    row = Client.objects.get()
    assert matches("another-secret-that-nobody-guesses-at-all", row.client_secret)
    assert not matches(SECRET, row.client_secret)
    for said in (first.out, second.out, exported()):
        assert "nobody-guesses" not in said
        assert row.client_secret not in said


def test_a_short_secret_is_known_again(tmp_path: Path) -> None:
    apply(tmp_path, SERVER | {"client_secret": "short"})

    assert lines(apply(tmp_path, SERVER | {"client_secret": "short"})) == ["nothing to change"]


def test_a_secret_left_out_keeps_what_is_stored_and_is_required_at_first(tmp_path: Path) -> None:
    without = {name: value for name, value in SERVER.items() if name != "client_secret"}
    refused = apply(tmp_path, WEB, without)
    assert (refused.code, refused.out) == (2, "")
    assert refused.err == "projects[0].clients[1].client_secret: is required, none is stored yet\n"
    assert not Client.objects.exists()
    apply(tmp_path, SERVER)

    assert lines(apply(tmp_path, without)) == ["nothing to change"]
    assert matches(SECRET, Client.objects.get().client_secret)


def test_keys_take_the_place_of_a_secret(tmp_path: Path) -> None:
    with_keys = SERVER | {"client_secret": None, "jwks": json.loads(factories.public_jwks())}
    apply(tmp_path, with_keys)
    row = Client.objects.get()
    assert (row.jwks, row.client_secret) == (with_keys["jwks"], "")

    without = apply(tmp_path, SERVER | {"client_secret": None})
    assert "client_secret: is required, none is stored yet" in without.err
    other = with_keys | {"jwks": json.loads(factories.public_jwks())}
    assert lines(apply(tmp_path, other)) == ["projects.acme.clients.acme-server.jwks: changed"]


# Clients that go, and those of others ---------------------------------------------------------------


def test_who_is_no_longer_listed_is_switched_off_and_comes_back_when_listed(tmp_path: Path) -> None:
    apply(tmp_path, WEB, SERVER)
    before = Client.objects.get(client_id="acme-server")
    project = Project.objects.get()

    assert lines(apply(tmp_path, WEB)) == ["projects.acme.clients.acme-server: deactivated"]
    assert clients.client_of("acme-server", project_id=project.id) is None
    assert lines(apply(tmp_path, WEB)) == ["nothing to change"]

    assert lines(apply(tmp_path, WEB, SERVER)) == ["projects.acme.clients.acme-server: activated"]
    after = Client.objects.get(client_id="acme-server")
    assert (after.pk, after.client_secret) == (before.pk, before.client_secret)


def test_nothing_that_a_client_was_given_is_deleted(tmp_path: Path) -> None:
    apply(tmp_path, WEB)
    sign_in(Client.objects.get())

    apply(tmp_path)

    assert TokenFamily.objects.filter(revoked_at__isnull=True).count() == 1
    assert not Client.objects.get().is_active


def test_clients_of_a_project_that_is_not_in_the_file_are_left_alone(tmp_path: Path) -> None:
    apply(tmp_path, WEB)

    apply(tmp_path, SERVER, slug="second")

    assert set(Client.objects.values_list("client_id", "is_active")) == {
        ("acme-web", True), ("acme-server", True),
    }  # fmt: skip


def test_another_projects_client_is_not_taken_away(tmp_path: Path) -> None:
    """K8"""
    apply(tmp_path, WEB)

    result = apply(tmp_path, WEB | {"name": "Stolen"}, slug="second")

    assert (result.code, result.out) == (2, "")
    assert result.err == "projects[0].clients[0].client_id: acme-web belongs to the project acme\n"
    assert not Project.objects.filter(slug="second").exists()
    assert Client.objects.get().name == ""


def test_the_type_of_a_client_stays(tmp_path: Path) -> None:
    apply(tmp_path, WEB)

    result = apply(tmp_path, SERVER | {"client_id": "acme-web"})

    assert result.code == 2
    assert "projects[0].clients[0].client_type: is public and cannot change" in result.err
    assert Client.objects.get().client_type == "public"


# Export ---------------------------------------------------------------------------------------------


def exported() -> str:
    out = StringIO()
    call_command("export", stdout=out)
    return out.getvalue()


def test_an_export_applied_changes_nothing(tmp_path: Path) -> None:
    full = SERVER | {
        "name": "Sörver", "first_party": False, "scopes": ["openid"], "origins": ["https://server.example"],
        "pkce_required": False, "may_introspect": True, "backchannel_logout_uri": "https://server.example/out", "algorithm": "ES256",
        "jwks": json.loads(factories.public_jwks()),
    }  # fmt: skip
    apply(tmp_path, WEB, full, SERVER | {"client_id": "gone"})
    apply(tmp_path, WEB, full)
    found = exported()

    listed = yaml.safe_load(found)["projects"][0]["clients"]
    shown = {name: value for name, value in full.items() if name != "client_secret"}
    assert listed == [shown, WEB | {"algorithm": "ES256"}]
    assert Result(found, tmp_path).out.strip() == "nothing to change"


def test_a_project_without_clients_says_nothing_of_them(tmp_path: Path) -> None:
    apply(tmp_path)

    assert "clients" not in exported()


def test_the_demo_has_clients_for_the_sample_app_and_every_example(
    tmp_path: Path, settings: Settings
) -> None:
    result = Result((ROOT / "deploy" / "demo.yaml").read_text(), tmp_path)

    assert (result.code, result.err) == (0, "")
    known = {row.client_id: row for row in Client.objects.all()}
    assert set(known) == {
        "demo-app", "example-django", "example-fastapi", "example-express", "example-spa", "example-partner",
    }  # fmt: skip
    assert {name for name, row in known.items() if not row.is_confidential} == {"demo-app", "example-spa"}
    assert {name for name, row in known.items() if not row.skip_authorization} == {"example-partner"}
    for port in ("", ":8000", ":50123"):
        for host in ("localhost", "127.0.0.1"):
            base = f"http://{host}{port}"
            assert known["demo-app"].redirect_uri_allowed(f"{base}/demo/app/")
            assert known["example-django"].redirect_uri_allowed(f"{base}/oidc/callback/")
            assert known["example-fastapi"].redirect_uri_allowed(f"{base}/auth")
            assert known["example-express"].redirect_uri_allowed(f"{base}/callback")
            assert known["example-spa"].redirect_uri_allowed(f"{base}/")
            assert known["example-spa"].post_logout_redirect_uri_allowed(f"{base}/")
    assert not known["demo-app"].redirect_uri_allowed("http://localhost:8000/demo/phone/")
    for name, row in known.items():
        assert matches(f"{name}-secret-not-for-production", row.client_secret) is row.is_confidential
        row.full_clean()
