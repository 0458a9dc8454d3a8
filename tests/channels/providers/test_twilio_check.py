"""What Twilio says of an account, and what the doctor finds in it."""

import json
from collections.abc import Iterator
from typing import Any

import pytest
import respx

from channels.findings import Finding, Level
from channels.providers import PROVIDERS
from core import http
from tests.channels import support
from tests.channels.providers.contract import basic

BASE = "https://twilio.example"
SID = "AC00000000000000000000000000000001"
ADDRESS = f"{BASE}/2010-04-01/Accounts/{SID}.json"
TWILIO = PROVIDERS["twilio"]
ORIGIN = "https://login.acme.example"
OK, WARN, FAIL = Level.OK, Level.WARN, Level.FAIL


@pytest.fixture
def client(settings: Any) -> Iterator[http.HttpClient]:
    settings.PROVIDER_API_URLS = {"twilio": BASE}
    client = http.HttpClient()
    yield client
    client.close()


@pytest.fixture
def api() -> Iterator[respx.Route]:
    with respx.mock(assert_all_called=False) as router:
        router.get(url__startswith=f"{BASE}/2010-04-01/Accounts/{SID}/Incoming").respond(json={"x": 1})
        router.get(f"{BASE}/v1/Messaging/GeoPermissions").respond(json={"x": 1})
        yield router.get(ADDRESS).respond(json={"status": "active", "type": "Full"})


def check(client: http.HttpClient, public_url: str = ORIGIN, **fields: Any) -> list[Finding]:
    findings = list(TWILIO.check(support.twilio_sender(**fields), public_url, client))
    assert all(bool(item.remedy) is (item.level is not OK) for item in findings)
    return findings


def lines(findings: list[Finding]) -> list[tuple[Level, str]]:
    """Of the account alone: tests/channels/providers/test_twilio_setup.py has the rest."""
    return [
        (item.level, item.text)
        for item in findings
        if not item.text.startswith(("the number ", "geo permissions "))
    ]


def test_the_account_is_asked_with_its_current_token(client: http.HttpClient, api: respx.Route) -> None:
    assert lines(check(client)) == [(OK, "credentials work, the account is active")]
    assert api.calls.last.request.headers["authorization"] == basic(SID, "auth-token-of-acme")


def test_during_a_rotation_only_the_current_token_is_tried(client: http.HttpClient, api: respx.Route) -> None:
    """That the one before still works would hide that the new one does not."""
    api.respond(401, json={"code": 20003})

    assert lines(check(client)) == [(FAIL, "Twilio refuses it: error 20003")]
    assert api.call_count == 1


@pytest.mark.parametrize(
    ("body", "line"),
    [
        ({"status": "active", "type": "Full"}, (OK, "credentials work, the account is active")),
        ({"status": "active"}, (OK, "credentials work, the account is active")),
        ({"status": "active", "type": "Trial"}, (WARN, "a trial account: only verified numbers get SMS")),
        ({"status": "suspended", "type": "Trial"}, (FAIL, "the account is suspended")),
        ({"status": "suspended", "type": "Full"}, (FAIL, "the account is suspended")),
        ({"status": "closed"}, (FAIL, "the account is closed")),
        ({"status": "ACTIVE"}, (FAIL, "the account is ACTIVE")),
    ],
)
def test_the_state_of_the_account(
    body: dict[str, str], line: tuple[Level, str], client: http.HttpClient, api: respx.Route
) -> None:
    api.respond(json=body)

    assert lines(check(client)) == [line]


@pytest.mark.parametrize(
    ("status", "body", "problem"),
    [
        (401, {"code": 20003, "message": "Authenticate"}, "error 20003 (Authenticate)"),
        (404, {"code": 20404}, "error 20404"),
        (401, {"code": "20003"}, "HTTP 401"),
        (401, {"code": None}, "HTTP 401"),
        (401, {}, "HTTP 401"),
        (500, b"<html>", "HTTP 500"),
        (302, b"", "HTTP 302"),
        (200, b"", "HTTP 200"),
        (200, {}, "HTTP 200"),
        (200, [], "HTTP 200"),
    ],
)
def test_what_twilio_has_against_it(
    status: int, body: object, problem: str, client: http.HttpClient, api: respx.Route
) -> None:
    api.respond(status, content=body if isinstance(body, bytes) else json.dumps(body).encode())

    assert lines(check(client, "")) == [(FAIL, f"Twilio refuses it: {problem}")]


@pytest.mark.parametrize("fields", [{"account_sid": ""}, {"auth_tokens": ()}])
def test_without_credentials_twilio_is_not_asked(
    fields: dict[str, Any], client: http.HttpClient, api: respx.Route
) -> None:
    assert lines(check(client, **fields)) == [(FAIL, "Twilio refuses it: account SID or auth token is empty")]
    assert not api.called


def test_without_a_public_url_a_warning_comes_last(client: http.HttpClient, api: respx.Route) -> None:
    assert [level for level, _text in lines(check(client, ""))] == [OK, WARN]


def test_a_clock_that_is_off_is_named_even_where_twilio_refuses(
    client: http.HttpClient, api: respx.Route
) -> None:
    api.respond(401, json={"code": 20003}, headers={"Date": "Thu, 26 Nov 2020 12:00:00 GMT"})

    first, second = check(client)

    assert "clock" in first.text
    assert second.text == "Twilio refuses it: error 20003"


def test_a_sid_cannot_lead_to_another_path(client: http.HttpClient) -> None:
    with respx.mock:
        route = respx.route(host="twilio.example").respond(404)
        check(client, account_sid="../x?y#")

    assert route.calls.last.request.url.raw_path == b"/2010-04-01/Accounts/..%2Fx%3Fy%23.json"
