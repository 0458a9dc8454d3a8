"""`debug_token` as Meta answers it: to the token itself, to its app, to nobody else."""

from typing import Any

import pytest

from simulator.meta.subscriptions import APP_ID
from tests.simulator.support import APP_SECRET, BUSINESS_ID
from tests.simulator_client import SimulatorClient

TOKEN = "sim-access-token"


def ask(client: SimulatorClient, bearer: str, *, status: int = 200, **query: str) -> dict[str, Any]:
    headers = {"Authorization": f"Bearer {bearer}"} if bearer else {}
    answer = client.http.get("/v26.0/debug_token", params=query, headers=headers)
    assert answer.status_code == status
    body: dict[str, Any] = answer.json()
    return body


@pytest.mark.parametrize("bearer", [TOKEN, f"{APP_ID}|{APP_SECRET}"])
def test_the_token_itself_and_its_app_may_ask(bearer: str, client: SimulatorClient) -> None:
    data = ask(client, bearer, input_token=TOKEN)["data"]

    assert (data["is_valid"], data["app_id"], data["expires_at"]) == (True, APP_ID, 0)
    assert data["granular_scopes"][0]["target_ids"] == [BUSINESS_ID]


@pytest.mark.parametrize(
    ("bearer", "status", "code"),
    [
        ("", 401, 104),
        ("another", 401, 190),
        (f"{APP_ID}|another-secret", 400, 190),
        (f"1|{APP_SECRET}", 400, 190),
        (f"{APP_ID}|", 400, 190),
        ("|", 400, 190),
    ],
)
def test_nobody_else_may(bearer: str, status: int, code: int, client: SimulatorClient) -> None:
    assert ask(client, bearer, status=status, input_token=TOKEN)["error"]["code"] == code


def test_the_token_can_be_in_the_address(client: SimulatorClient) -> None:
    assert ask(client, "", input_token=TOKEN, access_token=f"{APP_ID}|{APP_SECRET}")["data"]["is_valid"]


def test_a_token_of_nobody_is_told_as_not_valid(client: SimulatorClient) -> None:
    data = ask(client, TOKEN, input_token="another")["data"]

    assert (data["is_valid"], data["scopes"], data["error"]["code"]) == (False, [], 190)


def test_without_a_token_to_ask_about(client: SimulatorClient) -> None:
    assert ask(client, TOKEN, status=400)["error"]["code"] == 100


def test_an_expired_token_cannot_ask(client: SimulatorClient) -> None:
    client.set_faults(whatsapp_outage="token_expired")
    assert ask(client, TOKEN, status=401, input_token=TOKEN)["error"]["code"] == 190


# Facts of an account --------------------------------------------------------------------------------


def test_facts_of_token_and_number(client: SimulatorClient) -> None:
    facts = {"token": {"expires_at": 5, "scopes": ["email"]}, "number": {"status": "BANNED"}}
    assert client.http.put("/facts", json=facts).status_code == 204

    data = ask(client, TOKEN, input_token=TOKEN)["data"]
    number = client.http.get(
        "/v26.0/100200300400500", params={"fields": "status"}, headers={"Authorization": f"Bearer {TOKEN}"}
    ).json()
    assert (data["expires_at"], data["scopes"], data["granular_scopes"]) == (5, ["email"], [])
    assert number["status"] == "BANNED"

    client.reset()
    assert ask(client, TOKEN, input_token=TOKEN)["data"]["expires_at"] == 0


@pytest.mark.parametrize(
    ("facts", "problem"),
    [
        ({"other": 1}, "other: unknown"),
        ({"number": {"id": "1"}}, "number.id: unknown"),
        ({"number": []}, "number: must be an object"),
        ({"token": {"scopes": "email"}}, "token.scopes: must be a list"),
        ({"review": "FINE"}, "review: must be one of"),
        ({"closed_countries": "HK"}, "closed_countries: must be a list"),
        ({"closed_countries": [5]}, "closed_countries: must be a list"),
    ],
)
def test_facts_that_are_none(facts: dict[str, object], problem: str, client: SimulatorClient) -> None:
    answer = client.http.put("/facts", json=facts)

    assert (answer.status_code, problem in answer.json()["error"]) == (400, True)


@pytest.mark.parametrize("bulk", [True, False])
def test_a_review_takes_its_time(bulk: bool, client: SimulatorClient) -> None:
    client.http.put("/facts", json={"review": "PENDING"}).raise_for_status()
    buttons = {"type": "BUTTONS", "buttons": [{"type": "OTP", "otp_type": "COPY_CODE"}]}
    body: dict[str, object] = {
        "name": "new_one",
        "category": "AUTHENTICATION",
        "components": [{"type": "BODY", "add_security_recommendation": True}, buttons],
    }
    path = "upsert_message_templates" if bulk else "message_templates"
    answer = client.http.post(
        f"/v26.0/{BUSINESS_ID}/{path}",
        json=body | ({"languages": ["en"]} if bulk else {"language": "en"}),
        headers={"Authorization": f"Bearer {TOKEN}"},
    ).json()

    assert (answer["data"][0] if bulk else answer)["status"] == "PENDING"
    assert client.set_template("new_one", "en", "APPROVED", report=False)["status"] == "APPROVED"
