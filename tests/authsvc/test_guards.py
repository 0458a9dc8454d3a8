"""What production refuses to start with, one sentence each, and what each mode is without being asked."""

import base64

import pytest

from ops import keys
from tests.authsvc.environments import PRODUCTION, Environments

pytestmark = pytest.mark.processes

WEAK = "SECRET_KEY is missing or weak: set at least 40 random characters; ./manage.py keys prints some"
NO_HOSTS = "ALLOWED_HOSTS is empty: name the hosts that serve the login pages, comma-separated"
IN_CLEAR = "AUTHSVC_PUBLIC_URL must be https in production: http is for loopback names only (authsvc.E004)"
ALONE = (
    "CELERY_BROKER_URL is set and REDIS_URL is empty: each process would keep limits of its own. "
    "Set REDIS_URL as well, or unset CELERY_BROKER_URL to run in one process"
)


@pytest.mark.parametrize(
    ("changes", "line"),
    [
        ({"SECRET_KEY": ""}, WEAK),
        ({"SECRET_KEY": "abcdefgh" * 4 + "abcdefg"}, WEAK),
        ({"SECRET_KEY": "abcdefg" * 10}, WEAK),
        ({"DEBUG": "true"}, "DEBUG must not be on in production: unset it, or set AUTHSVC_MODE=demo"),
        ({"ALLOWED_HOSTS": ""}, NO_HOSTS),
        ({"ALLOWED_HOSTS": " , "}, NO_HOSTS),
        ({"AUTHSVC_PUBLIC_URL": "http://login.example.com"}, IN_CLEAR),
        ({"AUTHSVC_PUBLIC_URL": "http://localhost.evil.example"}, IN_CLEAR),
        ({"CELERY_BROKER_URL": "amqp://b//", "REDIS_URL": ""}, ALONE),
    ],
    ids=["no key", "39 characters", "7 different ones", "debug", "no hosts", "blank hosts", "in clear", "D5", "D6"],
)  # fmt: skip
def test_production_refuses(changes: dict[str, str], line: str, loader: Environments) -> None:
    assert loader.refusal(**changes) == line


@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"SECRET_KEY": "abcdefgh" * 5},
        {"AUTHSVC_PUBLIC_URL": "http://localhost:8000"},
        {"AUTHSVC_PUBLIC_URL": "https://login.example.com"},
        {"REDIS_URL": ""},
        {"REDIS_URL": "redis+sentinel://:secret@a:1,b:2/m/1"},
        {"CELERY_BROKER_URL": "amqps://b//"},
        {"ALLOWED_HOSTS": "*"},
    ],
    ids=["plain", "40 of 8", "loopback", "https", "one process", "sentinels", "RabbitMQ", "any host"],
)
def test_production_starts(changes: dict[str, str], loader: Environments) -> None:
    assert loader.refusal(**changes) == ""


@pytest.mark.parametrize("mode", ["demo", "test"])
@pytest.mark.parametrize(
    "changes",
    [{"SECRET_KEY": ""}, {"ALLOWED_HOSTS": ""}, {"DEBUG": "true"}, {"AUTHSVC_PUBLIC_URL": "http://web.example"}],
    ids=["no key", "no hosts", "debug", "in clear"],
)  # fmt: skip
def test_elsewhere_these_are_no_reason(mode: str, changes: dict[str, str], loader: Environments) -> None:
    assert loader.refusal(**{"AUTHSVC_MODE": mode} | changes) == ""


@pytest.mark.parametrize("mode", ["demo", "test"])
def test_everywhere_a_broker_without_redis_is(mode: str, loader: Environments) -> None:
    """D6: it has nothing to do with secrets."""
    assert loader.refusal(AUTHSVC_MODE=mode, CELERY_BROKER_URL="amqp://b//", REDIS_URL="") == ALONE


# Defaults ------------------------------------------------------------------------------------------

LOCAL = "(IPv4Network('127.0.0.0/8'), IPv6Network('::1/128'))"


@pytest.mark.parametrize(
    ("expression", "production", "demo"),
    [
        ("DEBUG", "False", "False"),
        ("SIMULATOR_URL", "''", "'http://127.0.0.1:9009'"),
        ("AUTHSVC_OUTGOING_ALLOW", "[]", "['127.0.0.0/8', '::1/128']"),
        ("AUTHSVC_METRICS_NETWORKS", "()", LOCAL),
        ("AUTHSVC_METRICS_TOKEN, METRICS_PORT", "('', 0)", "('', 0)"),
        ("LOG_FORMAT", "'json'", "'text'"),
        ("INSECURE_HTTP", "False", "True"),
        ("SESSION_COOKIE_NAME", "'__Host-sessionid'", "'sessionid'"),
        ("CSRF_COOKIE_NAME", "'__Host-csrftoken'", "'csrftoken'"),
        ("LOGIN_COOKIE_NAME, REQUEST_COOKIE_NAME", "('__Host-login', '__Host-request')", "('login', 'request')"),
        ("LANGUAGE_COOKIE_NAME", "'__Host-language'", "'language'"),
        ("SESSION_COOKIE_SECURE, CSRF_COOKIE_SECURE, LANGUAGE_COOKIE_SECURE", "(True, True, True)",
         "(False, False, False)"),
        ("SECURE_HSTS_SECONDS, SECURE_HSTS_INCLUDE_SUBDOMAINS", "(63072000, True)", "(0, False)"),
        ("SENTRY_DSN, OTEL_EXPORTER_OTLP_ENDPOINT", "('', '')", "('', '')"),
        ("AUTHSVC_TRUSTED_PROXIES, CSRF_TRUSTED_ORIGINS", "((), [])", "((), [])"),
        ("HOST", "'127.0.0.1'", "'127.0.0.1'"),
        ("PASSWORD_HASHERS", "['users.hashing.BoundedHasher']", "['users.hashing.BoundedHasher']"),
        ("WHITENOISE_AUTOREFRESH", "False", "False"),
    ],
)  # fmt: skip
def test_defaults_of_a_mode(expression: str, production: str, demo: str, loader: Environments) -> None:
    """In production what is unset is off."""
    assert loader.value(expression) == production
    assert loader.value(expression, AUTHSVC_MODE="demo") == demo


@pytest.mark.parametrize("mode", ["production", "demo"])
def test_cookies_are_hidden_from_scripts_and_frames_are_refused(mode: str, loader: Environments) -> None:
    assert loader.value(
        "SESSION_COOKIE_HTTPONLY, CSRF_COOKIE_HTTPONLY, LANGUAGE_COOKIE_HTTPONLY, SESSION_COOKIE_SAMESITE, "
        "CSRF_COOKIE_SAMESITE, LANGUAGE_COOKIE_SAMESITE, X_FRAME_OPTIONS, SECURE_CONTENT_TYPE_NOSNIFF",
        AUTHSVC_MODE=mode,
    ) == repr((True, True, True, "Lax", "Lax", "Lax", "DENY", True))


# Keys ----------------------------------------------------------------------------------------------


def test_without_keys_of_their_own_both_kinds_come_from_the_secret(loader: Environments) -> None:
    """The newest secret first: it makes new codes and encrypts, the others still verify and decrypt."""
    secret, old = PRODUCTION["SECRET_KEY"], "an-older-secret"
    otp = keys.derived(keys.OTP, [secret, old])
    encryption = keys.derived(keys.ENCRYPTION, [secret, old])

    assert loader.value("AUTHSVC_OTP_KEYS", SECRET_KEY_FALLBACKS=old) == repr(
        {keys.key_id(key): key for key in otp}
    )
    assert loader.value("AUTHSVC_ENCRYPTION_KEYS", SECRET_KEY_FALLBACKS=old) == repr(
        [base64.urlsafe_b64encode(key).decode() for key in encryption]
    )
    assert not set(otp) & set(encryption)


def test_printed_keys_start_as_they_are(loader: Environments) -> None:
    """What `manage.py keys` prints is what the settings read."""
    for made in (keys.generate(), keys.pin({}, [PRODUCTION["SECRET_KEY"]])):
        assert loader.refusal(**made) == ""
        if len(made) == 2:  # those that are derived today
            for name in made:
                assert loader.value(name, **made) == loader.value(name)


@pytest.mark.parametrize(("length", "starts"), [(31, False), (32, True), (64, True)])
def test_a_key_of_codes_has_32_bytes_at_least(length: int, starts: bool, loader: Environments) -> None:
    text = base64.b64encode(bytes(length)).decode()

    assert (loader.refusal(AUTHSVC_OTP_KEYS=f"one:{text}") == "") is starts
