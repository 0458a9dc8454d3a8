"""What a provider tells of a sender: over real HTTP against the simulator, and the odd answers by hand."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from typing import Any

import httpx
import pytest
import respx
from django.test import override_settings

from channels.base import SenderConfig
from channels.diagnostics import check_sender
from channels.findings import Finding, Level, clock
from channels.types import Channel
from core import http
from simulator.accounts import Accounts
from tests.channels import support
from tests.simulator_client import RunningSimulator, start

ORIGIN = "https://login.acme.example"
NOW = datetime(2026, 11, 24, 12, tzinfo=UTC)


@pytest.fixture(scope="module")
def simulator() -> Iterator[RunningSimulator]:
    with start(webhook_url="http://127.0.0.1:9/whatsapp/webhook") as running:
        yield running


@pytest.fixture(autouse=True)
def _providers(simulator: RunningSimulator) -> Iterator[None]:
    with simulator.client() as client:
        client.reset()
    with override_settings(PROVIDER_API_URLS={"whatsapp": simulator.graph_url, "twilio": simulator.url}):
        yield


def whatsapp(**fields: Any) -> SenderConfig[Any]:
    account = Accounts().whatsapp[0]
    known: dict[str, Any] = {
        "phone_number_id": account.phone_number_id,
        "business_account_id": account.business_account_id,
        "access_token": account.access_token,
        "app_secret": account.app_secret,
        "template_name": "one_time_password",
        "template_languages": ("en",),
    }
    return support.whatsapp_sender(**(known | fields))


def twilio(**fields: Any) -> SenderConfig[Any]:
    account = Accounts().twilio[0]
    known: dict[str, Any] = {"account_sid": account.account_sid, "auth_tokens": (account.auth_token,)}
    return support.twilio_sender(**(known | fields))


def check(sender: SenderConfig) -> list[Finding]:
    client = http.HttpClient()
    try:
        return check_sender(sender, public_url=ORIGIN, client=client)
    finally:
        client.close()


def problems(sender: SenderConfig) -> list[str]:
    found = [item for item in check(sender) if item.level is not Level.OK]
    assert all(item.remedy for item in found)
    return [item.text for item in found]


def test_senders_that_work_have_no_problem() -> None:
    for sender in (whatsapp(), twilio()):
        assert problems(sender) == []
        assert len(check(sender)) >= 1


@pytest.mark.parametrize(
    ("fields", "word"),
    [
        ({"access_token": "another"}, "error 190"),
        ({"access_token": ""}, "empty"),
        ({"phone_number_id": "999"}, "error 803"),
        ({"template_name": "one_time"}, "one_time does not exist in en"),
        ({"template_languages": ("en", "tlh")}, "does not exist in tlh"),
        ({"business_account_id": "999"}, "templates cannot be read: error 803"),
        ({"business_account_id": ""}, "no WhatsApp Business Account ID"),
    ],
)
def test_what_is_wrong_with_a_whatsapp_sender_is_named(fields: dict[str, Any], word: str) -> None:
    found = problems(whatsapp(**fields))

    assert any(word in text for text in found), found


def test_an_account_that_no_app_listens_to_is_named(simulator: RunningSimulator) -> None:
    sender = whatsapp()
    simulator.simulator.state.unsubscribed.add(sender.settings.business_account_id)

    assert [text for text in problems(sender) if "no delivery report will come" in text]


@pytest.mark.parametrize(
    ("fields", "word"),
    [
        ({"auth_tokens": ("wrong",)}, "error 20003"),
        ({"auth_tokens": ()}, "empty"),
        ({"account_sid": "AC1"}, "error 20003"),
    ],
)
def test_what_is_wrong_with_a_twilio_sender_is_named(fields: dict[str, Any], word: str) -> None:
    found = problems(twilio(**fields))

    assert any(word in text for text in found), found


@pytest.mark.parametrize("outage", ["refuse", "error_500", "not_json", "error_503_html"])
def test_a_provider_that_is_away_is_a_finding_and_no_crash(outage: str, simulator: RunningSimulator) -> None:
    with simulator.client() as client:
        client.set_faults(whatsapp_outage=outage, sms_outage=outage)

    for sender in (whatsapp(), twilio()):
        assert [item.level for item in check(sender)] == [Level.FAIL]


def test_no_finding_holds_a_secret() -> None:
    for sender in (whatsapp(access_token="very-secret"), twilio(auth_tokens=("very-secret",))):
        assert "very-secret" not in repr(check(sender))


# Answers that the simulator does not give ------------------------------------------------------------


def graph(number: dict[str, object], templates: list[dict[str, str]], apps: list[dict[str, object]]) -> None:
    base = "https://graph.example/v26.0"
    respx.get(f"{base}/330022114455667").respond(json={"id": "1", **number})
    respx.get(url__startswith=f"{base}/debug_token").respond(json={"data": {"is_valid": True}})
    respx.get(f"{base}/220011223344556/phone_numbers").respond(json={"data": [{"id": "330022114455667"}]})
    respx.get(f"{base}/220011223344556/message_templates").respond(json={"data": templates})
    respx.get(f"{base}/220011223344556/subscribed_apps").respond(json={"data": apps})


GOOD = {"name": "login_code", "language": "en", "status": "APPROVED", "category": "AUTHENTICATION"}


@pytest.mark.parametrize(
    ("number", "template", "app", "level", "word"),
    [
        ({"status": "PENDING"}, {}, {}, Level.FAIL, "the number is PENDING"),
        ({"health_status": {"can_send_message": "BLOCKED"}}, {}, {}, Level.FAIL, "BLOCKED"),
        ({"health_status": {"can_send_message": "LIMITED"}}, {}, {}, Level.WARN, "LIMITED"),
        ({"quality_rating": "RED"}, {}, {}, Level.WARN, "RED"),
        ({}, {"status": "PAUSED"}, {}, Level.FAIL, "is PAUSED"),
        ({}, {"category": "UTILITY"}, {}, Level.FAIL, "is UTILITY"),
        ({}, {"name": "login_code_2"}, {}, Level.FAIL, "does not exist"),  # the filter by name finds parts
        ({}, {}, {"override_callback_uri": "https://other.example/x"}, Level.FAIL, "another address"),
        ({}, {}, {"override_callback_uri": f"{ORIGIN}.evil.example/x"}, Level.FAIL, "another address"),  # D5
        ({}, {}, {"override_callback_uri": f"{ORIGIN}@evil.example/x"}, Level.FAIL, "another address"),
        ({}, {}, {"override_callback_uri": f"{ORIGIN}:8443/x"}, Level.FAIL, "another address"),
        ({}, {}, {"override_callback_uri": f"{ORIGIN.upper()}:443/whatsapp/webhook"}, Level.OK, "subscribed"),
        ({}, {}, {"override_callback_uri": f"{ORIGIN}/whatsapp/webhook"}, Level.OK, "subscribed"),
    ],
)
@respx.mock
@override_settings(PROVIDER_API_URLS={"whatsapp": "https://graph.example/v26.0"})
def test_metas_words_become_findings(
    number: dict[str, object], template: dict[str, str], app: dict[str, object], level: Level, word: str
) -> None:
    graph(number, [GOOD | template], [app])

    found = check(support.whatsapp_sender(template_languages=("en",)))

    assert [item for item in found if item.level is level and word in item.text], found


@pytest.mark.parametrize(
    ("account", "level"),
    [({"status": "suspended"}, Level.FAIL), ({"status": "active", "type": "Trial"}, Level.WARN)],
)
@respx.mock
@override_settings(PROVIDER_API_URLS={"twilio": "https://twilio.example"})
def test_twilios_words_become_findings(account: dict[str, str], level: Level) -> None:
    respx.get(url__regex="https://twilio.example/.*").respond(json=account)

    assert check(support.twilio_sender())[0].level is level


@respx.mock
@override_settings(PROVIDER_API_URLS={"twilio": "https://twilio.example"})
def test_a_name_that_does_not_resolve_is_a_finding() -> None:
    respx.get(url__regex="https://twilio.example/.*").mock(side_effect=httpx.ConnectError("no such host"))

    assert [item.level for item in check(support.twilio_sender())] == [Level.FAIL]


def test_other_senders_say_what_they_are() -> None:
    plain = support.gateway_sender(url="http://gateway.example/send")
    encrypted = support.gateway_sender(url="https://gateway.example/send")
    console = support.config("console", Channel.SMS, {})

    assert [item.level for item in check(plain)] == [Level.WARN, Level.OK]
    assert [item.level for item in check(encrypted)] == [Level.OK]
    assert [item.level for item in check(console)] == [Level.WARN]
    for url in ("https://10.0.0.7/send", "https://u:p@gateway.example/send"):  # stored before S4's rules
        assert [item.level for item in check(support.gateway_sender(url=url))] == [Level.FAIL, Level.OK]


@pytest.mark.parametrize(("seconds", "found"), [(0, 0), (9, 0), (-9, 0), (30, 1), (-3600, 1)])
def test_a_clock_that_is_off_is_seen_in_the_providers_answer(seconds: int, found: int) -> None:
    date = format_datetime(NOW, usegmt=True)

    assert len(list(clock(date, now=NOW + timedelta(seconds=seconds)))) == found


@pytest.mark.parametrize("date", ["", "yesterday", "Mon, 99 Foo"])
def test_an_answer_without_a_date_says_nothing_of_clocks(date: str) -> None:
    assert list(clock(date, now=NOW)) == []
