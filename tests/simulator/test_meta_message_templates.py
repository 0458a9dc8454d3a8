"""Meta's send call takes approved templates only, with the parameters that they have."""

from typing import Any

import pytest

from tests.simulator.support import PHONE, send_whatsapp, template_message
from tests.simulator_client import SimulatorClient


def components(body: dict[str, Any]) -> list[dict[str, Any]]:
    items: list[dict[str, Any]] = body["template"]["components"]
    return items


@pytest.mark.parametrize(
    ("name", "language"),
    [
        ("one_time_password", "en_GB"),
        ("one_time_password", "zh"),
        ("other", "en"),
    ],
)
def test_a_template_that_is_not_approved_in_that_language_does_not_exist(
    client: SimulatorClient, name: str, language: str
) -> None:
    body = template_message(language=language)
    body["template"]["name"] = name

    answer = send_whatsapp(client, body)

    assert answer.status_code == 404
    error = answer.json()["error"]
    assert error["code"] == 132001
    assert error["error_data"]["details"] == f"template name ({name}) does not exist in {language}"


@pytest.mark.parametrize(
    "language", ["en", "es", "pt_BR", "fr", "de", "it", "ar", "hi", "id", "tr", "ru", "zh_HK", "zh_CN"]
)
def test_every_default_language_is_approved(client: SimulatorClient, language: str) -> None:
    assert send_whatsapp(client, template_message(language=language)).status_code == 200
    assert "482913" in client.messages(PHONE)[0]["text"]


def test_text_and_button_speak_the_language_of_the_template(client: SimulatorClient) -> None:
    send_whatsapp(client, template_message(language="es"))

    [message] = client.messages(PHONE)
    assert message["button"] == "Copiar código"
    assert message["text"] == (
        "Tu código de verificación es *482913*. Por tu seguridad, no lo compartas.\n"
        "Este código caduca en 10 minutos."
    )


@pytest.mark.parametrize("parameters", [[], [{"type": "text", "text": "1"}, {"type": "text", "text": "2"}]])
def test_the_number_of_body_parameters_must_fit(client: SimulatorClient, parameters: list[object]) -> None:
    body = template_message()
    components(body)[0]["parameters"] = parameters

    error = send_whatsapp(client, body).json()["error"]

    assert error["code"] == 132000
    assert (
        f"({len(parameters)}) does not match the expected number of params (1)"
        in error["error_data"]["details"]
    )


def test_no_components_at_all_is_a_wrong_number_of_parameters(client: SimulatorClient) -> None:
    body = template_message()
    del body["template"]["components"]

    assert send_whatsapp(client, body).json()["error"]["code"] == 132000


@pytest.mark.parametrize("sub_type", ["otp", "copy_code", "quick_reply", ""])
def test_the_button_must_be_of_type_url(client: SimulatorClient, sub_type: str) -> None:
    body = template_message()
    components(body)[1]["sub_type"] = sub_type

    error = send_whatsapp(client, body).json()["error"]

    assert error["code"] == 132018
    assert error["error_data"]["details"] == "buttons: Button at index 0 must be of type Url"


@pytest.mark.parametrize("index", [0, "0"])
def test_the_index_may_be_a_number_or_a_text(client: SimulatorClient, index: object) -> None:
    body = template_message()
    components(body)[1]["index"] = index

    assert send_whatsapp(client, body).status_code == 200


def test_a_missing_button_is_a_missing_parameter(client: SimulatorClient) -> None:
    body = template_message()
    components(body).pop()

    assert send_whatsapp(client, body).json()["error"]["code"] == 131008


def test_body_and_button_must_carry_the_same_code(client: SimulatorClient) -> None:
    body = template_message()
    components(body)[1]["parameters"] = [{"type": "text", "text": "111111"}]

    assert send_whatsapp(client, body).json()["error"]["code"] == 132018


@pytest.mark.parametrize(("length", "status"), [(6, 200), (15, 200), (16, 400)])
def test_a_code_has_at_most_fifteen_characters(client: SimulatorClient, length: int, status: int) -> None:
    assert send_whatsapp(client, template_message(code="7" * length)).status_code == status


@pytest.mark.parametrize(
    "parameter",
    [{"type": "payload", "payload": "1"}, {"type": "text"}, {"type": "text", "text": 482913}, "482913"],
)
def test_a_parameter_is_a_text(client: SimulatorClient, parameter: object) -> None:
    body = template_message()
    components(body)[0]["parameters"] = [parameter]

    assert send_whatsapp(client, body).json()["error"]["code"] in (131008, 132018)


def test_hello_world_needs_no_parameters(client: SimulatorClient) -> None:
    body = template_message()
    body["template"] = {"name": "hello_world", "language": {"code": "en_US"}}

    assert send_whatsapp(client, body).status_code == 200
    assert client.messages(PHONE)[0]["button"] is None
