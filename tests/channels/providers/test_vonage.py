"""Vonage's Messages API: its requests, answers and errors."""

import json
from collections.abc import Iterator
from typing import Any

import httpx
import pytest
import respx

from channels.base import Backend, SenderConfig
from channels.errors import SendError
from channels.findings import Level
from channels.providers.vonage import REASONS, SHORTEST_TTL, VONAGE, VonageBackend
from channels.types import FailureReason, Receipt
from core import http
from tests.channels import support
from tests.channels.providers.contract import BackendContract, basic
from tests.core.wire import answering
from tests.fixtures.load import load, names

BASE = "https://vonage.example"
UUID = "aaaaaaaa-bbbb-4ccc-8ddd-0123456789ab"
F = FailureReason
ERRORS = {
    "vonage/401-unauthorized.json": (F.MISCONFIGURED, "unauthorized"),
    "vonage/402-low-balance.json": (F.PAYMENT, "low-balance"),
    "vonage/422-1020-invalid-params.json": (F.BAD_REQUEST, "1020"),
    "vonage/422-1120-illegal-sender.json": (F.MISCONFIGURED, "1120"),
    "vonage/429-1000-throttled.json": (F.RATE_LIMITED, "1000"),
    "vonage/500-1030-internal-error.json": (F.UNAVAILABLE, "1030"),
}


@pytest.fixture
def backend(settings: Any) -> Iterator[VonageBackend]:
    settings.PROVIDER_API_URLS = {"vonage": BASE}
    client = http.HttpClient()
    yield VonageBackend(client)
    client.close()


@pytest.fixture
def api() -> Iterator[respx.Route]:
    with respx.mock:
        yield respx.post(f"{BASE}/v1/messages").respond(202, json=load("vonage/202-accepted.json"))


def sent(api: respx.Route) -> dict[str, Any]:
    payload: dict[str, Any] = json.loads(api.calls.last.request.content)
    return payload


class TestContract(BackendContract):
    taken = load("vonage/202-accepted.json")
    taken_status = 202
    message_id = UUID

    def backend(self, client: http.HttpClient) -> Backend[Any]:
        return VonageBackend(client)

    def sender(self) -> SenderConfig[Any]:
        return support.vonage_sender()

    def point_at(self, url: str, sender: SenderConfig[Any], settings: Any) -> SenderConfig[Any]:
        settings.PROVIDER_API_URLS = {"vonage": url}
        return sender

    def incomplete_senders(self) -> list[SenderConfig[Any]]:
        whole = self.sender()
        return [support.changed(whole, **{name: ""}) for name in ("api_key", "api_secret", "from_number")]

    def test_the_message_goes_to_the_number_with_its_plus(self) -> None:
        """It wants it without."""
        _, server = self.outcome(answering(self.taken_status, self.taken))

        assert support.json_of(server.requests[0])["to"] == "525550100123"


def test_the_request_is_what_the_reference_asks_for(backend: VonageBackend, api: respx.Route) -> None:
    receipt = backend.send(support.message(), support.vonage_sender())

    assert receipt == Receipt(provider_message_id=UUID)
    assert sent(api) == {
        "message_type": "text",
        "channel": "sms",
        "to": "525550100123",
        "from": "15005550006",
        "text": support.TEXT,
        "ttl": 300,
        "client_ref": str(support.DELIVERY_ID),
        "webhook_url": "https://login.acme.example/sms/vonage/status",
        "webhook_version": "v1",
    }
    headers = api.calls.last.request.headers
    assert headers["authorization"] == basic("abcd1234", "api-secret-of-acme")
    assert headers["content-type"] == "application/json"


def test_a_name_is_sent_as_it_is(backend: VonageBackend, api: respx.Route) -> None:
    backend.send(support.message(), support.vonage_sender(from_number="Acme"))

    assert sent(api)["from"] == "Acme"


def test_a_code_about_to_end_waits_the_shortest_time_that_is_taken(
    backend: VonageBackend, api: respx.Route
) -> None:
    backend.send(support.message(valid_seconds=3), support.vonage_sender())

    assert sent(api)["ttl"] == SHORTEST_TTL


def test_without_an_origin_no_report_is_asked_for(backend: VonageBackend, api: respx.Route) -> None:
    backend.send(support.message(callback_origin=""), support.vonage_sender())

    assert not {"webhook_url", "webhook_version"} & set(sent(api))


def test_every_captured_error_is_expected() -> None:
    assert [name for name in names("vonage") if name[7] in "45"] == sorted(ERRORS)


@pytest.mark.parametrize("name", list(ERRORS))
def test_a_captured_error_has_its_reason(name: str, backend: VonageBackend, api: respx.Route) -> None:
    api.respond(int(name[7:10]), json=load(name))

    with pytest.raises(SendError) as caught:
        backend.send(support.message(), support.vonage_sender())

    assert (caught.value.reason, caught.value.provider_code) == ERRORS[name]


@pytest.mark.parametrize(
    ("kind", "code"),
    [
        ("https://developer.vonage.com/api-errors/messages#9999", "9999"),
        ("https://developer.vonage.com/api-errors#not-found", "not-found"),
        ("about:blank", "http-422"),
        (f"https://x.example/#{'9' * 21}", "http-422"),
        (None, "http-422"),
    ],
)
def test_an_unknown_error_is_read_from_its_status(
    kind: object, code: str, backend: VonageBackend, api: respx.Route
) -> None:
    api.respond(422, json={"type": kind})

    with pytest.raises(SendError) as caught:
        backend.send(support.message(), support.vonage_sender())

    assert (caught.value.reason, caught.value.provider_code) == (F.UNKNOWN, code)


@pytest.mark.parametrize(
    "answer", [{}, {"message_uuid": 7}, {"message_uuid": ""}, {"message_uuid": "x" * 65}]
)
def test_an_answer_without_a_usable_id_is_uncertain(
    answer: dict[str, Any], backend: VonageBackend, api: respx.Route
) -> None:
    api.respond(202, json=answer)

    assert backend.send(support.message(), support.vonage_sender()) == Receipt(certain=False)


def test_the_table_holds_what_a_person_can_bring_about() -> None:
    about_people = {F.INVALID_NUMBER, F.UNREACHABLE, F.BLOCKED_BY_USER, F.REFUSED, F.PAIR_LIMITED}

    assert {code for code, reason in REASONS.items() if reason in about_people} >= {"1050", "1240", "1260"}
    assert all(len(code) <= 20 for code in REASONS)


# Settings -------------------------------------------------------------------------------------------

RIGHT = {
    "api_key": "abcd1234",
    "api_secret": "secret",
    "signature_secret": "another-secret",
    "from_number": "+15005550006",
}


def test_right_settings_have_no_problem() -> None:
    assert VONAGE.problems(RIGHT) == []
    assert VONAGE.problems(RIGHT | {"signature_secret_previous": "old", "from_number": "Acme"}) == []


@pytest.mark.parametrize("name", list(RIGHT))
def test_each_setting_is_required(name: str) -> None:
    assert [field for field, _ in VONAGE.problems(RIGHT | {name: ""})] == [name]


@pytest.mark.parametrize(
    ("name", "value"),
    [("api_key", "abc-1"), ("api_secret", "two words"), ("from_number", "+0"), ("url", "https://x.example/")],
)
def test_a_wrong_setting_is_named(name: str, value: str) -> None:
    assert [field for field, _ in VONAGE.problems(RIGHT | {name: value})] == [name]


# Check ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("status", "level"), [(200, Level.OK), (401, Level.FAIL), (500, Level.FAIL)])
def test_the_credentials_are_asked_about(status: int, level: Level, settings: Any) -> None:
    settings.PROVIDER_API_URLS = {"vonage": BASE}
    client = http.HttpClient()
    with respx.mock:
        route = respx.get(f"{BASE}/v2/applications").mock(return_value=httpx.Response(status, json={}))
        findings = list(VONAGE.check(support.vonage_sender(), "https://login.acme.example", client))
    client.close()

    assert [finding.level for finding in findings] == [level]
    assert route.calls.last.request.headers["authorization"] == basic("abcd1234", "api-secret-of-acme")


def test_without_a_public_url_it_says_so(settings: Any) -> None:
    settings.PROVIDER_API_URLS = {"vonage": BASE}
    client = http.HttpClient()
    with respx.mock:
        respx.get(f"{BASE}/v2/applications").respond(200, json={})
        findings = list(VONAGE.check(support.vonage_sender(), "", client))
    client.close()

    assert [finding.level for finding in findings] == [Level.OK, Level.WARN]
