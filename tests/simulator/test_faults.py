"""Outages of a whole provider and faults on the way of the reports."""

import json
from collections.abc import Callable
from typing import Any

import httpx
import pytest

from simulator.signing import hub_signature
from simulator.testing import SimulatorClient
from tests.simulator.support import (
    ACCOUNT_SID,
    APP_SECRET,
    BUSINESS_ID,
    NUMBER_ID,
    PHONE,
    TOKEN,
    TWILIO_MESSAGES,
    Receiver,
    send_gateway,
    send_twilio,
    send_whatsapp,
    wait_until,
)  # fmt: skip

type Sender = Callable[[SimulatorClient], httpx.Response]
SENDERS = {"whatsapp": send_whatsapp, "twilio": send_twilio, "gateway": send_gateway}
SENDER = pytest.mark.parametrize("sender", SENDERS)


def break_provider(client: SimulatorClient, sender: str, outage: str) -> Any:
    """Set the outage where this sender feels it, and give the sender."""
    fault = "whatsapp_outage" if sender == "whatsapp" else "sms_outage"
    client.set_faults(**{fault: outage}, hang_seconds=0.05)
    return SENDERS[sender]


@SENDER
@pytest.mark.parametrize("outage", ["refuse", "hang"])
def test_some_outages_close_the_connection_without_an_answer(
    client: SimulatorClient, sender: str, outage: str
) -> None:
    send = break_provider(client, sender, outage)

    with pytest.raises(httpx.RemoteProtocolError):
        send(client)

    assert client.messages(PHONE) == []
    [sent] = client.sends()
    assert (sent["outcome"], sent["to"], sent["code"]) == ("unanswered", PHONE, "482913")


@SENDER
def test_a_provider_may_accept_and_then_close(client: SimulatorClient, sender: str) -> None:
    send = break_provider(client, sender, "accept_then_close")

    with pytest.raises(httpx.RemoteProtocolError):
        send(client)

    assert client.wait_for_code(PHONE) == "482913"
    assert client.sends()[0]["outcome"] == "accepted"


@SENDER
@pytest.mark.parametrize(("outage", "status"), [("not_json", 200), ("error_503_html", 503)])
def test_a_proxy_may_answer_html(client: SimulatorClient, sender: str, outage: str, status: int) -> None:
    answer = break_provider(client, sender, outage)(client)

    assert answer.status_code == status
    assert answer.headers["content-type"].startswith("text/html")
    assert client.messages(PHONE) == []


@SENDER
def test_an_answer_may_be_cut_in_the_middle(client: SimulatorClient, sender: str) -> None:
    answer = break_provider(client, sender, "half_json")(client)

    assert answer.is_success
    with pytest.raises(json.JSONDecodeError):
        answer.json()
    assert client.sends()[0]["outcome"] == "garbled"
    assert client.messages(PHONE) == []


@pytest.mark.parametrize(("sender", "key"), [("twilio", "sid"), ("gateway", "id")])
def test_an_answer_may_lack_the_id(client: SimulatorClient, sender: str, key: str) -> None:
    answer = break_provider(client, sender, "no_id")(client)

    assert answer.is_success
    assert key not in answer.json()


def test_metas_answer_may_lack_the_id(client: SimulatorClient) -> None:
    assert break_provider(client, "whatsapp", "no_id")(client).json()["messages"] == []


@pytest.mark.parametrize(
    ("outage", "status", "code"),
    [
        ("error_500", 500, 131000),
        ("rate_limited", 400, 130429),
        ("token_expired", 401, 190),
        ("template_paused", 400, 132015),
        ("payment", 400, 131042),
    ],
)
def test_meta_refuses(client: SimulatorClient, outage: str, status: int, code: int) -> None:
    answer = break_provider(client, "whatsapp", outage)(client)

    assert answer.status_code == status
    assert answer.json()["error"]["code"] == code
    assert client.sends()[0]["error"] == code


def test_an_expired_token_has_its_subcode(client: SimulatorClient) -> None:
    assert break_provider(client, "whatsapp", "token_expired")(client).json()["error"]["error_subcode"] == 463


@pytest.mark.parametrize(
    ("outage", "status", "code"),
    [("error_500", 500, 20500), ("rate_limited", 429, 20429), ("token_expired", 401, 20003)],
)
def test_twilio_refuses(client: SimulatorClient, outage: str, status: int, code: int) -> None:
    answer = break_provider(client, "twilio", outage)(client)

    assert (answer.status_code, answer.json()["code"], answer.json()["status"]) == (status, code, status)


@pytest.mark.parametrize(
    ("outage", "status"), [("error_500", 500), ("rate_limited", 429), ("token_expired", 401)]
)
def test_the_gateway_refuses(client: SimulatorClient, outage: str, status: int) -> None:
    assert break_provider(client, "gateway", outage)(client).status_code == status


@pytest.mark.parametrize(
    ("outage", "status"), [("held", "held_for_quality_assessment"), ("paused", "paused")]
)
def test_a_message_may_be_held_back_after_a_200(client: SimulatorClient, outage: str, status: str) -> None:
    answer = break_provider(client, "whatsapp", outage)(client)

    assert answer.status_code == 200
    assert answer.json()["messages"][0]["message_status"] == status
    assert client.sends()[0]["outcome"] == outage
    assert client.messages(PHONE) == []


@pytest.mark.parametrize("path", [NUMBER_ID, f"{BUSINESS_ID}/message_templates"])
def test_an_outage_hits_the_account_calls_too(client: SimulatorClient, path: str) -> None:
    client.set_faults(whatsapp_outage="error_500")

    assert client.http.get(f"/v26.0/{path}", headers=TOKEN).status_code == 500
    assert client.sends() == []


def test_an_outage_of_one_provider_leaves_the_other_alone(client: SimulatorClient) -> None:
    client.set_faults(whatsapp_outage="refuse")

    assert send_twilio(client).status_code == 201
    assert (
        client.http.get(
            TWILIO_MESSAGES.replace(".json", "/SMx.json"), auth=(ACCOUNT_SID, "sim-auth-token")
        ).status_code
        == 404
    )


def test_an_outage_ends(client: SimulatorClient) -> None:
    client.set_faults(whatsapp_outage="error_500")
    client.set_faults(whatsapp_outage=None)

    assert send_whatsapp(client).status_code == 200


# Reports


def test_shuffled_reports_come_out_of_order(client: SimulatorClient, receiver: Receiver) -> None:
    client.set_faults(reports={"shuffle": True})
    client.set_handset(PHONE, whatsapp="read")

    send_whatsapp(client)

    assert receiver.statuses(3) == ["read", "delivered", "sent"]


def test_doubled_reports_are_the_same_bytes(client: SimulatorClient, receiver: Receiver) -> None:
    client.set_faults(reports={"double": True})

    send_whatsapp(client)

    assert receiver.statuses(4) == ["sent", "sent", "delivered", "delivered"]
    assert receiver.received[0].body == receiver.received[1].body


def test_forged_reports_have_a_wrong_signature(client: SimulatorClient, receiver: Receiver) -> None:
    client.set_faults(reports={"forge": True})

    send_whatsapp(client)

    for received in receiver.wait(2):
        assert received.headers["x-hub-signature-256"] != hub_signature(
            app_secret=APP_SECRET, body=received.body
        )


def test_lost_reports_never_come(client: SimulatorClient, receiver: Receiver) -> None:
    client.set_faults(reports={"lose": True})
    send_whatsapp(client)
    client.set_faults(reports={"lose": False})
    client.report(PHONE, channel="whatsapp", status="read")

    assert receiver.statuses(1) == ["read"]


def test_reports_can_come_before_the_answer(client: SimulatorClient, receiver: Receiver) -> None:
    client.set_faults(reports={"before_answer": True})

    send_whatsapp(client)

    assert receiver.statuses(0) == ["sent", "delivered"]


def test_reports_can_come_in_one_batch(client: SimulatorClient, receiver: Receiver) -> None:
    client.set_faults(reports={"batch": True})

    for _ in range(3):
        send_whatsapp(client)

    assert sorted(receiver.statuses(6)) == ["delivered"] * 3 + ["sent"] * 3
    assert len(receiver.received) < 6
    for received in receiver.received:
        assert received.headers["x-hub-signature-256"] == hub_signature(
            app_secret=APP_SECRET, body=received.body
        )


def test_batches_of_two_apps_are_signed_apart(client: SimulatorClient, receiver: Receiver) -> None:
    client.set_faults(reports={"batch": True, "shuffle": True, "double": True})
    own = {
        "phone_number_id": "771",
        "business_account_id": "881",
        "access_token": "own-b",
        "app_secret": "own-secret-b",
    }
    client.add_accounts(whatsapp=[own])

    send_whatsapp(client)
    from_own = {"Authorization": "Bearer own-b"}
    client.http.post("/v26.0/771/messages", json=_message(), headers=from_own).raise_for_status()

    receiver.statuses(8)
    signed = {
        (item.json["entry"][0]["id"], secret)
        for item in receiver.received
        for secret in (APP_SECRET, "own-secret-b")
        if item.headers["x-hub-signature-256"] == hub_signature(app_secret=secret, body=item.body)
    }
    assert signed == {(BUSINESS_ID, APP_SECRET), ("881", "own-secret-b")}


def _message() -> dict[str, Any]:
    text = {"type": "text", "text": "111222"}
    button = {"type": "button", "sub_type": "url", "index": 0, "parameters": [text]}
    template = {
        "name": "one_time_password",
        "language": {"code": "en"},
        "components": [{"type": "body", "parameters": [text]}, button],
    }
    return {"messaging_product": "whatsapp", "to": PHONE, "type": "template", "template": template}


def test_reports_can_be_delayed_while_the_handset_has_the_message(
    client: SimulatorClient, receiver: Receiver
) -> None:
    client.set_faults(reports={"delay_ms": 100})

    send_whatsapp(client)

    assert client.messages(PHONE)
    assert receiver.received == []
    assert sorted(receiver.statuses(2)) == ["delivered", "sent"]


def test_reports_can_hold_unknown_fields_and_statuses(client: SimulatorClient, receiver: Receiver) -> None:
    client.set_faults(reports={"unknown_fields": True})
    client.set_handset(PHONE, whatsapp="silent")

    send_whatsapp(client)

    known, unknown = receiver.wait(1)[0].statuses
    assert (known["status"], unknown["status"]) == ("sent", "new_status")
    assert known["new_field"]
    assert known["id"] != unknown["id"]


def test_reset_cancels_what_is_pending(client: SimulatorClient, receiver: Receiver) -> None:
    client.set_faults(reports={"delay_ms": 150, "batch": True})
    send_whatsapp(client)

    client.reset()
    send_twilio(client, StatusCallback=f"{receiver.url}/after")
    wait_until(lambda: len(receiver.received) >= 2)

    assert {item.path for item in receiver.received} == {"/after"}
