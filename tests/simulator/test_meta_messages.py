"""Meta's send call is as strict as the real one and answers in its words."""

import base64

import pytest

from tests.simulator.support import GRAPH_MESSAGES, NUMBER_ID, PHONE, TOKEN, send_whatsapp, template_message
from tests.simulator_client import SimulatorClient


def test_a_code_is_accepted_and_shown_on_the_handset(client: SimulatorClient) -> None:
    answer = send_whatsapp(client)

    assert answer.status_code == 200
    assert answer.json()["messaging_product"] == "whatsapp"
    assert answer.json()["messages"][0]["message_status"] == "accepted"
    [message] = client.messages(PHONE)
    assert message["id"] == answer.json()["messages"][0]["id"]
    assert (message["channel"], message["code"], message["button"]) == ("whatsapp", "482913", "Copy code")
    assert message["from"] == "Acme"
    assert message["text"].startswith("*482913* is your verification code.")


@pytest.mark.parametrize("version", ["v18.0", "v23.0", "v26.0", "v110.3"])
def test_any_version_is_served(client: SimulatorClient, version: str) -> None:
    path = f"/{version}/{NUMBER_ID}/messages"

    answer = client.http.post(path, json=template_message(), headers=TOKEN)

    assert answer.status_code == 200
    assert answer.headers["facebook-api-version"] == version


def test_a_path_without_a_version_is_not_served(client: SimulatorClient) -> None:
    assert (
        client.http.post(f"/{NUMBER_ID}/messages", json=template_message(), headers=TOKEN).status_code == 404
    )


@pytest.mark.parametrize(
    ("sent", "wa_id"),
    [
        ("+85251234567", "85251234567"),
        ("+525550100123", "5215550100123"),
        ("+5215550100123", "525550100123"),
        ("+5511987654321", "551187654321"),
        ("+551187654321", "5511987654321"),
    ],
)
def test_wa_id_differs_from_the_input_in_mexico_and_brazil(
    client: SimulatorClient, sent: str, wa_id: str
) -> None:
    contact = send_whatsapp(client, template_message(sent)).json()["contacts"][0]

    assert contact["input"] == sent
    assert contact["wa_id"] == wa_id
    assert client.messages(sent)


def test_a_wamid_holds_the_number_in_base64(client: SimulatorClient) -> None:
    wamid = send_whatsapp(client, template_message("+525550100123")).json()["messages"][0]["id"]

    raw = base64.b64decode(wamid.removeprefix("wamid."))
    assert raw.startswith(b"\x1c\x18\x0d5215550100123\x15\x02\x00\x11\x18\x12")


def test_user_ids_are_stable_and_start_with_the_country(client: SimulatorClient) -> None:
    first, second = (send_whatsapp(client).json()["contacts"][0]["user_id"] for _ in range(2))

    assert first == second
    assert first.startswith("HK.")


@pytest.mark.parametrize(
    ("headers", "code"),
    [({}, 104), ({"Authorization": "Basic abc"}, 104), ({"Authorization": "Bearer wrong"}, 190)],
)
def test_a_missing_or_wrong_token_is_refused(
    client: SimulatorClient, headers: dict[str, str], code: int
) -> None:
    answer = client.http.post(GRAPH_MESSAGES, json=template_message(), headers=headers)

    assert answer.status_code == 401
    assert answer.json()["error"]["code"] == code
    assert answer.headers["www-authenticate"].startswith('OAuth "Facebook Platform"')
    assert not client.messages(PHONE)


def test_an_unknown_phone_number_id_does_not_exist(client: SimulatorClient) -> None:
    answer = client.http.post("/v26.0/999000111222333/messages", json=template_message(), headers=TOKEN)

    assert answer.status_code == 404
    error = answer.json()["error"]
    assert (error["code"], error["type"]) == (803, "GraphMethodException")
    assert "999000111222333" in error["message"]


@pytest.mark.parametrize("content", [b"", b"{", b"[]", b"\xff\xfe", b'"text"'])
def test_a_body_that_is_no_json_object_is_an_invalid_parameter(
    client: SimulatorClient, content: bytes
) -> None:
    answer = client.http.post(GRAPH_MESSAGES, content=content, headers=TOKEN)

    assert answer.status_code == 400
    assert answer.json()["error"]["code"] == 100
    assert client.sends()[0]["outcome"] == "refused"


def test_the_missing_product_is_named_without_details(client: SimulatorClient) -> None:
    body = template_message()
    del body["messaging_product"]

    error = send_whatsapp(client, body).json()["error"]

    assert error["message"] == "(#100) The parameter messaging_product is required."
    assert "error_data" not in error
    assert error["fbtrace_id"].startswith("A")


@pytest.mark.parametrize(
    ("to", "code"),
    [
        ("+0123456789", 131009),
        ("+852x51234567", 131009),
        ("+1", 131009),
        (85251234567, 131009),
        ("+15550100300", 131021),
        ("", 100),
        (None, 100),
        ("MX.40911827736455120083", 131062),
    ],
)
def test_an_invalid_recipient_is_refused(client: SimulatorClient, to: object, code: int) -> None:
    answer = send_whatsapp(client, {**template_message(), "to": to})

    assert answer.status_code == 400
    assert answer.json()["error"]["code"] == code


def test_free_text_is_refused_outside_the_24_hour_window(client: SimulatorClient) -> None:
    body = {"messaging_product": "whatsapp", "to": PHONE, "type": "text", "text": {"body": "482913"}}

    assert send_whatsapp(client, body).json()["error"]["code"] == 131047


def test_a_reference_has_at_most_512_characters(client: SimulatorClient) -> None:
    assert send_whatsapp(client, template_message(biz_opaque_callback_data="x" * 512)).status_code == 200
    assert send_whatsapp(client, template_message(biz_opaque_callback_data="x" * 513)).status_code == 400


def test_sends_are_listed_in_order_with_the_refused_ones(client: SimulatorClient) -> None:
    send_whatsapp(client, template_message(biz_opaque_callback_data="dlv_1"))
    send_whatsapp(client, template_message(language="zh", biz_opaque_callback_data="dlv_2"))

    first, second = client.sends()

    assert (first["n"], first["outcome"], first["reference"], first["code"]) == (
        1,
        "accepted",
        "dlv_1",
        "482913",
    )
    assert first["id"].startswith("wamid.")
    assert (second["n"], second["outcome"], second["error"], second["reference"]) == (
        2,
        "refused",
        132001,
        "dlv_2",
    )
    assert second["id"] is None
    assert {item["provider"] for item in (first, second)} == {"meta"}
