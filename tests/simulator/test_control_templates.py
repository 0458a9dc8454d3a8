"""The control API changes the state of templates and reports events of accounts."""

import pytest

from tests.simulator.support import BUSINESS_ID, Receiver, send_whatsapp, template_message
from tests.simulator_client import SimulatorClient


@pytest.mark.parametrize(
    ("state", "status", "code"),
    [("PAUSED", 400, 132015), ("DISABLED", 400, 132016), ("REJECTED", 404, 132001), ("DELETED", 404, 132001)],
)
def test_a_template_answers_by_its_state_and_only_in_that_language(
    state: str, status: int, code: int, client: SimulatorClient
) -> None:
    """A paused template is not a missing one."""
    client.set_template("one_time_password", "es", state)

    answer = send_whatsapp(client, template_message(language="es"))

    assert (answer.status_code, answer.json()["error"]["code"]) == (status, code)
    assert send_whatsapp(client, template_message(language="en")).status_code == 200


def test_a_change_of_a_template_is_reported_to_its_account(
    client: SimulatorClient, receiver: Receiver
) -> None:
    client.set_template("one_time_password", "es", "PAUSED")
    client.set_template("one_time_password", "es", "APPROVED", at=1795435200)
    client.set_template("one_time_password", "fr", "DISABLED", report=False)
    client.account_event("account_update", {"event": "ACCOUNT_VIOLATION"})

    entries = [item.json["entry"][0] for item in receiver.wait(3)]

    changes = [(entry["changes"][0]["field"], entry["changes"][0]["value"]["event"]) for entry in entries]
    assert changes == [
        ("message_template_status_update", "PAUSED"),
        ("message_template_status_update", "APPROVED"),
        ("account_update", "ACCOUNT_VIOLATION"),
    ]
    assert entries[0]["changes"][0]["value"]["message_template_language"] == "es"
    assert entries[0]["changes"][0]["value"]["other_info"]["title"] == "FIRST_PAUSE"
    assert entries[1]["time"] == 1795435200
    assert {entry["id"] for entry in entries} == {BUSINESS_ID}


def test_template_states_are_listed_and_reset(
    client: SimulatorClient,
) -> None:
    def status_of(language: str) -> str:
        rows = client.http.get("/templates").json()
        return next(str(row["status"]) for row in rows if (row["name"], row["language"]) == key(language))

    def key(language: str) -> tuple[str, str]:
        return ("one_time_password", language)

    client.set_template(*key("es"), "REJECTED")
    assert (status_of("es"), status_of("en"), status_of("es_MX")) == ("REJECTED", "APPROVED", "PAUSED")
    client.reset()
    assert status_of("es") == "APPROVED"


@pytest.mark.parametrize(
    ("path", "body", "status", "word"),
    [
        ("/templates/one_time_password/es", {"status": "SLEEPING"}, 400, "status: must be one of"),
        ("/templates/one_time_password/es", {"state": "PAUSED"}, 400, "state: unknown"),
        (
            "/templates/one_time_password/es",
            {"status": "PAUSED", "at": "now"},
            400,
            "at: must be Unix seconds",
        ),
        ("/templates/one_time_password/xx", {"status": "PAUSED"}, 404, "no template"),
        (
            "/templates/one_time_password/es",
            {"status": "PAUSED", "business_account_id": "1"},
            404,
            "no such business account",
        ),
        ("/account-events", {"field": "messages", "value": {}}, 400, "field: must be one of"),
        ("/account-events", {"field": "account_update", "value": []}, 400, "value: must be an object"),
    ],
)
def test_a_bad_change_of_a_template_changes_nothing(
    path: str, body: dict[str, object], status: int, word: str, client: SimulatorClient
) -> None:
    before = client.http.get("/templates").json()

    answer = client.http.request("POST" if path == "/account-events" else "PUT", path, json=body)

    assert answer.status_code == status
    assert word in answer.json()["error"]
    assert client.http.get("/templates").json() == before
