"""System checks: each finds what it is for, with a stable id, and is silent otherwise."""

import ipaddress
from typing import Any

import pytest
from cryptography.fernet import Fernet
from pytest_django import Settings

from ops import checks


def ids(check: Any) -> list[str | None]:
    messages = check()
    assert all(message.msg for message in messages)
    return [message.id for message in messages]


@pytest.fixture
def production(settings: Settings) -> Settings:
    settings.PRODUCTION, settings.SIMULATOR_URL, settings.REDIS_URL = True, "", "redis://127.0.0.1:1/0"
    settings.PROVIDER_API_URLS = {"whatsapp": "https://graph.facebook.com/v26.0", "twilio": "", "vonage": ""}
    settings.ALLOWED_HOSTS, settings.AUTHSVC_PUBLIC_URL = ["login.example.com"], "https://login.example.com"
    return settings


@pytest.mark.parametrize(
    "check",
    [
        checks.check_keys,
        checks.check_signing_key,
        checks.check_limits,
        checks.check_outgoing,
        checks.check_providers,
        checks.check_addresses,
    ],
)
def test_valid_settings_have_no_finding(check: Any, production: Settings) -> None:
    assert ids(check) == []


@pytest.mark.parametrize("keys", [["nonsense"], [Fernet.generate_key().decode(), "short"]])
def test_encryption_keys_are_fernet_keys(keys: list[str], settings: Settings) -> None:
    settings.AUTHSVC_ENCRYPTION_KEYS = keys

    (message,) = checks.check_keys()

    assert message.id == "authsvc.E001"
    assert not [key for key in keys if key in message.msg]


def test_a_signing_key_that_cannot_be_read_is_an_error(settings: Settings) -> None:
    settings.AUTHSVC_OIDC_KEY = "/nowhere/key.pem"

    assert ids(checks.check_signing_key) == ["authsvc.E006"]


@pytest.mark.parametrize("limits", [{"send.adress": "1/1h"}, {"send.address": "1"}, {"send.address": "x/1h"}])
def test_limits_are_known_and_readable(limits: dict[str, str], settings: Settings) -> None:
    settings.AUTHSVC_LIMITS = limits

    assert ids(checks.check_limits) == ["authsvc.E005"]


def test_a_range_in_the_outgoing_list_that_cannot_be_read_is_an_error(settings: Settings) -> None:
    settings.AUTHSVC_OUTGOING_ALLOW = ["10.0.0.0/40"]

    assert ids(checks.check_outgoing) == ["authsvc.E021"]


@pytest.mark.parametrize(
    ("name", "value", "expected"),
    [
        ("PROVIDER_API_URLS", {"whatsapp": "http://127.0.0.1:9009/v26.0"}, "authsvc.E002"),
        ("PROVIDER_API_URLS", {"whatsapp": "", "twilio": "http://127.0.0.1:9009"}, "authsvc.E002"),
        ("PROVIDER_API_URLS", {"vonage": "ftp://api.nexmo.com"}, "authsvc.E002"),
        ("SIMULATOR_URL", "http://127.0.0.1:9009", "authsvc.E003"),
        ("REDIS_URL", "", "authsvc.W001"),
    ],
)
def test_production_refuses_the_simulator_and_warns_of_one_process(
    name: str, value: object, expected: str, production: Settings
) -> None:
    setattr(production, name, value)
    assert ids(checks.check_providers) == [expected]

    production.PRODUCTION = False
    assert ids(checks.check_providers) == []


@pytest.mark.parametrize(
    ("hosts", "url", "expected"),
    [
        (["login.example.com"], "https://other.example.com", ["authsvc.W002"]),
        ([".example.com"], "https://login.example.com", []),
        (["*"], "https://login.example.com", ["authsvc.W003"]),
        (["login.example.com"], "https://login.example.com:8443", []),
        (["login.example.com"], "", []),
    ],
)
def test_hosts_and_public_url_must_agree(
    hosts: list[str], url: str, expected: list[str], production: Settings
) -> None:
    production.ALLOWED_HOSTS, production.AUTHSVC_PUBLIC_URL = hosts, url

    assert ids(checks.check_addresses) == expected


@pytest.mark.parametrize("network", ["0.0.0.0/0", "::/0"])
def test_trusting_every_proxy_is_a_warning(network: str, production: Settings) -> None:
    production.AUTHSVC_TRUSTED_PROXIES = (ipaddress.ip_network("10.0.0.0/8"), ipaddress.ip_network(network))

    assert ids(checks.check_addresses) == ["authsvc.W004"]


def test_each_provider_that_is_called_in_clear_text_is_named(production: Settings) -> None:
    production.PROVIDER_API_URLS = {
        "whatsapp": "http://a.example",
        "twilio": "https://b.example",
        "vonage": "http://c.example",
    }

    named = [message.msg.split(" is not ")[0] for message in checks.check_providers()]
    assert named == ["the base URL of whatsapp's API", "the base URL of vonage's API"]


@pytest.mark.parametrize(
    ("hosts", "networks", "expected"),
    [
        (["*"], [], ["authsvc.W003"]),
        (["*", "login.example.com"], ["0.0.0.0/0"], ["authsvc.W003", "authsvc.W004"]),
        (["other.example.com"], ["::/0", "0.0.0.0/0"], ["authsvc.W002", "authsvc.W004"]),
        (["login.example.com"], ["10.0.0.0/1"], []),
    ],
)
def test_what_is_wrong_with_addresses_is_told_together(
    hosts: list[str], networks: list[str], expected: list[str], production: Settings
) -> None:
    production.ALLOWED_HOSTS = hosts
    production.AUTHSVC_TRUSTED_PROXIES = tuple(ipaddress.ip_network(text, strict=False) for text in networks)

    assert ids(checks.check_addresses) == expected


def test_a_production_that_trusts_any_host_warns_and_a_demo_does_not(production: Settings) -> None:
    production.ALLOWED_HOSTS, production.PRODUCTION = ["*"], False

    assert ids(checks.check_addresses) == []
