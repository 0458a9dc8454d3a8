"""What the doctor says of settings, keys, channels, the public address and reports: each finding both ways."""

from collections.abc import Callable, Iterable
from datetime import timedelta
from typing import Any

import httpx
import pytest
import respx
from cryptography.fernet import Fernet
from django.utils import timezone
from pytest_django import Settings

from channels.findings import Finding, Level
from channels.models import Sender, SenderReports
from ops.doctor import product, reports
from tests import factories
from tests.clock import later

pytestmark = pytest.mark.django_db
ADDRESS = "https://login.acme.example"


def found(check: Callable[[], Iterable[Finding]]) -> list[tuple[Level, str, str]]:
    findings = list(check())
    assert all(bool(item.remedy) is (item.level is not Level.OK) for item in findings)
    return [(item.level, item.subject, item.text) for item in findings]


# Settings and keys ----------------------------------------------------------------------------------


def test_settings_that_agree_are_one_line(settings: Settings) -> None:
    assert found(product.configuration) == [
        (Level.OK, "", f"the settings of mode {settings.MODE} are consistent")
    ]


def test_an_error_of_the_settings_fails_and_a_warning_warns(settings: Settings) -> None:
    settings.AUTHSVC_LIMITS = {"send.adress": "1/1h"}
    settings.ALLOWED_HOSTS, settings.AUTHSVC_PUBLIC_URL = ["login.acme.example"], "https://other.example"

    assert {text.split(":")[0]: level for level, _, text in found(product.configuration)} == {
        "authsvc.E005": Level.FAIL,
        "authsvc.W002": Level.WARN,
    }


@pytest.mark.parametrize("variable", ["AUTHSVC_OTP_KEYS", "AUTHSVC_ENCRYPTION_KEYS"])
@pytest.mark.parametrize("production", [True, False])
def test_in_production_keys_should_not_hang_on_another(
    variable: str, production: bool, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("AUTHSVC_OTP_KEYS", "AUTHSVC_ENCRYPTION_KEYS"):
        monkeypatch.setenv(name, "" if name == variable else "set")
    settings.PRODUCTION = production

    warned = [text for level, _, text in found(product.keys) if level is Level.WARN]

    assert warned == (
        [f"{variable} come from SECRET_KEY: changing that makes stored secrets unreadable"]
        if production
        else []
    )


@pytest.mark.parametrize(
    ("fields", "is_needed"),
    [
        ({}, True),
        ({"verified_at": "now"}, False),
        ({"ended_at": "now"}, False),
        ({"expires_at": "now"}, False),
    ],
)
def test_a_key_is_needed_by_open_logins_only(fields: dict[str, str], is_needed: bool) -> None:
    from otp import services
    from otp.models import Challenge

    services.start_challenge(
        project=factories.make_project(),
        phone=factories.phone(),
        language="en",
        origin=factories.ORIGIN,
        address="192.0.2.1",
    )
    now = timezone.now()
    end: dict[str, Any] = {"end_reason": "cancelled"} if "ended_at" in fields else {}
    Challenge.objects.update(key_id="gone", **dict.fromkeys(fields, now), **end)

    lines = found(product.keys)

    assert ((Level.FAIL, "", "open logins need the one-time code key gone") in lines) is is_needed
    assert ((Level.OK, "", "every stored secret can be decrypted") in lines) is not is_needed


def test_unreadable_secrets_name_the_table_and_the_rows_and_no_secret(settings: Settings) -> None:
    first, second = (factories.make_sender(channel, access_token="s3cret") for channel in ("whatsapp", "sms"))
    settings.AUTHSVC_ENCRYPTION_KEYS = [Fernet.generate_key().decode()]

    (line,) = [text for level, _, text in found(product.keys) if level is Level.FAIL]

    ids = sorted(str(sender.id) for sender in (first, second))
    assert line == f"channels.Sender.secrets cannot be decrypted in {', '.join(ids)}"


# Channels -------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("mode", "gone", "line"),
    [
        ("whatsapp_or_sms", [], (Level.OK, "acme", "whatsapp then sms")),
        ("sms_only", ["whatsapp"], (Level.OK, "acme", "sms")),
        ("whatsapp_only", ["sms"], (Level.OK, "acme", "whatsapp")),
        ("whatsapp_or_sms", ["whatsapp"], (Level.FAIL, "acme", "promises whatsapp but has no sender")),
        (
            "whatsapp_or_sms",
            ["sms", "whatsapp"],
            (Level.FAIL, "acme", "promises whatsapp and sms but has no sender"),
        ),
        ("sms_only", ["sms"], (Level.FAIL, "acme", "promises sms but has no sender")),
    ],
)
def test_each_promised_channel_has_a_sender(mode: str, gone: list[str], line: tuple[Level, str, str]) -> None:
    factories.make_project(verify_phone_by=mode)
    for row in Sender.objects.filter(channel__in=gone):
        row.is_active = False
        row.save()

    assert found(product.promised_channels) == [line]


# The public address ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("answer", "level", "line"),
    [
        (httpx.Response(200), Level.OK, f"{ADDRESS} answers"),
        (httpx.Response(502), Level.FAIL, f"{ADDRESS}/healthz answers 502"),
        (httpx.Response(301), Level.FAIL, f"{ADDRESS}/healthz answers 301"),
        (httpx.Response(400), Level.FAIL, f"{ADDRESS}/healthz answers 400"),
        (httpx.ConnectError("no route"), Level.FAIL, f"{ADDRESS} does not answer: ConnectError"),
        (httpx.ReadTimeout("slow"), Level.FAIL, f"{ADDRESS} does not answer: ReadTimeout"),
    ],
)
@respx.mock
def test_the_public_address_is_asked_for_its_health(
    answer: httpx.Response | Exception, level: Level, line: str, settings: Settings
) -> None:
    settings.AUTHSVC_PUBLIC_URL = ADDRESS
    route = respx.get(f"{ADDRESS}/healthz")
    route.side_effect = [answer]

    assert found(product.public_address) == [(level, "", line)]


@pytest.mark.parametrize(("insecure", "level"), [(True, Level.WARN), (False, Level.FAIL)])
@respx.mock
def test_an_address_without_tls_is_a_failure_but_for_trying_out(
    insecure: bool, level: Level, settings: Settings
) -> None:
    settings.AUTHSVC_PUBLIC_URL, settings.INSECURE_HTTP = "http://login.acme.example", insecure
    respx.get("http://login.acme.example/healthz").respond(200)

    assert found(product.public_address) == [
        (level, "", "http://login.acme.example is not https: providers will not call it"),
        (Level.OK, "", "http://login.acme.example answers"),
    ]


@pytest.mark.parametrize("echoes", [True, False])
@respx.mock
def test_metas_verification_is_asked_through_the_public_address(echoes: bool, settings: Settings) -> None:
    settings.AUTHSVC_PUBLIC_URL = ADDRESS
    factories.make_sender("whatsapp", provider="meta", verify_token="our-token", app_secret="s")
    respx.get(f"{ADDRESS}/healthz").respond(200)

    def verify(request: httpx.Request) -> httpx.Response:
        assert request.url.params["hub.verify_token"] == "our-token"
        return httpx.Response(200, text=request.url.params["hub.challenge"] if echoes else "a landing page")

    respx.get(f"{ADDRESS}/whatsapp/webhook").mock(side_effect=verify)

    levels = [level for level, _, _ in found(product.public_address)]

    assert levels == [Level.OK, Level.OK if echoes else Level.FAIL]


# Reports --------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("provider", "row", "level", "line"),
    [
        ("memory", None, Level.OK, "no sender's provider reports"),
        ("meta", None, Level.OK, "no report yet, and none is overdue"),
        ("meta", {"reported_at": 90}, Level.OK, "the last report came 90 s ago"),
        ("meta", {"reported_at": -90}, Level.OK, "the last report came 0 s ago"),  # by a clock that is ahead
        (
            "meta",
            {"missing_since": 90},
            Level.FAIL,
            "Meta's reports do not arrive, so a silent message sends no SMS by itself",
        ),
        ("twilio", {"missing_since": 90}, Level.FAIL, "The provider's reports do not arrive"),
    ],
)
def test_reports_are_judged_by_what_came(
    provider: str, row: dict[str, int] | None, level: Level, line: str
) -> None:
    sender = factories.make_sender("sms" if provider == "twilio" else "whatsapp", provider=provider)
    with later(0):
        if row:
            now = timezone.now()
            SenderReports.objects.create(
                sender=sender, **{name: now - timedelta(seconds=ago) for name, ago in row.items()}
            )
        (finding,) = reports.arrivals()

    assert (finding.level, finding.text) == (level, line)
    assert finding.subject == ("" if provider == "memory" else str(sender))


def test_a_sender_that_is_switched_off_reports_nothing_and_lacks_nothing() -> None:
    sender = factories.make_sender("whatsapp", provider="meta", is_active=False)
    SenderReports.objects.create(sender=sender, missing_since=timezone.now())

    assert found(reports.arrivals) == [(Level.OK, "", "no sender's provider reports")]
