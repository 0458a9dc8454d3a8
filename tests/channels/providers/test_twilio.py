"""Twilio through its SDK: the request and every answer we have seen."""

import traceback
from collections.abc import Iterator
from typing import Any

import pytest
import respx

from channels.base import Backend, SenderConfig
from channels.errors import SendError
from channels.providers.twilio import backend as subject
from channels.providers.twilio.backend import TwilioBackend
from channels.types import FailureReason, Receipt
from core import http
from tests.channels import support
from tests.channels.providers.contract import BackendContract, basic
from tests.fixtures.load import load, names

F = FailureReason
SID = "SM00000000000000000000000000000003"
ACCOUNT = "AC00000000000000000000000000000001"
PATH = f"/2010-04-01/Accounts/{ACCOUNT}/Messages.json"

OUTCOMES: dict[str, tuple[FailureReason, str] | str] = {
    "twilio/201-accepted-messaging-service.json": "SMc4ca4238a0b923820dcc509a6f75849b",
    "twilio/201-queued-from-number.json": "SMc81e728d9d4c2f636f067f89cc14862c",
    "twilio/200-fetch-delivered.json": "SMc4ca4238a0b923820dcc509a6f75849b",
    "twilio/200-fetch-undelivered-30003.json": (F.UNREACHABLE, "30003"),
    "twilio/400-21211.json": (F.INVALID_NUMBER, "21211"),
    "twilio/400-21408.json": (F.REFUSED, "21408"),
    "twilio/400-21610.json": (F.BLOCKED_BY_USER, "21610"),
    "twilio/400-21612.json": (F.REFUSED, "21612"),
    "twilio/400-21614.json": (F.NOT_ON_CHANNEL, "21614"),
    "twilio/401-20003.json": (F.MISCONFIGURED, "20003"),
    "twilio/404-20404.json": (F.MISCONFIGURED, "20404"),
    "twilio/429-20429.json": (F.RATE_LIMITED, "20429"),
}


@pytest.fixture
def backend() -> Iterator[TwilioBackend]:
    client = http.HttpClient()
    yield TwilioBackend(client)
    client.close()


@pytest.fixture
def api(settings: Any) -> Iterator[respx.Route]:
    settings.PROVIDER_API_URLS = {"twilio": "https://twilio.example"}
    with respx.mock:
        yield respx.post(f"https://twilio.example{PATH}").respond(
            201, json=load("twilio/201-queued-from-number.json")
        )


def form(route: respx.Route) -> dict[str, str]:
    return support.form_of(b"\r\n\r\n" + route.calls.last.request.content)


def refusal(backend: TwilioBackend) -> SendError:
    with pytest.raises(SendError) as caught:
        backend.send(support.message(), support.twilio_sender())
    return caught.value


class TestContract(BackendContract):
    taken = {"sid": SID, "status": "queued", "body": support.TEXT, "to": support.PHONE}
    taken_status = 201
    message_id = SID

    def backend(self, client: http.HttpClient) -> Backend[Any]:
        return TwilioBackend(client)

    def sender(self) -> SenderConfig[Any]:
        return support.twilio_sender()

    def point_at(self, url: str, sender: SenderConfig[Any], settings: Any) -> SenderConfig[Any]:
        settings.PROVIDER_API_URLS = {"twilio": url}
        return sender

    def incomplete_senders(self) -> list[SenderConfig[Any]]:
        whole = self.sender()
        return [
            support.changed(whole, account_sid=""),
            support.changed(whole, auth_tokens=()),
            support.changed(whole, from_number=""),
        ]


def test_the_request(backend: TwilioBackend, api: respx.Route) -> None:
    backend.send(support.message(), support.twilio_sender())

    assert form(api) == {
        "To": support.PHONE,
        "From": "+15005550006",
        "Body": support.TEXT,
        "ValidityPeriod": "300",
        "StatusCallback": f"https://login.acme.example/sms/twilio/status?delivery={support.DELIVERY_ID}",
    }
    request = api.calls.last.request
    assert request.headers["authorization"] == basic(ACCOUNT, "auth-token-of-acme")
    assert request.headers["content-type"] == "application/x-www-form-urlencoded"
    assert request.headers["user-agent"].startswith("twilio-python/")


def test_a_messaging_service_sends_instead_of_a_number(backend: TwilioBackend, api: respx.Route) -> None:
    backend.send(support.message(), support.twilio_sender(messaging_service_sid="MG1"))

    assert form(api)["MessagingServiceSid"] == "MG1"
    assert "From" not in form(api)


@pytest.mark.parametrize(("left", "sent"), [(1, 30), (30, 30), (31, 31), (600, 600), (10**6, 36_000)])
def test_an_sms_waits_no_longer_than_its_code_lives(
    left: int, sent: int, backend: TwilioBackend, api: respx.Route
) -> None:
    backend.send(support.message(valid_seconds=left), support.twilio_sender())

    assert form(api)["ValidityPeriod"] == str(sent)


@pytest.mark.parametrize("origin", ["", "https://my_login.example", "nonsense"])
def test_without_a_callback_that_twilio_takes_the_sms_goes_all_the_same(
    origin: str, backend: TwilioBackend, api: respx.Route
) -> None:
    backend.send(support.message(callback_origin=origin), support.twilio_sender())

    assert "StatusCallback" not in form(api)


@pytest.mark.parametrize("origin", ["https://login.example:8443", "http://localhost:8000", "http://[::1]:8"])
def test_callback_origins(origin: str, backend: TwilioBackend, api: respx.Route) -> None:
    backend.send(support.message(callback_origin=origin), support.twilio_sender())

    assert form(api)["StatusCallback"].startswith(f"{origin}/sms/twilio/status?delivery=")


@pytest.mark.parametrize("name", OUTCOMES)
def test_each_known_answer(name: str, backend: TwilioBackend, api: respx.Route) -> None:
    api.respond(int(name.removeprefix("twilio/")[:3]), json=load(name))
    expected = OUTCOMES[name]

    if isinstance(expected, str):
        assert backend.send(support.message(), support.twilio_sender()) == Receipt(
            provider_message_id=expected
        )
    else:
        error = refusal(backend)
        assert (error.reason, error.provider_code) == expected
        assert "+52555010" not in "".join(traceback.format_exception(error))  # Twilio quotes the number
    assert api.call_count == 1


def test_every_captured_answer_is_tried() -> None:
    assert set(names("twilio")) == set(OUTCOMES) | set(names("twilio", "callback-"))


@pytest.mark.parametrize(
    ("status", "body", "reason", "code"),
    [
        (400, {"code": 999999, "message": "?"}, F.UNKNOWN, "999999"),
        (500, {"code": 999999, "message": "?"}, F.UNAVAILABLE, "999999"),
        (400, {"code": "21211"}, F.UNKNOWN, "http-400"),
        (400, {"code": True}, F.UNKNOWN, "http-400"),
        (503, b"<html>", F.UNAVAILABLE, "http-503"),
        (400, {"type": "t", "title": "t", "status": 400, "code": 21610}, F.BLOCKED_BY_USER, "21610"),
        (429, {"type": "t", "title": "t", "status": 429, "code": 5}, F.RATE_LIMITED, "http-429"),
    ],
)
def test_odd_errors(
    status: int, body: object, reason: FailureReason, code: str, backend: TwilioBackend, api: respx.Route
) -> None:
    if isinstance(body, bytes):
        api.respond(status, content=body)
    else:
        api.respond(status, json=body)

    found = refusal(backend)

    assert (found.reason, found.provider_code) == (reason, code)


@pytest.mark.parametrize("body", [{}, {"sid": None}, {"sid": ""}, {"sid": 5}, {"sid": "x" * 65}])
def test_a_yes_without_a_usable_id_is_uncertain(
    body: object, backend: TwilioBackend, api: respx.Route
) -> None:
    api.respond(201, json=body)

    assert backend.send(support.message(), support.twilio_sender()) == Receipt(certain=False)


@pytest.mark.parametrize(
    ("body", "reason", "code"),
    [
        ({"sid": SID, "status": "failed", "error_code": 21703}, F.MISCONFIGURED, "21703"),
        ({"sid": SID, "status": "failed", "error_code": None}, F.UNKNOWN, "http-201"),
        ({"sid": SID, "status": "undelivered", "error_code": 30005}, F.INVALID_NUMBER, "30005"),
    ],
)
def test_a_message_that_is_created_and_failed_at_once(
    body: object, reason: FailureReason, code: str, backend: TwilioBackend, api: respx.Route
) -> None:
    api.respond(201, json=body)

    error = refusal(backend)

    assert (error.reason, error.provider_code) == (reason, code)


def test_a_region_in_the_environment_does_not_move_the_host(
    backend: TwilioBackend, api: respx.Route, monkeypatch: pytest.MonkeyPatch
) -> None:
    """D15: the SDK would turn it into a host name of its own making."""
    subject._sdk.cache_clear()
    monkeypatch.setenv("TWILIO_REGION", "ie1")
    monkeypatch.setenv("TWILIO_EDGE", "dublin")

    backend.send(support.message(), support.twilio_sender())

    assert api.call_count == 1


def test_each_sender_has_its_own_credentials(backend: TwilioBackend, settings: Any) -> None:
    settings.PROVIDER_API_URLS = {"twilio": "https://twilio.example"}
    with respx.mock:
        route = respx.route(host="twilio.example").respond(201, json={"sid": SID})
        for account, token in (("AC1", "one"), ("AC2", "two"), ("AC1", "three")):
            sender = support.twilio_sender(account_sid=account, auth_tokens=(token,))
            backend.send(support.message(), sender)
            request = route.calls.last.request
            assert request.headers["authorization"] == basic(account, token)
            assert request.url.path == f"/2010-04-01/Accounts/{account}/Messages.json"


def test_a_base_url_may_have_a_path(backend: TwilioBackend, settings: Any) -> None:
    settings.PROVIDER_API_URLS = {"twilio": "https://proxy.example/twilio"}
    with respx.mock:
        route = respx.post(f"https://proxy.example/twilio{PATH}").respond(201, json={"sid": SID})
        backend.send(support.message(), support.twilio_sender())

    assert route.call_count == 1


def test_only_creating_messages_is_allowed() -> None:
    with pytest.raises(NotImplementedError):
        subject._SdkHttp(None).request("GET", "https://twilio.example")


def test_a_code_that_is_in_no_block_is_unknown(backend: TwilioBackend, api: respx.Route) -> None:
    api.respond(400, json={"code": 29999, "message": "x", "status": 400})

    error = refusal(backend)

    assert (error.reason, error.provider_code) == (F.UNKNOWN, "29999")
