"""Meta's webhooks have the shape of the captured ones in tests/fixtures/providers."""

from typing import Any

import pytest

from tests.fixtures.load import load
from tests.simulator.shapes import shape
from tests.simulator.support import PHONE, Receiver, send_whatsapp, template_message
from tests.simulator_client import SimulatorClient


def value_of(document: dict[str, Any]) -> dict[str, Any]:
    value: dict[str, Any] = document["entry"][0]["changes"][0]["value"]
    return value


@pytest.mark.parametrize("status", ["sent", "delivered", "read"])
def test_a_status_is_like_the_captured_one(client: SimulatorClient, receiver: Receiver, status: str) -> None:
    client.set_faults(reports={"lose": True})
    send_whatsapp(client, template_message("+525550100123", biz_opaque_callback_data="att_1"))
    client.set_faults(reports={"lose": False})
    client.report("+525550100123", channel="whatsapp", status=status)

    value = value_of(receiver.wait(1)[0].json)
    captured = value_of(load(f"webhooks/{status}-v26-contacts.json"))
    assert set(value) == set(captured)
    assert shape(value["metadata"]) == shape(captured["metadata"])
    assert set(value["contacts"][0]) == set(captured["contacts"][0])
    missing = set(captured["statuses"][0]) - set(value["statuses"][0])
    assert missing <= {"pricing"}  # on `sent` and on one of `delivered` and `read`
    assert value["statuses"][0]["recipient_id"] == captured["statuses"][0]["recipient_id"]


@pytest.mark.parametrize(
    ("code", "name"),
    [(131026, "failed-131026"), (131049, "failed-131049"), (131026, "failed-131026-v26-contacts")],
)
def test_a_failure_has_the_captured_error(
    client: SimulatorClient, receiver: Receiver, code: int, name: str
) -> None:
    client.set_faults(reports={"lose": True})
    send_whatsapp(client)
    client.set_faults(reports={"lose": False})
    client.report(PHONE, channel="whatsapp", status="failed", code=code)

    [error] = receiver.wait(1)[0].statuses[0]["errors"]
    [captured] = value_of(load(f"webhooks/{name}.json"))["statuses"][0]["errors"]
    error.pop("href"), captured.pop("href")
    assert error == captured


def test_a_tap_on_not_requested_is_like_the_captured_one(client: SimulatorClient, receiver: Receiver) -> None:
    client.set_faults(reports={"lose": True})
    send_whatsapp(client)
    client.report(PHONE, channel="whatsapp", status="did_not_request_code")

    value = value_of(receiver.wait(1)[0].json)
    captured = value_of(load("webhooks/incoming-did-not-request-code.json"))
    [message], [captured_message] = value["messages"], captured["messages"]
    assert message["button"] == captured_message["button"]
    assert set(captured_message) - set(message) <= {"from_logical_id"}
    assert message["context"]["from"] == value["metadata"]["display_phone_number"]


@pytest.mark.parametrize(
    ("status", "name"),
    [("PAUSED", "paused"), ("DISABLED", "disabled"), ("APPROVED", "approved")],
)
def test_a_template_event_is_like_the_captured_one(
    client: SimulatorClient, receiver: Receiver, status: str, name: str
) -> None:
    client.set_template("one_time_password", "es", status)

    [entry] = receiver.wait(1)[0].json["entry"]
    [captured] = load(f"webhooks/template-status-update-{name}.json")["entry"]
    value, captured_value = entry["changes"][0]["value"], captured["changes"][0]["value"]
    assert shape(entry["time"]) == shape(captured["time"])
    assert entry["changes"][0]["field"] == captured["changes"][0]["field"]
    for key in ("event", "message_template_category"):
        assert value[key] == captured_value[key]
    assert type(value["message_template_id"]) is type(captured_value["message_template_id"]) is int
    if "other_info" in captured_value:
        assert value["other_info"]["title"] == captured_value["other_info"]["title"]
