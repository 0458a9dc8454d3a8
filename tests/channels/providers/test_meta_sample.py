"""Meta's own sample message: what is sent, and what every answer to it comes to."""

import json
from collections.abc import Iterator

import httpx
import pytest
import respx

from channels.errors import SendError
from channels.providers.meta.greeting import greet
from channels.types import FailureReason, Receipt
from core import http
from tests.channels import support

MESSAGES = "https://graph.example/v26.0/330022114455667/messages"
F = FailureReason


@pytest.fixture
def meta() -> Iterator[respx.Route]:
    with respx.mock:
        yield respx.post(MESSAGES).respond(json={"messages": [{"id": support.WAMID}]})


def send(client: http.HttpClient) -> Receipt:
    return greet(support.whatsapp_sender(), support.PHONE, "sample:1", client)


def test_it_is_hello_world_in_english_whatever_the_sender_speaks(
    client: http.HttpClient, meta: respx.Route
) -> None:
    assert send(client) == Receipt(provider_message_id=support.WAMID)
    assert json.loads(meta.calls.last.request.content) == {
        "messaging_product": "whatsapp",
        "to": support.PHONE,
        "type": "template",
        "template": {"name": "hello_world", "language": {"code": "en_US"}},
        "biz_opaque_callback_data": "sample:1",
    }


@pytest.mark.parametrize(
    ("status", "body", "reason", "code"),
    [
        (401, {"error": {"code": 190}}, F.MISCONFIGURED, "190"),
        (400, {"error": {"code": "131030"}}, F.MISCONFIGURED, "131030"),
        (400, {"error": {"code": 131058}}, F.TEMPLATE_UNFIT, "131058"),
        (400, {"error": {"code": 100, "error_subcode": 33}}, F.MISCONFIGURED, "100"),
        (400, {"error": {"code": 100}}, F.BAD_REQUEST, "100"),
        (429, {"error": {"code": 999_999}}, F.RATE_LIMITED, "999999"),
        (200, {"error": {"code": 131026}}, F.NOT_ON_CHANNEL, "131026"),
        (500, {"error": {}}, F.UNAVAILABLE, "http-500"),
        (403, {}, F.MISCONFIGURED, "http-403"),
    ],
)
def test_a_refusal_has_metas_code_and_its_meaning(
    status: int,
    body: object,
    reason: FailureReason,
    code: str,
    client: http.HttpClient,
    meta: respx.Route,
) -> None:
    meta.respond(status, json=body)

    with pytest.raises(SendError) as caught:
        send(client)

    assert (caught.value.reason, caught.value.provider_code) == (reason, code)
    assert meta.call_count == 1


def test_a_refusal_does_not_repeat_the_number(client: http.HttpClient, meta: respx.Route) -> None:
    meta.respond(400, json={"error": {"code": 131026, "message": f"{support.PHONE} has no account"}})

    with pytest.raises(SendError) as caught:
        send(client)

    assert support.PHONE not in f"{caught.value!r} {caught.value.__cause__!r}"


@pytest.mark.parametrize(
    "messages",
    [None, [], {}, "x", [None], ["x"], [{}], [{"id": 5}], [{"id": "a b"}], [{"id": "x" * 256}]],
    ids=lambda value: str(value)[:20],
)
def test_a_yes_without_a_usable_id_has_none(
    messages: object, client: http.HttpClient, meta: respx.Route
) -> None:
    meta.respond(json={"messaging_product": "whatsapp", "messages": messages})

    assert send(client).provider_message_id == ""


def test_a_lost_answer_is_told_apart_and_not_repeated(client: http.HttpClient, meta: respx.Route) -> None:
    meta.side_effect = httpx.ReadTimeout("late")

    with pytest.raises(http.AnswerLost):
        send(client)
    assert meta.call_count == 1


@pytest.mark.parametrize("name", ["access_token", "phone_number_id"])
def test_what_is_not_set_up_is_said_and_not_sent(
    name: str, client: http.HttpClient, meta: respx.Route
) -> None:
    sender = support.whatsapp_sender(**{name: ""})

    with pytest.raises(SendError) as refused:
        greet(sender, support.PHONE, "sample:1", client)

    assert refused.value.reason is FailureReason.MISCONFIGURED
    assert meta.call_count == 0
