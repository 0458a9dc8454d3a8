"""The steps of SMS senders: credentials, our own address, and what a gateway may leave out."""

from collections.abc import Iterator
from typing import Any

import httpx
import pytest
import respx
from hypothesis import given, settings
from hypothesis import strategies as st

from channels.errors import SendError
from channels.findings import Finding, Level
from channels.providers import PROVIDERS
from channels.providers.gateway import signature
from channels.providers.vonage import error_code
from channels.setup import StepName, Surroundings
from channels.types import FailureReason
from core import http
from tests.channels import support

ORIGIN = "https://93.184.216.34"  # public, and no name to be asked for
GATEWAY = "https://93.184.216.35/messages"
OK, WARN, FAIL = Level.OK, Level.WARN, Level.FAIL
SENDERS = {
    "vonage": support.vonage_sender,
    "twilio": support.twilio_sender,
    "http": lambda: support.gateway_sender(url=GATEWAY),
}


@pytest.fixture
def client(settings: Any) -> Iterator[http.HttpClient]:
    settings.PROVIDER_API_URLS = {"vonage": "https://vonage.example"}
    client = http.HttpClient()
    yield client
    client.close()


@pytest.fixture
def router() -> Iterator[respx.MockRouter]:
    with respx.mock(assert_all_called=False) as router:
        yield router


def step(
    client: http.HttpClient, provider: str, name: StepName, sender: Any = None, public_url: str = ORIGIN
) -> list[Finding]:
    setup = PROVIDERS[provider].setup
    chosen = setup.step(name) if setup else None
    assert chosen
    assert chosen.check
    around = Surroundings(public_url=public_url)
    findings = list(chosen.check(sender or SENDERS[provider](), around, client))
    assert all(bool(item.remedy) is (item.level is not OK) for item in findings)
    return findings


# Vonage's credentials ---------------------------------------------------------------------------------


def test_a_clock_that_is_off_is_named_even_where_vonage_refuses(
    client: http.HttpClient, router: respx.MockRouter
) -> None:
    date = {"Date": "Thu, 26 Nov 2020 12:00:00 GMT"}
    router.get("https://vonage.example/v2/applications").respond(401, headers=date)

    first, second = step(client, "vonage", StepName.CONNECT)

    assert "clock" in first.text
    assert second.text == "Vonage refuses it: HTTP 401"


@pytest.mark.parametrize("fields", [{"api_key": ""}, {"api_secret": ""}])
def test_without_its_credentials_vonage_is_not_asked(
    fields: dict[str, str], client: http.HttpClient, router: respx.MockRouter
) -> None:
    with pytest.raises(SendError) as caught:
        step(client, "vonage", StepName.CONNECT, support.vonage_sender(**fields))

    assert caught.value.reason is FailureReason.MISCONFIGURED
    assert router.calls.call_count == 0


def test_credentials_are_asked_about_with_the_current_secret_and_send_nothing(
    client: http.HttpClient, router: respx.MockRouter
) -> None:
    route = router.get("https://vonage.example/v2/applications").respond(json={})

    assert [item.text for item in step(client, "vonage", StepName.CONNECT)] == ["credentials work"]
    assert route.calls.last.request.url.query == b"page_size=1"
    assert route.calls.last.request.content == b""


@given(st.text(max_size=30), st.text(alphabet="abz09-", min_size=1, max_size=24))
@settings(max_examples=150, deadline=None)
def test_the_code_of_an_error_is_what_stands_behind_its_last_mark(before: str, code: str) -> None:
    expected = code if len(code) <= 20 else ""

    assert error_code({"type": f"{before}#{code}"}) == expected


@pytest.mark.parametrize(
    "kind",
    ["1240", "#", "x#1240 ", "x#1240\n", "x#Low-Balance", "x#12#", "x#12/40", "x#１２", "x#low_balance", ["x#1240"], 5],
    ids=ascii,
)  # fmt: skip
def test_what_is_no_code_of_an_error(kind: object) -> None:
    assert error_code({"type": kind}) == ""


# Our own address --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("provider", "path", "status"),
    [("vonage", "/healthz", 200), ("twilio", "/healthz", 200), ("http", "/sms/http/status", 405)],
)
def test_an_address_that_answers_is_one_good_line(
    provider: str, path: str, status: int, client: http.HttpClient, router: respx.MockRouter
) -> None:
    own = router.get(f"{ORIGIN}{path}").respond(status)

    (finding,) = step(client, provider, StepName.REPORTS)

    assert finding.level is OK
    reports = PROVIDERS[provider].reports
    assert reports
    assert reports.path in finding.text
    assert own.call_count == 1


@pytest.mark.parametrize("provider", list(SENDERS))
def test_an_address_that_is_away_is_never_a_good_line(
    provider: str, client: http.HttpClient, router: respx.MockRouter
) -> None:
    router.get(url__startswith=ORIGIN).mock(side_effect=httpx.ConnectError("refused"))

    (finding,) = step(client, provider, StepName.REPORTS)

    assert (finding.level, finding.text) == (FAIL, f"{ORIGIN} cannot be reached: ConnectError")


@pytest.mark.parametrize("provider", list(SENDERS))
def test_without_an_address_nobody_is_asked(
    provider: str, client: http.HttpClient, router: respx.MockRouter
) -> None:
    (finding,) = step(client, provider, StepName.REPORTS, public_url="")

    assert (finding.level, "AUTHSVC_PUBLIC_URL" in finding.text) == (WARN, True)
    assert router.calls.call_count == 0


@pytest.mark.parametrize("status", [200, 302, 403, 404, 502])
def test_a_gateway_that_need_not_report_is_warned_and_not_failed(
    status: int, client: http.HttpClient, router: respx.MockRouter
) -> None:
    router.get(f"{ORIGIN}/sms/http/status").respond(status)

    (finding,) = step(client, "http", StepName.REPORTS)

    assert finding.level is WARN
    assert finding.text.startswith(f"our own address answers /sms/http/status with {status}:")


# The gateway ------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("url", "levels"),
    [
        (GATEWAY, [OK]),
        ("http://93.184.216.35/messages", [WARN, OK]),
        ("https://10.0.0.7/messages", [FAIL, OK]),
        ("http://10.0.0.7/messages", [FAIL, WARN, OK]),
        ("", [FAIL, WARN, OK]),
    ],
)
def test_a_gateways_address_is_judged_without_a_call(
    url: str, levels: list[Level], client: http.HttpClient, router: respx.MockRouter, settings: Any
) -> None:
    settings.AUTHSVC_OUTGOING_ALLOW = []

    findings = step(client, "http", StepName.CONNECT, support.gateway_sender(url=url))

    assert [item.level for item in findings] == levels
    assert router.calls.call_count == 0


@given(st.binary(max_size=40), st.integers(0, 2**33), st.binary(max_size=40), st.integers(0, 2**33))
@settings(max_examples=150, deadline=None)
def test_a_signature_is_of_one_body_at_one_time(body: bytes, at: int, other: bytes, later: int) -> None:
    signed = signature("secret", body, at=at)

    assert signed.startswith(f"t={at},v1=")
    assert (signature("secret", other, at=later) == signed) is ((other, later) == (body, at))
    assert signature("Secret", body, at=at) != signed
