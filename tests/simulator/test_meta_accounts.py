"""Meta's calls about accounts: numbers, subscriptions, tokens."""

import httpx
import pytest

from tests.simulator.support import (
    BUSINESS_ID,
    NUMBER_ID,
    TOKEN,
    Receiver,
    send_whatsapp,
    template_message,
)
from tests.simulator_client import SimulatorClient


def get(client: SimulatorClient, path: str, **query: str | int) -> httpx.Response:
    return client.http.get(f"/v26.0/{path}", params=query, headers=TOKEN)


def test_a_phone_number_tells_the_fields_asked_for(client: SimulatorClient) -> None:
    answer = get(client, NUMBER_ID, fields="status,throughput,health_status").json()

    assert answer == {
        "status": "CONNECTED",
        "throughput": {"level": "STANDARD"},
        "health_status": {"can_send_message": "AVAILABLE", "entities": []},
        "id": NUMBER_ID,
    }


def test_a_phone_number_has_default_fields(client: SimulatorClient) -> None:
    assert set(get(client, NUMBER_ID).json()) >= {"display_phone_number", "verified_name", "id"}


def test_an_unknown_object_is_named(client: SimulatorClient) -> None:
    assert get(client, "42").json()["error"]["code"] == 803


@pytest.mark.parametrize(
    "path", ["message_templates", "phone_numbers", "subscribed_apps", "message_template_previews"]
)
def test_another_business_account_is_not_visible(client: SimulatorClient, path: str) -> None:
    assert get(client, f"999/{path}").status_code == 404


@pytest.mark.parametrize("path", [NUMBER_ID, f"{BUSINESS_ID}/message_templates", "debug_token"])
def test_every_call_needs_a_token(client: SimulatorClient, path: str) -> None:
    answer = client.http.get(f"/v26.0/{path}")

    assert answer.status_code == 401
    assert answer.json()["error"]["code"] == 104


def test_a_business_account_lists_its_numbers(client: SimulatorClient) -> None:
    numbers = get(client, f"{BUSINESS_ID}/phone_numbers").json()["data"]

    assert NUMBER_ID in [number["id"] for number in numbers]


def test_without_a_subscription_no_report_comes(client: SimulatorClient, receiver: Receiver) -> None:
    path = f"/v26.0/{BUSINESS_ID}/subscribed_apps"
    assert client.http.delete(path, headers=TOKEN).json() == {"success": True}
    assert client.http.get(path, headers=TOKEN).json() == {"data": []}
    send_whatsapp(client, template_message(biz_opaque_callback_data="unsubscribed"))

    assert client.http.post(path, headers=TOKEN).json() == {"success": True}
    send_whatsapp(client, template_message(biz_opaque_callback_data="subscribed"))

    receiver.statuses(2)
    assert b"unsubscribed" not in b"".join(item.body for item in receiver.received)
    [app] = client.http.get(path, headers=TOKEN).json()["data"]
    assert app["whatsapp_business_api_data"]["id"]


def test_debug_token_tells_a_good_token_from_a_bad_one(client: SimulatorClient) -> None:
    good = get(client, "debug_token", input_token="sim-access-token").json()["data"]
    bad = get(client, "debug_token", input_token="other").json()["data"]

    assert good["is_valid"] is True
    assert good["granular_scopes"][0]["target_ids"] == [BUSINESS_ID]
    assert bad["is_valid"] is False
    assert get(client, "debug_token").status_code == 400
