"""Faults on the way of the reports."""

from typing import Any

from simulator.meta.webhooks import hub_signature
from tests.simulator.support import (
    APP_SECRET,
    BUSINESS_ID,
    PHONE,
    TOKEN,
    Receiver,
    send_twilio,
    send_whatsapp,
    wait_until,
)  # fmt: skip
from tests.simulator_client import SimulatorClient

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


def test_a_body_may_hold_statuses_of_another_account(client: SimulatorClient, receiver: Receiver) -> None:
    client.set_faults(reports={"foreign_entries": True})

    send_whatsapp(client)

    for received in receiver.wait(2):
        foreign, own = received.json["entry"]
        assert (foreign["id"] != BUSINESS_ID, own["id"]) == (True, BUSINESS_ID)
        assert received.headers["x-hub-signature-256"] == hub_signature(
            app_secret=APP_SECRET, body=received.body
        )


def test_without_a_subscription_nothing_is_posted(client: SimulatorClient, receiver: Receiver) -> None:
    client.set_faults(reports={"unsubscribed": True})
    send_whatsapp(client)
    listed = client.http.get(f"/v26.0/{BUSINESS_ID}/subscribed_apps", headers=TOKEN).json()
    client.set_faults(reports={"unsubscribed": False})
    client.report(PHONE, channel="whatsapp", status="read")

    assert listed["data"] == []
    assert receiver.statuses(1) == ["read"]


def test_the_test_button_posts_a_signed_sample(client: SimulatorClient, receiver: Receiver) -> None:
    client.set_faults(reports={"unsubscribed": True})  # it needs no subscription

    assert client.http.post("/test-button").status_code == 202

    (received,) = receiver.wait(1)
    assert [entry["id"] for entry in received.json["entry"]] == ["0"]
    assert received.headers["x-hub-signature-256"] == hub_signature(app_secret=APP_SECRET, body=received.body)
