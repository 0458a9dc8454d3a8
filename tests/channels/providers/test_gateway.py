"""The generic HTTP gateway: our own protocol, signed."""

import hashlib
import hmac
import json
from collections.abc import Iterator
from typing import Any

import pytest
import respx
import time_machine

from channels.base import Backend, SenderConfig
from channels.errors import SendError
from channels.providers.gateway import REASONS, GatewayBackend, signature
from channels.types import FailureReason, Receipt
from core import http
from tests.channels import support
from tests.channels.providers.contract import BackendContract

URL = "https://gateway.example/messages"


@pytest.fixture
def backend() -> Iterator[GatewayBackend]:
    client = http.HttpClient()
    yield GatewayBackend(client)
    client.close()


@pytest.fixture
def gateway() -> Iterator[respx.Route]:
    with respx.mock:
        yield respx.post(URL).respond(202, json={"id": "gw-1"})


class TestContract(BackendContract):
    taken = {"id": "gw-1"}
    taken_status = 202
    message_id = "gw-1"
    trusts_a_bare_yes = True

    def backend(self, client: http.HttpClient) -> Backend[Any]:
        return GatewayBackend(client)

    def sender(self) -> SenderConfig[Any]:
        return support.gateway_sender()

    def point_at(self, url: str, sender: SenderConfig[Any], settings: Any) -> SenderConfig[Any]:
        return support.changed(sender, url=url) if sender.settings.url else sender

    def incomplete_senders(self) -> list[SenderConfig[Any]]:
        return [support.changed(self.sender(), url=""), support.changed(self.sender(), signing_secret="")]


def test_the_request_is_signed_over_its_exact_bytes(backend: GatewayBackend, gateway: respx.Route) -> None:
    with time_machine.travel(1_795_428_012.9, tick=False):
        backend.send(support.message(), support.gateway_sender(url=URL))

    request = gateway.calls.last.request
    assert json.loads(request.content) == {
        "id": str(support.DELIVERY_ID),
        "to": support.PHONE,
        "text": support.TEXT,
        "validity_seconds": 300,
    }
    digest = hmac.new(b"signing-secret-of-acme", b"1795428012." + request.content, hashlib.sha256)
    assert request.headers["x-authsvc-signature"] == f"t=1795428012,v1={digest.hexdigest()}"
    assert request.headers["content-type"] == "application/json"


def test_a_signature_that_can_be_checked_by_hand() -> None:
    """For whoever writes a gateway: printf '1795428012.{}' | openssl dgst -sha256 -hmac secret."""
    assert (
        signature("secret", b"{}", at=1_795_428_012)
        == "t=1795428012,v1=" + hmac.new(b"secret", b"1795428012.{}", "sha256").hexdigest()
    )


@pytest.mark.parametrize("status", [200, 201, 202, 204])
@pytest.mark.parametrize(
    ("body", "message_id"),
    [({"id": "gw-1"}, "gw-1"), ({}, ""), ({"id": 7}, ""), ({"id": None}, ""), ({"id": "x" * 256}, "")],
)
def test_any_yes_is_a_yes_and_the_id_is_optional(
    status: int, body: object, message_id: str, backend: GatewayBackend, gateway: respx.Route
) -> None:
    gateway.respond(status, json=body)

    receipt = backend.send(support.message(), support.gateway_sender(url=URL))

    assert receipt == Receipt(provider_message_id=message_id)


@pytest.mark.parametrize("word", REASONS)
def test_each_word_of_refusal(word: str, backend: GatewayBackend, gateway: respx.Route) -> None:
    gateway.respond(422, json={"error": word})

    with pytest.raises(SendError) as caught:
        backend.send(support.message(), support.gateway_sender(url=URL))

    assert (caught.value.reason, caught.value.provider_code) == (REASONS[word], word[:20])


def test_an_unknown_word_is_not_repeated_to_anybody(backend: GatewayBackend, gateway: respx.Route) -> None:
    gateway.respond(400, json={"error": f"cannot reach {support.PHONE}"})

    with pytest.raises(SendError) as caught:
        backend.send(support.message(), support.gateway_sender(url=URL))

    assert (caught.value.reason, caught.value.provider_code) == (FailureReason.UNKNOWN, "http-400")
