"""Meta's Cloud API: the request and every answer we have seen."""

import json
import uuid
from collections.abc import Iterator
from typing import Any

import httpx
import pytest
import respx

from channels.base import Backend, SenderConfig
from channels.errors import MEANINGS, SendError
from channels.providers.meta.backend import WhatsAppBackend
from channels.types import FailureReason, Receipt
from core import http
from tests.channels import support
from tests.channels.providers.contract import BackendContract
from tests.fixtures.load import load, names

F = FailureReason
BASE = "https://graph.example/v26.0"
URL = f"{BASE}/330022114455667/messages"

# What each answer comes to: a message id's beginning, or a reason and a provider code.
OUTCOMES: dict[str, tuple[FailureReason, str] | str] = {
    "send/200-accepted.json": "wamid.HBgMNTcz",
    "send/200-accepted-v26-user-id.json": "wamid.HBgNNTIx",
    "send/200-accepted-wa-id-differs.json": "wamid.HBgNNTIx",
    "send/200-no-message-status.json": "wamid.HBgMNTcz",
    "send/200-held-for-quality-assessment.json": (F.HELD, "held_for_quality_ass"),
    "send/200-paused.json": (F.TEMPLATE_PAUSED, "paused"),
    "send/400-100-invalid-parameter.json": (F.BAD_REQUEST, "100"),
    "send/400-100-missing-messaging-product.json": (F.BAD_REQUEST, "100"),
    "send/400-130429-rate-limit.json": (F.RATE_LIMITED, "130429"),
    "send/400-131026-undeliverable-sync.json": (F.NOT_ON_CHANNEL, "131026"),
    "send/400-131030-recipient-not-allowed.json": (F.MISCONFIGURED, "131030"),
    "send/400-131042-payment.json": (F.PAYMENT, "131042"),
    "send/400-131056-pair-rate-limit.json": (F.PAIR_LIMITED, "131056"),
    "send/400-131062-bsuid-recipient.json": (F.BAD_REQUEST, "131062"),
    "send/400-132000-param-count.json": (F.TEMPLATE_UNFIT, "132000"),
    "send/400-132015-template-paused.json": (F.TEMPLATE_PAUSED, "132015"),
    "send/400-132018-template-params.json": (F.TEMPLATE_UNFIT, "132018"),
    "send/401-104-token-missing.json": (F.MISCONFIGURED, "104"),
    "send/401-190-token-expired.json": (F.MISCONFIGURED, "190"),
    "send/401-190-token-invalid.json": (F.MISCONFIGURED, "190"),
    "send/403-10-permission-denied.json": (F.MISCONFIGURED, "10"),
    "send/404-132001-template-missing.json": (F.TEMPLATE_MISSING, "132001"),
    "send/404-803-unknown-id.json": (F.MISCONFIGURED, "803"),
    "send/500-131000-something-went-wrong.json": (F.UNAVAILABLE, "131000"),
    "send/500-131016-service-unavailable.json": (F.UNAVAILABLE, "131016"),
    "send/503-2-api-service.json": (F.UNAVAILABLE, "2"),
}
NOT_ANSWERS = {"send/request-authentication-template.json"}


@pytest.fixture
def backend() -> Iterator[WhatsAppBackend]:
    client = http.HttpClient()
    yield WhatsAppBackend(client)
    client.close()


@pytest.fixture
def meta(settings: Any) -> Iterator[respx.Route]:
    settings.PROVIDER_API_URLS = {"whatsapp": BASE}
    with respx.mock:
        yield respx.post(URL).respond(json=load("send/200-accepted-wa-id-differs.json"))


def sent(route: respx.Route) -> Any:
    return json.loads(route.calls.last.request.content)


def refusal(backend: WhatsAppBackend) -> SendError:
    with pytest.raises(SendError) as caught:
        backend.send(support.message(), support.whatsapp_sender())
    return caught.value


class TestContract(BackendContract):
    taken = {"messages": [{"id": support.WAMID, "message_status": "accepted"}]}
    message_id = support.WAMID
    template_language = "es"

    def backend(self, client: http.HttpClient) -> Backend[Any]:
        return WhatsAppBackend(client)

    def sender(self) -> SenderConfig[Any]:
        return support.whatsapp_sender()

    def point_at(self, url: str, sender: SenderConfig[Any], settings: Any) -> SenderConfig[Any]:
        settings.PROVIDER_API_URLS = {"whatsapp": url}
        return sender

    def incomplete_senders(self) -> list[SenderConfig[Any]]:
        whole = self.sender()
        return [
            support.changed(whole, phone_number_id=""),
            support.changed(whole, access_token=""),
            support.changed(whole, access_token="line\r\nbreak"),
            support.changed(whole, template_languages=()),
        ]


def test_the_request_is_metas_authentication_template(backend: WhatsAppBackend, meta: respx.Route) -> None:
    expected = load("send/request-authentication-template.json")
    expected["biz_opaque_callback_data"] = str(support.DELIVERY_ID)
    sender = support.whatsapp_sender(template_languages=("en", "es_MX"))

    backend.send(support.message(), sender)

    request: httpx.Request = meta.calls.last.request
    assert sent(meta) == expected
    assert request.headers["authorization"] == "Bearer access-token-of-acme"
    assert request.headers["content-type"] == "application/json"


def test_only_our_delivery_id_travels_besides_the_message(
    backend: WhatsAppBackend, meta: respx.Route
) -> None:
    """What Meta echoes in reports must not hold the code or the number."""
    backend.send(support.message(), support.whatsapp_sender())

    assert uuid.UUID(sent(meta)["biz_opaque_callback_data"]) == support.DELIVERY_ID


@pytest.mark.parametrize(
    ("requested", "available", "chosen"),
    [("es-MX", ("en", "es"), "es"), ("en", ("en", "es"), "en"), ("zh-Hant", ("en", "zh_HK"), "zh_HK")],
)
def test_the_language_is_one_that_the_template_has(
    requested: str, available: tuple[str, ...], chosen: str, backend: WhatsAppBackend, meta: respx.Route
) -> None:
    backend.send(support.message(language=requested), support.whatsapp_sender(template_languages=available))

    assert sent(meta)["template"]["language"] == {"code": chosen}


def test_a_sender_cannot_reach_another_path(backend: WhatsAppBackend, settings: Any) -> None:
    """D15."""
    settings.PROVIDER_API_URLS = {"whatsapp": BASE}
    with respx.mock:
        route = respx.route(host="graph.example").respond(404)
        with pytest.raises(SendError):
            backend.send(support.message(), support.whatsapp_sender(phone_number_id="../me?x=#"))

    assert route.calls.last.request.url.raw_path == b"/v26.0/..%2Fme%3Fx%3D%23/messages"


@pytest.mark.parametrize("name", OUTCOMES)
def test_each_known_answer(name: str, backend: WhatsAppBackend, meta: respx.Route) -> None:
    meta.respond(int(name.removeprefix("send/")[:3]), json=load(name))
    expected = OUTCOMES[name]

    if isinstance(expected, str):
        receipt = backend.send(support.message(), support.whatsapp_sender())
        assert receipt.provider_message_id.startswith(expected)
        assert receipt.certain
    else:
        error = refusal(backend)
        assert (error.reason, error.provider_code) == expected
        assert bool(error.refusals) is MEANINGS[error.reason].template
    is_of_template = isinstance(expected, tuple) and MEANINGS[expected[0]].template
    assert meta.call_count == (2 if is_of_template else 1)


def test_every_captured_answer_is_tried() -> None:
    assert set(names("send")) == set(OUTCOMES) | NOT_ANSWERS


@pytest.mark.parametrize(
    "body",
    [
        {"messages": []},
        {"messages": [{}]},
        {"messages": [{"id": ""}]},
        {"messages": [{"id": 5}]},
        {"messages": [{"id": "x" * 256}]},
        {"messages": {"id": "wamid.x"}},
        {"contacts": []},
    ],
)
def test_a_yes_without_a_usable_id_is_uncertain(
    body: object, backend: WhatsAppBackend, meta: respx.Route
) -> None:
    meta.respond(json=body)

    assert backend.send(support.message(), support.whatsapp_sender()) == Receipt(
        certain=False, template_language="es"
    )


def test_an_unknown_message_status_is_a_yes(backend: WhatsAppBackend, meta: respx.Route) -> None:
    meta.respond(json={"messages": [{"id": "wamid.x", "message_status": "on_its_way"}]})

    assert backend.send(support.message(), support.whatsapp_sender()).provider_message_id == "wamid.x"


@pytest.mark.parametrize(
    ("status", "error", "reason", "code"),
    [
        (400, {"code": 999999}, F.UNKNOWN, "999999"),
        (500, {"code": 999999}, F.UNAVAILABLE, "999999"),
        (429, {"code": 999999}, F.RATE_LIMITED, "999999"),
        (403, {"code": 999999}, F.MISCONFIGURED, "999999"),
        (400, {"code": "131026"}, F.NOT_ON_CHANNEL, "131026"),
        (400, {"code": 131026, "error_data": "a string"}, F.NOT_ON_CHANNEL, "131026"),
        (400, {"code": 131026, "fbtrace_id": 7}, F.NOT_ON_CHANNEL, "131026"),
        (400, {"code": None}, F.UNKNOWN, "http-400"),
        (400, {"code": True}, F.UNKNOWN, "http-400"),
        (500, {"code": [1]}, F.UNAVAILABLE, "http-500"),
        (400, {"code": 10**40}, F.UNKNOWN, "10000000000000000000"),
        (200, {"code": 190}, F.MISCONFIGURED, "190"),
    ],
)
def test_odd_errors(
    status: int,
    error: dict[str, Any],
    reason: FailureReason,
    code: str,
    backend: WhatsAppBackend,
    meta: respx.Route,
) -> None:
    meta.respond(status, json={"error": error})

    found = refusal(backend)

    assert (found.reason, found.provider_code) == (reason, code)
