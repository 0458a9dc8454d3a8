"""Vonage's Messages API as the simulator plays it: strict about requests, true to the captured answers."""

import hashlib
import json
from typing import Any

import httpx
import jwt
import pytest

from simulator.vonage.messages import ACCOUNT
from tests.fixtures.load import load
from tests.simulator.support import PHONE, Receiver, wait_until
from tests.simulator_client import SimulatorClient

AUTH = (ACCOUNT.api_key, ACCOUNT.api_secret)


def send(client: SimulatorClient, *, auth: tuple[str, str] = AUTH, **changes: Any) -> httpx.Response:
    body = {
        "message_type": "text",
        "channel": "sms",
        "to": PHONE.removeprefix("+"),
        "from": ACCOUNT.from_number,
        "text": "Your code is 482913",
        "client_ref": "dlv_1",
    }
    body = {name: value for name, value in (body | changes).items() if value is not None}
    return client.http.post("/v1/messages", json=body, auth=auth)


def test_a_message_is_accepted_and_shown(client: SimulatorClient) -> None:
    answer = send(client)

    assert answer.status_code == 202
    assert answer.json().keys() == load("vonage/202-accepted.json").keys()
    wait_until(lambda: bool(client.messages(PHONE)))
    [message] = client.messages(PHONE)
    assert (message["channel"], message["code"]) == ("sms", "482913")
    [record] = client.sends()
    assert (record["provider"], record["reference"], record["outcome"]) == ("vonage", "dlv_1", "accepted")


@pytest.mark.parametrize("auth", [("abcd1234", "wrong"), ("another", ACCOUNT.api_secret)])
def test_wrong_credentials_are_refused(auth: tuple[str, str], client: SimulatorClient) -> None:
    answer = send(client, auth=auth)

    assert answer.status_code == 401
    assert answer.json()["type"] == load("vonage/401-unauthorized.json")["type"]
    assert client.http.get("/v2/applications", auth=auth).status_code == 401
    assert client.http.get("/v2/applications", auth=AUTH).status_code == 200


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"to": None}, 1010),
        ({"text": ""}, 1010),
        ({"from": 7}, 1010),
        ({"message_type": "image"}, 1020),
        ({"channel": "mms"}, 1020),
        ({"text": "x" * 1001}, 1020),
        ({"ttl": 19}, 1020),
        ({"ttl": "300"}, 1020),
        ({"client_ref": "x" * 101}, 1020),
        ({"webhook_url": "ftp://x"}, 1020),
        ({"webhook_version": "v2"}, 1020),
        ({"surprise": 1}, 1020),
        ({"to": PHONE}, 1170),
        ({"to": "123"}, 1170),
        ({"from": "+15005550006"}, 1120),
        ({"from": "TwelveLetters"}, 1120),
    ],
)
def test_what_the_reference_does_not_allow_is_refused(
    changes: dict[str, Any], code: int, client: SimulatorClient
) -> None:
    answer = send(client, **changes)

    assert answer.status_code == 422
    assert answer.json()["type"].endswith(f"/messages#{code}")
    assert client.sends()[0]["outcome"] == "refused"


def test_what_is_not_json_is_refused(client: SimulatorClient) -> None:
    assert client.http.post("/v1/messages", content=b"{", auth=AUTH).status_code == 422


@pytest.mark.parametrize(
    ("mode", "words"),
    [
        ("delivered", ["submitted", "delivered"]),
        ("undelivered", ["submitted", "undeliverable"]),
        ("silent", ["submitted"]),
    ],
)
def test_statuses_are_reported_to_the_messages_own_webhook(
    mode: str, words: list[str], client: SimulatorClient, receiver: Receiver
) -> None:
    client.set_handset(PHONE, sms=mode)
    message_uuid = send(client, webhook_url=f"{receiver.url}/status").json()["message_uuid"]

    bodies = [json.loads(item.body) for item in receiver.wait(len(words))]

    assert [body["status"] for body in bodies] == words
    assert {body["message_uuid"] for body in bodies} == {message_uuid}
    assert {body["client_ref"] for body in bodies} == {"dlv_1"}
    assert ("error" in bodies[-1]) is (mode == "undelivered")


def test_a_report_is_signed_over_its_body(client: SimulatorClient, receiver: Receiver) -> None:
    send(client, webhook_url=f"{receiver.url}/status")

    item = receiver.wait(1)[0]

    token = item.headers["authorization"].removeprefix("Bearer ")
    claims = jwt.decode(token, ACCOUNT.signature_secret, algorithms=["HS256"])
    assert claims["api_key"] == ACCOUNT.api_key
    assert claims["payload_hash"] == hashlib.sha256(item.body).hexdigest()


def test_a_forged_report_is_signed_by_another_secret(client: SimulatorClient, receiver: Receiver) -> None:
    client.set_faults(reports={"forge": True})
    send(client, webhook_url=f"{receiver.url}/status")

    token = receiver.wait(1)[0].headers["authorization"].removeprefix("Bearer ")

    with pytest.raises(jwt.InvalidSignatureError):
        jwt.decode(token, ACCOUNT.signature_secret, algorithms=["HS256"])


@pytest.mark.parametrize(
    ("mode", "status", "code"),
    [("error_21610", 403, 1050), ("error_500", 500, 1030), ("rate_limited", 429, 1000)],
)
def test_a_handset_can_make_it_refuse(mode: str, status: int, code: int, client: SimulatorClient) -> None:
    client.set_handset(PHONE, sms=mode)

    answer = send(client)

    assert answer.status_code == status
    assert answer.json()["type"].endswith(f"#{code}")


@pytest.mark.parametrize(
    ("outage", "status"), [("token_expired", 401), ("error_500", 500), ("rate_limited", 429), ("no_id", 202)]
)
def test_an_outage_is_the_one_of_all_sms_providers(outage: str, status: int, client: SimulatorClient) -> None:
    client.set_faults(sms_outage=outage)

    assert send(client).status_code == status
