"""Meta's answers have the shape of the captured ones in tests/fixtures/providers."""

from collections.abc import Callable

import httpx
import pytest

from tests.fixtures.load import load
from tests.simulator.shapes import shape
from tests.simulator.support import (
    BUSINESS_ID,
    GRAPH_MESSAGES,
    NUMBER_ID,
    PHONE,
    TOKEN,
    send_whatsapp,
    template_message,
)
from tests.simulator_client import SimulatorClient

type Act = Callable[[SimulatorClient], httpx.Response]


def send_with_handset(mode: str) -> Act:
    def act(client: SimulatorClient) -> httpx.Response:
        client.set_handset(PHONE, whatsapp=mode)
        return send_whatsapp(client)

    return act


def send_in_outage(outage: str) -> Act:
    def act(client: SimulatorClient) -> httpx.Response:
        client.set_faults(whatsapp_outage=outage)
        return send_whatsapp(client)

    return act


def send_without_product(client: SimulatorClient) -> httpx.Response:
    body = template_message()
    del body["messaging_product"]
    return send_whatsapp(client, body)


def send_with_language(code: object) -> Act:
    def act(client: SimulatorClient) -> httpx.Response:
        body = template_message()
        body["template"]["language"] = {"code": code}
        return send_whatsapp(client, body)

    return act


def send_without_parameters(client: SimulatorClient) -> httpx.Response:
    body = template_message()
    body["template"]["components"][0]["parameters"] = []
    return send_whatsapp(client, body)


def send_coupon_button(client: SimulatorClient) -> httpx.Response:
    body = template_message()
    body["template"]["components"][1]["sub_type"] = "copy_code"
    return send_whatsapp(client, body)


def send_to_user_id(client: SimulatorClient) -> httpx.Response:
    return send_whatsapp(client, template_message("MX.40911827736455120083"))


def send_with_headers(**headers: str) -> Act:
    return lambda client: client.http.post(GRAPH_MESSAGES, json=template_message(), headers=headers)


def send_from_unknown_number(client: SimulatorClient) -> httpx.Response:
    return client.http.post("/v26.0/999000111222333/messages", json=template_message(), headers=TOKEN)


@pytest.mark.parametrize(
    ("name", "act"),
    [
        ("400-100-missing-messaging-product", send_without_product),
        ("400-100-invalid-parameter", send_with_language(5)),
        ("400-130429-rate-limit", send_with_handset("rate_limited")),
        ("400-130429-rate-limit", send_in_outage("rate_limited")),
        ("400-131026-undeliverable-sync", send_with_handset("not_on_whatsapp_sync")),
        ("400-131042-payment", send_in_outage("payment")),
        ("400-131062-bsuid-recipient", send_to_user_id),
        ("400-132000-param-count", send_without_parameters),
        ("400-132015-template-paused", send_in_outage("template_paused")),
        ("400-132015-template-paused", send_with_language("es_MX")),
        ("400-132018-template-params", send_coupon_button),
        ("401-104-token-missing", send_with_headers()),
        ("401-190-token-expired", send_in_outage("token_expired")),
        ("401-190-token-invalid", send_with_headers(Authorization="Bearer other")),
        ("404-803-unknown-id", send_from_unknown_number),
        ("500-131000-something-went-wrong", send_in_outage("error_500")),
        ("500-131000-something-went-wrong", send_with_handset("error_500")),
    ],
)
def test_an_error_is_the_captured_one(client: SimulatorClient, name: str, act: Act) -> None:
    answer = act(client)

    captured = load(f"send/{name}.json")["error"]
    error = answer.json()["error"]
    assert answer.status_code == int(name[:3])
    assert error.pop("fbtrace_id") == answer.headers["x-fb-trace-id"]
    captured.pop("fbtrace_id")
    assert error == captured


def test_a_missing_translation_is_the_captured_error(client: SimulatorClient) -> None:
    error = send_whatsapp(client, template_message(language="es_UY")).json()["error"]

    captured = load("send/404-132001-template-missing.json")["error"]
    details = captured["error_data"]["details"].replace("login_code", "one_time_password")
    assert (error["code"], error["message"]) == (captured["code"], captured["message"])
    assert error["error_data"]["details"] == details


@pytest.mark.parametrize(
    ("name", "outage"),
    [
        ("200-accepted-v26-user-id", None),
        ("200-held-for-quality-assessment", "held"),
        ("200-paused", "paused"),
    ],
)
def test_an_answer_is_like_the_captured_one(client: SimulatorClient, name: str, outage: str | None) -> None:
    client.set_faults(whatsapp_outage=outage)

    answer = send_whatsapp(client, template_message("+525550100123")).json()

    captured = load(f"send/{name}.json")
    answer["contacts"][0].setdefault("user_id", "")
    captured["contacts"][0].setdefault("user_id", "")
    assert shape(answer) == shape(captured)
    assert answer["contacts"][0]["wa_id"] == captured["contacts"][0]["wa_id"]
    assert answer["messages"][0]["message_status"] == captured["messages"][0]["message_status"]


def test_the_captured_request_is_accepted(client: SimulatorClient) -> None:
    client.add_accounts(
        whatsapp=[
            {
                "phone_number_id": "330022114455667",
                "business_account_id": "220011223344556",
                "access_token": "captured-token",
                "app_secret": "captured-secret",
                "template": "login_code",
                "languages": ["es_MX"],
            }
        ]
    )
    body = load("send/request-authentication-template.json")

    answer = client.http.post(
        "/v26.0/330022114455667/messages", json=body, headers={"Authorization": "Bearer captured-token"}
    )

    assert answer.status_code == 200
    assert client.messages(body["to"])[0]["code"] == "482913"
    assert client.sends()[0]["reference"] == body["biz_opaque_callback_data"]


# Accounts and templates


@pytest.mark.parametrize(
    ("path", "name"),
    [
        (f"{NUMBER_ID}?fields=", "phone-number"),
        (f"{BUSINESS_ID}/subscribed_apps?fields=", "subscribed-apps"),
        ("debug_token?input_token=sim-access-token&fields=", "debug-token"),
    ],
)
def test_an_account_call_is_like_the_captured_one(client: SimulatorClient, path: str, name: str) -> None:
    captured = load(f"account/{name}.json")

    answer = client.http.get(f"/v26.0/{path}{','.join(captured)}", headers=TOKEN).json()

    assert shape(answer) == shape(captured)


def test_a_template_reads_back_as_the_captured_one(client: SimulatorClient) -> None:
    created = client.http.post(
        f"/v26.0/{BUSINESS_ID}/message_templates", json=load("templates/create-request.json"), headers=TOKEN
    ).json()

    listed = client.http.get(f"/v26.0/{BUSINESS_ID}/message_templates?name=login_code", headers=TOKEN).json()[
        "data"
    ]
    [captured] = [
        item for item in load("templates/list-response.json")["data"] if item["language"] == "es_MX"
    ]
    assert shape(created) == shape(load("templates/create-response.json"))
    assert [item["id"] for item in listed] == [created["id"]]
    assert listed[0]["components"] == captured["components"]
    assert listed[0]["message_send_ttl_seconds"] == captured["message_send_ttl_seconds"]
    assert set(captured) <= set(listed[0])


def test_templates_in_many_languages_answer_as_captured(client: SimulatorClient) -> None:
    request = load("templates/upsert-request.json")

    made = client.http.post(
        f"/v26.0/{BUSINESS_ID}/upsert_message_templates", json=request, headers=TOKEN
    ).json()["data"]

    captured = load("templates/upsert-response.json")["data"]
    assert [item["language"] for item in made] == [item["language"] for item in captured]
    assert set(captured[0]) <= set(made[0])


def test_a_preview_is_the_captured_one(client: SimulatorClient) -> None:
    query = {
        "category": "AUTHENTICATION",
        "language": "en_US,es_ES",
        "add_security_recommendation": "true",
        "code_expiration_minutes": "10",
        "button_types": "OTP",
    }

    answer = client.http.get(f"/v26.0/{BUSINESS_ID}/message_template_previews", params=query, headers=TOKEN)

    assert answer.json() == load("templates/preview-response.json")
