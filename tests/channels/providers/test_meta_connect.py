"""The first step of a WhatsApp sender's set-up: each answer of Meta becomes a sentence with a remedy."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.utils import timezone

from channels.findings import Finding, Level
from channels.providers.meta import connect as subject
from channels.providers.meta import graph as graph_calls
from channels.setup import Surroundings
from core import http
from simulator.accounts import Accounts
from tests.channels import support
from tests.simulator_client import RunningSimulator, SimulatorClient
from tests.simulator_client import start as start_simulator

META = Accounts().whatsapp[0]
OK, WARN, FAIL = Level.OK, Level.WARN, Level.FAIL
RIGHT = {
    "phone_number_id": META.phone_number_id,
    "business_account_id": META.business_account_id,
    "access_token": META.access_token,
    "app_secret": META.app_secret,
}


@pytest.fixture(scope="module")
def simulator() -> Iterator[RunningSimulator]:
    with start_simulator(webhook_url="http://127.0.0.1:1/whatsapp/webhook") as running:
        yield running


@pytest.fixture
def meta(simulator: RunningSimulator, settings: Any) -> Iterator[SimulatorClient]:
    settings.PROVIDER_API_URLS = {"whatsapp": simulator.graph_url}
    with simulator.client() as client:
        yield client
        client.reset()


def checked(**fields: str) -> list[Finding]:
    client = http.HttpClient()
    findings = list(subject.check(support.whatsapp_sender(**(RIGHT | fields)), Surroundings(), client))
    client.close()
    assert all(bool(item.remedy) is (item.level is not OK) for item in findings)
    return findings


def texts(findings: list[Finding], level: Level) -> str:
    return "\n".join(item.text for item in findings if item.level is level)


def facts(meta: SimulatorClient, **facts: object) -> list[Finding]:
    meta.http.put("/facts", json=facts).raise_for_status()
    return checked()


def test_all_is_well(meta: SimulatorClient) -> None:
    assert {item.level for item in checked()} == {OK}


@pytest.mark.parametrize(
    ("number", "level", "words"),
    [
        ({"status": "PENDING"}, FAIL, "the number is PENDING"),
        ({"code_verification_status": "EXPIRED"}, WARN, "the number's own verification is EXPIRED"),
        ({"code_verification_status": "NOT_VERIFIED"}, WARN, "verification is NOT_VERIFIED"),
        ({"name_status": "PENDING_REVIEW"}, WARN, "the display name is PENDING_REVIEW"),
        ({"name_status": "DECLINED"}, WARN, "the display name is DECLINED"),
        ({"quality_rating": "RED"}, WARN, "the quality rating is RED"),
        ({"whatsapp_business_manager_messaging_limit": "TIER_250"}, OK, "daily limit TIER_250"),
        ({"throughput": {"level": "HIGH"}}, OK, "throughput HIGH"),
        ({"throughput": None}, OK, "quality GREEN, daily limit TIER_2K"),
    ],
)
def test_what_meta_says_of_the_number(
    number: dict[str, object], level: Level, words: str, meta: SimulatorClient
) -> None:
    assert words in texts(facts(meta, number=number), level)


def payment(can_send: str, **error: object) -> dict[str, object]:
    entity = {"entity_type": "WABA", "id": "1", "can_send_message": can_send, "errors": [error]}
    return {"health_status": {"can_send_message": can_send, "entities": [entity]}}


@pytest.mark.parametrize(("can_send", "level"), [("BLOCKED", FAIL), ("LIMITED", WARN), ("AVAILABLE", WARN)])
def test_trouble_with_payment_is_named_with_metas_advice(
    can_send: str, level: Level, meta: SimulatorClient
) -> None:
    error = {
        "error_code": 141006,
        "error_description": "There is a problem with the payment method",
        "possible_solution": "Fix it.",
    }
    found = facts(meta, number=payment(can_send, **error))

    assert "Meta says: WABA: There is a problem with the payment method" in texts(found, level)
    assert "Fix it." in [item.remedy for item in found]


@pytest.mark.parametrize(
    "health",
    [
        {"entities": None},
        {"entities": [None, {"errors": "x"}, {"errors": [None, {"error_description": 5}]}]},
        {},
    ],
)
def test_odd_health_says_nothing(health: object, meta: SimulatorClient) -> None:
    assert {item.level for item in facts(meta, number={"health_status": health})} == {OK}


# The token --------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("after", "level", "words"),
    [
        (timedelta(days=-1), FAIL, "the token expired at"),
        (timedelta(hours=23), WARN, "the token expires at"),
        (timedelta(days=13), WARN, "no code is sent after that"),
        (timedelta(days=60), OK, "the token works until"),
    ],
)
def test_when_the_token_expires(after: timedelta, level: Level, words: str, meta: SimulatorClient) -> None:
    at = timezone.now() + after
    found = facts(meta, token={"expires_at": int(at.timestamp())})

    assert words in texts(found, level)
    assert f"{at:%Y-%m-%d}" in texts(found, level)


@pytest.mark.parametrize("value", [0, None, "soon", True, -5, 10**18])
def test_a_token_without_a_usable_end_does_not_expire(value: object, meta: SimulatorClient) -> None:
    assert "the token does not expire" in texts(facts(meta, token={"expires_at": value}), OK)


@pytest.mark.parametrize(
    ("scopes", "words"),
    [
        ([], "lacks the permission whatsapp_business_management and whatsapp_business_messaging"),
        (["whatsapp_business_management"], "lacks the permission whatsapp_business_messaging"),
        (["whatsapp_business_messaging", "email"], "lacks the permission whatsapp_business_management"),
    ],
)
def test_a_token_that_may_too_little(scopes: list[str], words: str, meta: SimulatorClient) -> None:
    assert words in texts(facts(meta, token={"scopes": scopes}), FAIL)


def test_the_day_of_a_token_is_in_utc() -> None:
    from channels.providers.meta.tokens import _moment

    assert _moment(1_800_000_000) == datetime.fromtimestamp(1_800_000_000, UTC)


# The app secret ---------------------------------------------------------------------------------------


def test_a_secret_of_another_app(meta: SimulatorClient) -> None:
    found = checked(app_secret="of-another-app")

    assert "the app secret does not belong to the app Simulated app: error 190" in texts(found, FAIL)
    assert all("of-another-app" not in item.text + item.remedy for item in found)


def test_no_secret_at_all(meta: SimulatorClient) -> None:
    assert "no app secret is stored" in texts(checked(app_secret=""), FAIL)


# Wrong ids --------------------------------------------------------------------------------------------


def test_a_number_of_another_account(meta: SimulatorClient) -> None:
    other = {name: getattr(META, name) for name in ("access_token", "app_secret")}
    account = other | {"phone_number_id": "111", "business_account_id": "222"}
    meta.add_accounts(whatsapp=[account])

    found = checked(business_account_id="222")

    assert "the number is not one of the account 222" in texts(found, FAIL)
    assert any("111" in item.remedy for item in found)


def test_without_an_account_the_number_is_still_checked(meta: SimulatorClient) -> None:
    found = checked(business_account_id="")

    assert "no WhatsApp Business Account ID" in texts(found, WARN)
    assert "token works for the number of Acme" in texts(found, OK)


@pytest.mark.parametrize("fields", [{"access_token": ""}, {"phone_number_id": ""}])
def test_what_is_empty_is_not_asked_about(fields: dict[str, str], meta: SimulatorClient) -> None:
    assert [item.text for item in checked(**fields)] == [
        "Meta refuses it: phone number ID or access token is empty"
    ]


# What Meta says, without secrets ----------------------------------------------------------------------


@pytest.mark.parametrize(
    ("error", "said"),
    [
        ({"message": "Malformed access token EAAB-the-token"}, "Malformed access token •••"),
        ({"message": "a", "error_data": {"details": "b"}}, "a b"),
        ({"message": "a", "error_data": "b"}, "a b"),
        ({"message": "a", "error_user_msg": "a"}, "a"),
        ({"message": 5, "error_data": [1]}, ""),
        ({"message": "two\n  lines"}, "two lines"),
        ({"message": "x" * 999}, "x" * 240),
    ],
)
def test_metas_sentence(error: dict[str, Any], said: str) -> None:
    sender = support.whatsapp_sender(access_token="EAAB-the-token")

    assert graph_calls.sentence(error, sender) == said


def test_no_secret_is_too_odd_to_be_left_out() -> None:
    assert graph_calls.without_secrets("a (.*) b", ["(.*)"]) == "a ••• b"
    assert graph_calls.without_secrets("abc", ["", "abc"]) == "abc"  # too short to be one
