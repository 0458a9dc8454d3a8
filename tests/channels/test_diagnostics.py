"""A check of any sender: by its own provider, over the client that is given, and never a crash."""

from collections.abc import Iterator
from typing import Any

import httpx
import pytest
import respx

from channels import diagnostics
from channels.base import SenderConfig
from channels.diagnostics import check_sender
from channels.findings import Finding, Level
from channels.providers import PROVIDERS
from channels.types import Channel
from core import http
from tests.channels import support

ORIGIN = "https://login.acme.example"
HOSTS = {
    "whatsapp": "https://graph.example/v26.0",
    "twilio": "https://twilio.example",
    "vonage": "https://vonage.example",
}
ASKING = {"meta": support.whatsapp_sender, "twilio": support.twilio_sender, "vonage": support.vonage_sender}
SILENT = {
    "http": lambda: support.gateway_sender(url="https://gateway.example/send"),
    "console": lambda: support.config("console", Channel.SMS, {}),
    "memory": lambda: support.config("memory", Channel.WHATSAPP, {}),
}


@pytest.fixture
def client(settings: Any) -> Iterator[http.HttpClient]:
    settings.PROVIDER_API_URLS = HOSTS
    client = http.HttpClient()
    yield client
    client.close()


def check(sender: SenderConfig[Any], client: http.HttpClient, public_url: str = ORIGIN) -> list[Finding]:
    return check_sender(sender, public_url=public_url, client=client)


def test_every_provider_is_in_one_of_the_tables() -> None:
    assert set(ASKING) | set(SILENT) == set(PROVIDERS)


@pytest.mark.parametrize("name", list(ASKING))
@pytest.mark.parametrize(
    ("error", "word"),
    [
        (httpx.ConnectError("refused"), "unavailable: ConnectError"),
        (httpx.ConnectTimeout("late"), "unavailable: ConnectTimeout"),
        (httpx.PoolTimeout("busy"), "unavailable: PoolTimeout"),
        (httpx.ReadTimeout("late"), "ReadTimeout"),
        (httpx.RemoteProtocolError("garbage"), "RemoteProtocolError"),
        (httpx.LocalProtocolError("illegal header"), "misconfigured: LocalProtocolError"),
    ],
    ids=lambda item: type(item).__name__ if isinstance(item, Exception) else "",
)
def test_a_provider_that_cannot_be_reached_is_one_finding(
    name: str, error: httpx.TransportError, word: str, client: http.HttpClient
) -> None:
    with respx.mock:
        respx.route().mock(side_effect=error)
        (finding,) = check(ASKING[name](), client)

    assert finding.level is Level.FAIL
    assert finding.text == f"the provider cannot be reached: {word}"
    assert "firewall" in finding.remedy


@pytest.mark.parametrize("name", list(ASKING))
@pytest.mark.parametrize(
    ("status", "body"),
    [
        (200, b""), (200, b"null"), (200, b"[]"), (200, b'"ok"'), (200, b"{"), (200, b"\xff\xfe"), (204, b""),
        (302, b""), (400, b'{"error": "x"}'), (401, b'{"error": {"code": "x"}}'), (404, b"<html>"),
        (500, b'{"error": {}}'), (503, b"[" * 70_000), (200, b'{"data": 5, "status": [], "type": {}}'),
    ],
)  # fmt: skip
def test_no_answer_whatever_stops_a_check(
    name: str, status: int, body: bytes, client: http.HttpClient
) -> None:
    """The doctor goes on with the next sender."""
    with respx.mock:
        respx.route().respond(status, content=body)
        findings = check(ASKING[name](), client)

    assert findings
    assert all(item.remedy for item in findings if item.level is not Level.OK)
    if status >= 300:
        assert findings[0].level is Level.FAIL


@pytest.mark.parametrize("name", list(ASKING))
def test_what_was_found_before_the_connection_broke_is_kept(name: str, client: http.HttpClient) -> None:
    """A clock that is off may be the very reason."""
    headers = {"Date": "Thu, 26 Nov 2020 12:00:00 GMT"}
    with respx.mock:
        first = httpx.Response(200, json={"status": "active"}, headers=headers)
        respx.route().mock(side_effect=[first, httpx.ReadError("gone"), httpx.ReadError("gone")])
        findings = check(ASKING[name](), client, "")

    assert "clock" in findings[0].text
    assert len(findings) > 1


@pytest.mark.parametrize("name", list(ASKING))
@pytest.mark.parametrize("status", [200, 401, 500])
def test_no_finding_holds_a_credential(name: str, status: int, client: http.HttpClient) -> None:
    sender = ASKING[name]()
    with respx.mock:
        respx.route().respond(status, json={"status": "active", "error": {"message": "token"}})
        shown = repr(check(sender, client))

    assert [secret for secret in support.SECRETS if secret in shown] == []


@pytest.mark.parametrize("name", list(ASKING))
def test_a_check_sends_no_message(name: str, client: http.HttpClient) -> None:
    with respx.mock:
        route = respx.route().respond(200, json={"status": "active", "data": []})
        check(ASKING[name](), client)

    assert {call.request.method for call in route.calls} == {"GET"}
    assert not any("essages" in call.request.url.path.rpartition("/")[2] for call in route.calls)


@pytest.mark.parametrize("name", list(SILENT))
def test_some_senders_are_judged_without_asking_anybody(name: str, client: http.HttpClient) -> None:
    with respx.mock:
        findings = check(SILENT[name](), client)

    assert [item.level for item in findings] == [Level.OK if name == "http" else Level.WARN]


def test_the_client_of_the_process_is_used_unless_another_is_given(
    client: http.HttpClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(http, "shared", lambda: client)
    with respx.mock:
        route = respx.get(url__startswith="https://twilio.example/").respond(200, json={"status": "active"})
        findings = check_sender(support.twilio_sender(), public_url=ORIGIN)

    assert route.called
    assert findings[0].level is Level.OK


@pytest.mark.parametrize("provider", ["twilio", "vonage"])
@pytest.mark.parametrize(("public_url", "is_warned"), [("", True), (ORIGIN, False)])
def test_where_reports_are_posted_must_be_known(
    provider: str, public_url: str, is_warned: bool, client: http.HttpClient
) -> None:
    with respx.mock:
        respx.route().respond(200, json={"status": "active", "type": "Full"})
        findings = check(ASKING[provider](), client, public_url)

    assert any("AUTHSVC_PUBLIC_URL" in item.text for item in findings) is is_warned


# How long a code lives --------------------------------------------------------------------------------


def lives(seconds: int, **minutes: int | None) -> list[Finding]:
    return list(diagnostics.code_life(seconds, project="acme", template="login_code", minutes=minutes))


def test_a_life_that_every_language_tells_is_no_finding() -> None:
    assert lives(600, en=10, es=10, de=None) == []
    assert lives(600) == []


def test_languages_that_say_the_same_are_one_finding() -> None:
    (finding,) = lives(300, en=10, es=5, de=10)

    assert finding.level is Level.WARN
    assert finding.text == "a code of acme lives 300 s, and the template login_code says 10 minutes in en, de"
    assert finding.remedy == "Set valid_seconds to 600, or make the template with 5 minutes."


def test_each_time_that_is_said_is_a_finding_of_its_own() -> None:
    findings = lives(120, en=10, es=5, fr=2)

    assert [item.text.rpartition("says ")[2] for item in findings] == ["10 minutes in en", "5 minutes in es"]


def test_the_remedy_never_asks_for_a_template_of_no_minutes() -> None:
    """Meta takes whole minutes from one upwards."""
    (finding,) = lives(45, en=10)

    assert finding.remedy.endswith("with 1 minutes.")
