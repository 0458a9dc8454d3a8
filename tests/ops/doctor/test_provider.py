"""What doctor says of clients and signing keys."""

from collections.abc import Callable, Iterable

import pytest
from cryptography.fernet import Fernet
from django.core import checks
from pytest_django import Settings

from channels.findings import Finding, Level
from core.config_models import ConfigVersion
from oidc import keys
from oidc.models import Client, SigningKey
from ops.doctor import examine, oidc, product
from tests import factories
from tests.clock import later

pytestmark = pytest.mark.django_db


def results(check: Callable[[], Iterable[Finding]]) -> list[tuple[Level, str]]:
    return [(item.level, f"{item.subject}: {item.text}" if item.subject else item.text) for item in check()]


def test_valid_clients_are_one_line() -> None:
    project = factories.make_project()
    factories.make_client(project)
    factories.make_client(project, secret="a-long-secret-that-nobody-guesses-at-all", client_id="server")
    factories.make_client(project, client_id="off", is_active=False, redirect_uris="http://acme.example/")

    assert results(oidc.clients) == [(Level.OK, "2 active, all valid")]


def test_an_address_that_is_no_longer_valid_fails(settings: Settings) -> None:
    """I2: clear http may have been right while this was a demo."""
    factories.make_client(
        factories.make_project(),
        redirect_uris="https://acme.example/ http://acme.example/",
        backchannel_logout_uri="http://127.0.0.1/out",
    )
    settings.INSECURE_HTTP = False

    findings = results(oidc.clients)

    assert sorted(text for _, text in findings) == [
        "acme/acme-web: backchannel_logout_uri: http://127.0.0.1/out: must be https",
        "acme/acme-web: redirect_uris: http://acme.example/: must be https, or http on loopback",
    ]
    assert {level for level, _ in findings} == {Level.FAIL}


def test_a_confidential_client_without_a_secret_fails() -> None:
    factories.make_client(factories.make_project(), client_type="confidential")

    assert results(oidc.clients) == [(Level.FAIL, "acme/acme-web: is confidential and has no secret")]


def test_published_keys_are_counted_and_none_is_made() -> None:
    """J12"""
    assert results(oidc.signing_keys) == [
        (Level.OK, "no signing key yet: the first is generated when it is needed")
    ]
    assert not SigningKey.objects.exists()

    for algorithm in ("RS256", "RS256", "ES256"):
        keys.rotate(algorithm)
    version = ConfigVersion.objects.get().value
    assert results(oidc.signing_keys) == [(Level.OK, "signing keys published: 1 ES256, 2 RS256")]
    with later(3 * 3600):
        assert results(oidc.signing_keys) == [(Level.OK, "signing keys published: 1 ES256, 1 RS256")]
    assert ConfigVersion.objects.get().value == version


def test_an_unreadable_key_of_the_settings_fails_clearly_in_doctor_and_at_start(settings: Settings) -> None:
    settings.AUTHSVC_OIDC_KEY = "/nowhere/key.pem"

    line = "AUTHSVC_OIDC_KEY: neither a private key in PEM nor the path of one"
    assert (Level.FAIL, line) in results(product.keys)
    assert [(message.id, message.msg) for message in checks.run_checks()] == [("authsvc.E006", line)]
    lines = list(examine([("settings", product.configuration)]))
    assert [(item.status, item.detail) for item in lines] == [(Level.FAIL, f"authsvc.E006: {line}")]


def test_keys_that_cannot_be_decrypted_are_counted_all_the_same(settings: Settings) -> None:
    keys.rotate("RS256")
    settings.AUTHSVC_ENCRYPTION_KEYS = [Fernet.generate_key().decode()]

    findings = results(product.keys)

    assert (Level.OK, "signing keys published: 1 RS256") in findings
    assert any(
        level is Level.FAIL and "oidc.SigningKey.pem cannot be decrypted" in text for level, text in findings
    )


def test_looking_changes_no_client() -> None:
    factories.make_client(factories.make_project(), redirect_uris="http://acme.example/")
    before = Client.objects.values().get()

    list(oidc.clients())

    assert Client.objects.values().get() == before
