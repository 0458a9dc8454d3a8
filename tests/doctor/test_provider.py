"""What doctor says of clients and signing keys."""

from collections.abc import Callable, Iterable

import pytest
from cryptography.fernet import Fernet
from django.core import checks
from pytest_django import Settings

from authsvc.doctor import examine, product, provider
from channels.checking import Finding, Level
from oidc import keys
from oidc.models import Client, SigningKey
from projects.models import ConfigVersion
from tests import factories
from tests.clock import later

pytestmark = pytest.mark.django_db


def told(check: Callable[[], Iterable[Finding]]) -> list[tuple[Level, str]]:
    return [(item.level, item.text) for item in check()]


def test_clients_that_are_right_are_one_line() -> None:
    project = factories.make_project()
    factories.make_client(project)
    factories.make_client(project, secret="a-long-secret-that-nobody-guesses-at-all", client_id="server")
    factories.make_client(project, client_id="off", is_active=False, redirect_uris="http://acme.example/")

    assert told(provider.clients) == [(Level.OK, "2 active, nothing wrong with their addresses")]


def test_an_address_that_is_no_longer_right_is_named(settings: Settings) -> None:
    """I2: clear http may have been right while this was a demo."""
    factories.make_client(
        factories.make_project(),
        redirect_uris="https://acme.example/ http://acme.example/",
        backchannel_logout_uri="http://127.0.0.1/out",
    )
    settings.INSECURE_HTTP = False

    found = told(provider.clients)

    assert sorted(text for _, text in found) == [
        "acme: acme-web: backchannel_logout_uri: http://127.0.0.1/out: must be https",
        "acme: acme-web: redirect_uris: http://acme.example/: must be https, or http on loopback",
    ]
    assert {level for level, _ in found} == {Level.FAIL}


def test_a_confidential_client_without_a_proof_is_named() -> None:
    factories.make_client(factories.make_project(), client_type="confidential")

    assert told(provider.clients) == [(Level.FAIL, "acme: acme-web: is confidential and has no secret")]


def test_published_keys_are_counted_and_none_is_made() -> None:
    """J12"""
    assert told(provider.signing_keys) == [
        (Level.OK, "no signing key yet: the first is made when it is needed")
    ]
    assert not SigningKey.objects.exists()

    for algorithm in ("RS256", "RS256", "ES256"):
        keys.rotate(algorithm)
    version = ConfigVersion.objects.get().value
    assert told(provider.signing_keys) == [(Level.OK, "signing keys published: 1 ES256, 2 RS256")]
    with later(3 * 3600):
        assert told(provider.signing_keys) == [(Level.OK, "signing keys published: 1 ES256, 1 RS256")]
    assert ConfigVersion.objects.get().value == version


def test_an_unreadable_key_of_the_settings_fails_clearly_in_doctor_and_at_start(settings: Settings) -> None:
    settings.AUTHSVC_OIDC_KEY = "/nowhere/key.pem"

    line = "AUTHSVC_OIDC_KEY: neither a private key in PEM nor the path of one"
    assert (Level.FAIL, line) in told(product.keys)
    assert [(message.id, message.msg) for message in checks.run_checks()] == [("authsvc.E006", line)]
    said = list(examine([("settings", product.configuration)]))
    assert [(item.level, item.text) for item in said] == [(Level.FAIL, f"authsvc.E006: {line}")]


def test_keys_that_cannot_be_decrypted_are_counted_all_the_same(settings: Settings) -> None:
    keys.rotate("RS256")
    settings.AUTHSVC_ENCRYPTION_KEYS = [Fernet.generate_key().decode()]

    found = told(product.keys)

    assert (Level.OK, "signing keys published: 1 RS256") in found
    assert any(
        level is Level.FAIL and "oidc.SigningKey.pem cannot be decrypted" in text for level, text in found
    )


def test_looking_changes_no_client() -> None:
    factories.make_client(factories.make_project(), redirect_uris="http://acme.example/")
    before = Client.objects.values().get()

    list(provider.clients())

    assert Client.objects.values().get() == before
