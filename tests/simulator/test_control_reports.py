"""Reports on demand."""

import pytest

from tests.simulator.support import (
    OTHER_PHONE,
    PHONE,
    Receiver,
    send_twilio,
    send_whatsapp,
    template_message,
)  # fmt: skip
from tests.simulator_client import SimulatorClient

# Reports on demand


@pytest.mark.parametrize("status", ["sent", "delivered", "read"])
def test_a_status_is_reported_on_demand(client: SimulatorClient, receiver: Receiver, status: str) -> None:
    client.set_faults(reports={"lose": True})
    wamid = send_whatsapp(client, template_message(biz_opaque_callback_data="dlv_9")).json()["messages"][0][
        "id"
    ]
    client.set_faults(reports={"lose": False})

    answer = client.report(PHONE, channel="whatsapp", status=status)

    assert answer == {"id": wamid, "status": status}
    [item] = receiver.wait(1)[0].statuses
    assert (item["id"], item["status"], item["biz_opaque_callback_data"]) == (wamid, status, "dlv_9")


@pytest.mark.parametrize("code", [131026, 137000, 132015, 999])
def test_a_failure_is_reported_with_its_code(client: SimulatorClient, receiver: Receiver, code: int) -> None:
    client.set_handset(PHONE, whatsapp="silent")
    send_whatsapp(client)

    client.report(PHONE, channel="whatsapp", status="failed", code=code)

    assert receiver.statuses(2) == ["sent", "failed"]
    assert receiver.received[1].statuses[0]["errors"][0]["code"] == code


def test_an_sms_status_is_reported_on_demand(client: SimulatorClient, receiver: Receiver) -> None:
    client.set_handset(PHONE, sms="silent")
    send_twilio(client, StatusCallback=f"{receiver.url}/status")

    client.report(PHONE, channel="sms", status="undelivered", code=30005)

    form = receiver.wait(2)[1].form
    assert (form["MessageStatus"], form["ErrorCode"]) == ("undelivered", "30005")


def test_a_person_reports_that_no_code_was_requested(client: SimulatorClient, receiver: Receiver) -> None:
    client.set_faults(reports={"lose": True})
    wamid = send_whatsapp(client).json()["messages"][0]["id"]

    client.report(PHONE, channel="whatsapp", status="did_not_request_code")

    value = receiver.wait(1)[0].json["entry"][0]["changes"][0]["value"]
    [message] = value["messages"]
    assert message["button"]["payload"] == "DID_NOT_REQUEST_CODE"
    assert message["context"]["id"] == wamid
    assert "statuses" not in value


@pytest.mark.parametrize(
    ("changes", "status"),
    [
        ({"to": OTHER_PHONE}, 404),
        ({"channel": "sms"}, 404),
        ({"to": "123"}, 400),
        ({"channel": "fax"}, 400),
        ({"status": "lost"}, 400),
        ({"channel": "sms", "status": "read"}, 400),
        ({"code": "131026"}, 400),
    ],
    ids=str,
)
def test_an_impossible_report_is_refused(
    client: SimulatorClient, changes: dict[str, object], status: int
) -> None:
    send_whatsapp(client)
    body = {"to": PHONE, "channel": "whatsapp", "status": "delivered", **changes}

    answer = client.http.post("/reports", json=body)

    assert answer.status_code == status
    assert answer.json()["error"]
