"""What each kind of handset makes of a WhatsApp message, and the reports that follow."""

import json

import httpx
import pytest

from simulator.meta.webhooks import hub_signature
from tests.simulator.support import (
    APP_SECRET,
    BUSINESS_ID,
    NUMBER_ID,
    OTHER_PHONE,
    PHONE,
    Receiver,
    send_whatsapp,
    template_message,
    wait_until,
)  # fmt: skip
from tests.simulator_client import SimulatorClient


@pytest.mark.parametrize(
    ("mode", "statuses", "shown"),
    [
        ("delivered", ["sent", "delivered"], True),
        ("read", ["sent", "delivered", "read"], True),
        ("undelivered", ["failed"], False),
        ("silent", ["sent"], False),
        ("not_on_whatsapp", ["failed"], False),
    ],
)
def test_a_mode_has_its_reports(
    client: SimulatorClient, receiver: Receiver, mode: str, statuses: list[str], shown: bool
) -> None:
    client.set_handset(PHONE, whatsapp=mode)

    answer = send_whatsapp(client)

    assert answer.status_code == 200
    assert answer.json()["messages"][0]["id"].startswith("wamid.")
    assert receiver.statuses(len(statuses)) == statuses
    assert bool(client.messages(PHONE)) is shown


@pytest.mark.parametrize(("mode", "code"), [("undelivered", 131049), ("not_on_whatsapp", 131026)])
def test_a_failed_report_carries_the_error_in_its_own_shape(
    client: SimulatorClient, receiver: Receiver, mode: str, code: int
) -> None:
    client.set_handset(PHONE, whatsapp=mode)

    send_whatsapp(client)

    [status] = receiver.wait(1)[0].statuses
    [error] = status["errors"]
    assert error["code"] == code
    assert error["title"] == error["message"]
    assert set(error) == {"code", "title", "message", "error_data", "href"}
    assert "pricing" not in status


@pytest.mark.parametrize(
    ("mode", "status", "code"),
    [("error_500", 500, 131000), ("rate_limited", 400, 130429), ("not_on_whatsapp_sync", 400, 131026)],
)
def test_some_modes_refuse_the_send(client: SimulatorClient, mode: str, status: int, code: int) -> None:
    client.set_handset(PHONE, whatsapp=mode)

    answer = send_whatsapp(client)

    assert answer.status_code == status
    assert answer.json()["error"]["code"] == code
    assert not client.messages(PHONE)
    [send] = client.sends()
    assert (send["outcome"], send["error"]) == ("refused", code)


def test_a_timeout_never_answers(client: SimulatorClient) -> None:
    client.set_handset(PHONE, whatsapp="timeout")
    client.set_faults(hang_seconds=0.05)

    with pytest.raises(httpx.RemoteProtocolError):
        send_whatsapp(client)

    assert client.sends()[0]["outcome"] == "unanswered"
    assert not client.messages(PHONE)


def test_a_late_message_arrives_after_its_time(client: SimulatorClient, receiver: Receiver) -> None:
    client.set_handset(PHONE, whatsapp="late", late_seconds=0.1)

    send_whatsapp(client)

    assert not client.messages(PHONE)
    assert receiver.statuses(2) == ["sent", "delivered"]
    assert client.messages(PHONE)[0]["code"] == "482913"


def test_a_message_that_outlives_its_template_is_dropped_silently(
    client: SimulatorClient, receiver: Receiver
) -> None:
    client.set_handset(PHONE, whatsapp="late", late_seconds=601)

    send_whatsapp(client)

    assert receiver.statuses(1) == ["sent"]


def test_delay_holds_back_delivery_and_its_report(client: SimulatorClient, receiver: Receiver) -> None:
    client.set_handset(PHONE, delay_ms=100)

    send_whatsapp(client)

    assert not client.messages(PHONE)
    assert receiver.statuses(2) == ["sent", "delivered"]
    assert client.wait_for_code(PHONE, channel="whatsapp") == "482913"


def test_a_mode_belongs_to_one_handset(client: SimulatorClient) -> None:
    client.set_handset(PHONE, whatsapp="not_on_whatsapp_sync")

    assert send_whatsapp(client, template_message(OTHER_PHONE)).status_code == 200
    assert send_whatsapp(client).status_code == 400


def test_a_report_has_the_shape_of_2026(client: SimulatorClient, receiver: Receiver) -> None:
    wamid = send_whatsapp(client, template_message("+525550100123", biz_opaque_callback_data="dlv_7")).json()[
        "messages"
    ][0]["id"]

    received = receiver.wait(2)[1]
    [entry] = received.json["entry"]
    [change] = entry["changes"]
    value, [status] = change["value"], change["value"]["statuses"]
    assert (entry["id"], change["field"]) == (BUSINESS_ID, "messages")
    assert value["metadata"] == {"display_phone_number": "15550100300", "phone_number_id": NUMBER_ID}
    [contact] = value["contacts"]
    assert contact["wa_id"] == status["recipient_id"] == "5215550100123"
    assert contact["user_id"] == status["recipient_user_id"]
    assert (status["id"], status["biz_opaque_callback_data"]) == (wamid, "dlv_7")
    assert status["timestamp"].isdigit()
    assert "conversation" not in status


def test_reports_are_signed_over_compact_ascii(client: SimulatorClient, receiver: Receiver) -> None:
    send_whatsapp(client, template_message(biz_opaque_callback_data="späť"))

    for received in receiver.wait(2):
        assert received.path == "/whatsapp/webhook"
        assert received.headers["x-hub-signature-256"] == hub_signature(
            app_secret=APP_SECRET, body=received.body
        )
        assert received.body.isascii()
        assert received.body == json.dumps(received.json, separators=(",", ":")).encode()


def test_without_a_reference_none_is_reported(client: SimulatorClient, receiver: Receiver) -> None:
    send_whatsapp(client)

    assert "biz_opaque_callback_data" not in receiver.wait(1)[0].statuses[0]


def test_a_refused_report_comes_again(client: SimulatorClient, receiver: Receiver) -> None:
    receiver.answers.extend([503, 200])
    client.set_handset(PHONE, whatsapp="silent")

    send_whatsapp(client)

    first, second = receiver.wait(2)
    assert first.body == second.body
    assert first.headers["x-hub-signature-256"] == second.headers["x-hub-signature-256"]
    wait_until(lambda: client.http.get("/healthz").json()["reports"]["refused"] >= 1)
