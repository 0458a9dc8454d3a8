"""The plain SMS gateway: signed JSON in, an id out, and no report where it was told no address for it."""

import httpx
import pytest

from tests.simulator.support import PHONE, Receiver, send_gateway, send_twilio, wait_until
from tests.simulator_client import SimulatorClient


def test_a_signed_message_is_accepted_and_shown(client: SimulatorClient) -> None:
    answer = send_gateway(client)

    assert answer.status_code == 202
    assert answer.json()["id"].startswith("gw_")
    [message] = client.messages(PHONE)
    assert (message["channel"], message["text"], message["code"]) == ("sms", "Your code is 482913", "482913")
    [send] = client.sends()
    assert (send["provider"], send["reference"], send["id"]) == ("gateway", "dlv_1", answer.json()["id"])


@pytest.mark.parametrize("options", [{"secret": "other"}, {"age": 301}, {"age": -301}], ids=str)
def test_a_wrong_or_old_signature_is_refused(client: SimulatorClient, options: dict[str, object]) -> None:
    answer = send_gateway(client, **options)  # type: ignore[arg-type]

    assert answer.status_code == 401
    assert answer.json() == {"error": "invalid_signature"}
    assert client.sends()[0]["outcome"] == "refused"


def test_a_missing_signature_is_refused(client: SimulatorClient) -> None:
    assert client.http.post("/gateway/messages", json={"id": "1"}).status_code == 401


@pytest.mark.parametrize(
    "changes",
    [
        {"to": "85251234567"},
        {"to": 1},
        {"id": ""},
        {"id": 5},
        {"text": ""},
        {"text": None},
        {"validity_seconds": 0},
        {"validity_seconds": True},
        {"validity_seconds": "60"},
        {"raw": b"{"},
        {"raw": b"[]"},
    ],
    ids=str,
)
def test_a_bad_request_is_refused(client: SimulatorClient, changes: dict[str, object]) -> None:
    answer = send_gateway(client, **changes)  # type: ignore[arg-type]

    assert answer.status_code == 400
    assert answer.json() == {"error": "invalid_request"}


@pytest.mark.parametrize(
    ("mode", "status"), [("error_21610", 422), ("error_500", 500), ("rate_limited", 429)]
)
def test_some_handsets_refuse_the_send(client: SimulatorClient, mode: str, status: int) -> None:
    client.set_handset(PHONE, sms=mode)

    assert send_gateway(client).status_code == status
    assert client.messages(PHONE) == []


@pytest.mark.parametrize("send", [send_gateway, send_twilio])
def test_a_timeout_never_answers(client: SimulatorClient, send: object) -> None:
    client.set_handset(PHONE, sms="timeout")
    client.set_faults(hang_seconds=0.05)

    with pytest.raises(httpx.RemoteProtocolError):
        send(client)  # type: ignore[operator]

    assert client.sends()[0]["outcome"] == "unanswered"


@pytest.mark.parametrize("mode", ["undelivered", "silent"])
def test_a_quiet_handset_shows_nothing(client: SimulatorClient, mode: str) -> None:
    client.set_handset(PHONE, sms=mode)

    assert send_gateway(client).status_code == 202
    assert client.messages(PHONE) == []


def test_a_message_past_its_validity_is_never_shown(client: SimulatorClient) -> None:
    client.set_handset(PHONE, sms="late", late_seconds=3600)

    assert send_gateway(client, validity_seconds=1).status_code == 202
    assert client.messages(PHONE) == []


def test_the_gateway_reports_nothing(client: SimulatorClient, receiver: Receiver) -> None:
    send_gateway(client)
    send_twilio(client, StatusCallback=f"{receiver.url}/twilio")

    wait_until(lambda: len(receiver.received) == 2)
    assert {item.path for item in receiver.received} == {"/twilio"}
