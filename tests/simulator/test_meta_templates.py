"""Meta's calls about templates."""

from typing import Any

import httpx
import pytest

from tests.simulator.support import (
    BUSINESS_ID,
    PHONE,
    TOKEN,
    send_whatsapp,
    template_message,
)
from tests.simulator_client import SimulatorClient

TEMPLATES = f"/v26.0/{BUSINESS_ID}/message_templates"
UPSERT = f"/v26.0/{BUSINESS_ID}/upsert_message_templates"


def get(client: SimulatorClient, path: str, **query: str | int) -> httpx.Response:
    return client.http.get(f"/v26.0/{path}", params=query, headers=TOKEN)


def post(client: SimulatorClient, path: str, body: object) -> httpx.Response:
    return client.http.post(path, json=body, headers=TOKEN)


def new_template(**changes: object) -> dict[str, Any]:
    components = [
        {"type": "BODY", "add_security_recommendation": True},
        {"type": "FOOTER", "code_expiration_minutes": 5},
        {"type": "BUTTONS", "buttons": [{"type": "OTP", "otp_type": "COPY_CODE"}]},
    ]
    body = {"name": "login_code", "language": "nl", "category": "authentication", "components": components}
    return {**body, **changes}


def test_templates_are_listed_page_by_page(client: SimulatorClient) -> None:
    first = get(client, f"{BUSINESS_ID}/message_templates", limit=10, fields="name,language,status").json()
    second = client.http.get(first["paging"]["next"], headers=TOKEN).json()

    assert len(first["data"]) == 10
    assert set(first["data"][0]) == {"name", "language", "status", "id"}
    assert "next" not in second["paging"]
    languages = {item["language"]: item["status"] for item in first["data"] + second["data"]}
    assert languages["es_MX"] == "PAUSED"
    assert languages["zh_HK"] == "APPROVED"
    assert len(languages) == 15


@pytest.mark.parametrize(
    ("query", "count"),
    [
        ({"name": "one_time"}, 14),
        ({"status": "PAUSED"}, 1),
        ({"language": "fr"}, 1),
        ({"category": "UTILITY"}, 1),
        ({"name": "zzz"}, 0),
    ],
)
def test_templates_are_filtered(client: SimulatorClient, query: dict[str, str], count: int) -> None:
    assert len(get(client, f"{BUSINESS_ID}/message_templates", **query).json()["data"]) == count


@pytest.mark.parametrize(
    ("query", "code"), [({"after": "!!"}, 131059), ({"limit": "many"}, 100), ({"limit": "0"}, 100)]
)
def test_a_bad_cursor_or_limit_is_refused(client: SimulatorClient, query: dict[str, str], code: int) -> None:
    assert get(client, f"{BUSINESS_ID}/message_templates", **query).json()["error"]["code"] == code


def test_a_button_reads_back_as_a_url_button(client: SimulatorClient) -> None:
    [item] = get(client, f"{BUSINESS_ID}/message_templates", name="one_time_password", language="es").json()[
        "data"
    ]

    button = item["components"][-1]["buttons"][0]
    assert button["type"] == "URL"
    assert "/otp/code/?otp_type=COPY_CODE&code_expiration_minutes=10&code=otp{{1}}" in button["url"]
    assert item["components"][0]["text"].startswith("Tu código de verificación es *{{1}}*.")


def test_a_new_template_can_be_sent(client: SimulatorClient) -> None:
    answer = post(client, TEMPLATES, new_template())
    body = template_message(language="nl")
    body["template"]["name"] = "login_code"

    assert answer.json()["status"] == "APPROVED"
    assert answer.json()["category"] == "AUTHENTICATION"
    assert send_whatsapp(client, body).status_code == 200
    assert "5 minutes" in client.messages(PHONE)[0]["text"]


def test_a_template_cannot_be_created_twice(client: SimulatorClient) -> None:
    post(client, TEMPLATES, new_template())

    error = post(client, TEMPLATES, new_template()).json()["error"]

    assert (error["code"], error["error_subcode"]) == (100, 2388024)


def button(**changes: object) -> list[dict[str, object]]:
    return [
        {"type": "BODY"},
        {"type": "BUTTONS", "buttons": [{"type": "OTP", "otp_type": "COPY_CODE", **changes}]},
    ]


@pytest.mark.parametrize(
    "changes",
    [
        {"name": "Login Code"},
        {"name": ""},
        {"language": "no"},
        {"language": None},
        {"category": "MARKETING"},
        {"components": "BODY"},
        {"components": []},
        {"components": [{"type": "BODY"}]},
        {"components": [{"type": "BODY", "text": "our own words"}, button()[1]]},
        {"components": [*button(), {"type": "HEADER"}]},
        {"components": [*button(), {"type": "FOOTER", "code_expiration_minutes": 91}]},
        {"components": button(type="URL")},
        {"components": button(otp_type="TEXT")},
        {"components": button(text="x" * 26)},
        {"components": button(otp_type="ONE_TAP")},
        {"components": button(otp_type="ZERO_TAP", supported_apps=[{}])},
        {"message_send_ttl_seconds": 29},
        {"message_send_ttl_seconds": 901},
    ],
    ids=str,
)
def test_a_bad_template_is_refused(client: SimulatorClient, changes: dict[str, object]) -> None:
    answer = post(client, TEMPLATES, new_template(**changes))

    assert answer.status_code == 400
    assert answer.json()["error"]["code"] == 100


def test_many_languages_are_made_at_once_and_keep_their_ids(client: SimulatorClient) -> None:
    body = new_template(languages=["nl", "sv", "es_MX"])

    first = post(client, UPSERT, body).json()["data"]
    second = post(client, UPSERT, body).json()["data"]

    assert [item["language"] for item in first] == ["nl", "sv", "es_MX"]
    assert first == second


@pytest.mark.parametrize(
    "changes", [{}, {"languages": ["zh"]}, {"languages": ["nl"], "components": button(text="Kopieer")}]
)
def test_a_bad_bulk_request_is_refused(client: SimulatorClient, changes: dict[str, object]) -> None:
    assert post(client, UPSERT, new_template(**changes)).json()["error"]["code"] == 100


@pytest.mark.parametrize("name", ["language", "languages"])
def test_previews_show_each_language(client: SimulatorClient, name: str) -> None:
    query = {
        "category": "AUTHENTICATION",
        name: "en_US,es_ES",
        "add_security_recommendation": "true",
        "code_expiration_minutes": 10,
    }

    english, spanish = get(client, f"{BUSINESS_ID}/message_template_previews", **query).json()["data"]  # type: ignore[arg-type]

    assert english["body"] == "*{{1}}* is your verification code. For your security, do not share this code."
    assert spanish["footer"] == "Este código caduca en 10 minutos."
    assert spanish["buttons"] == [{"autofill_text": "Autocompletar", "text": "Copiar código"}]
