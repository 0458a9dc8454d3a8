"""The control API adds accounts and plays the dashboard of the app."""

import pytest

from tests.simulator.support import (
    PHONE,
    Receiver,
    send_whatsapp,
    template_message,
)  # fmt: skip
from tests.simulator_client import RunningSimulator, SimulatorClient


def test_reset_forgets_everything_but_accounts(client: SimulatorClient) -> None:
    client.set_handset(PHONE, sms="silent")
    client.set_faults(whatsapp_outage="error_500")
    send_whatsapp(client)

    assert client.http.delete("/state").status_code == 204

    assert client.sends() == client.messages(PHONE) == client.http.get("/handsets").json() == []
    assert client.faults()["whatsapp_outage"] is None
    assert send_whatsapp(client).status_code == 200
    assert client.sends()[0]["n"] == 1


# Accounts and the handshake

OWN = {
    "phone_number_id": "7700",
    "business_account_id": "8800",
    "access_token": "own-token",
    "app_secret": "own-secret",
}


def test_a_project_can_have_its_own_senders(client: SimulatorClient) -> None:
    client.add_accounts(
        whatsapp=[{**OWN, "verified_name": "Umbrella", "template": "umbrella_code", "languages": ["nl"]}],
        twilio=[{"account_sid": "AC99", "auth_token": "own-auth", "from": "+15550100777"}],
    )
    body = template_message(language="nl")
    body["template"]["name"] = "umbrella_code"

    sent = client.http.post("/v26.0/7700/messages", json=body, headers={"Authorization": "Bearer own-token"})
    form = {"To": PHONE, "From": "+15550100777", "Body": "1234"}
    sms = client.http.post("/2010-04-01/Accounts/AC99/Messages.json", data=form, auth=("AC99", "own-auth"))

    assert (sent.status_code, sms.status_code) == (200, 201)
    assert [item["from"] for item in client.messages(PHONE)] == ["Umbrella", "+15550100777"]
    assert [item["sender"] for item in client.sends()] == ["7700", "+15550100777"]


def test_a_token_of_one_account_does_not_send_for_another(client: SimulatorClient) -> None:
    client.add_accounts(whatsapp=[{**OWN, "phone_number_id": "7711", "access_token": "third"}])

    answer = client.http.post(
        "/v26.0/7711/messages", json=template_message(), headers={"Authorization": "Bearer sim-access-token"}
    )

    assert answer.json()["error"]["code"] == 803


def test_a_token_can_be_rotated(client: SimulatorClient) -> None:
    client.add_accounts(whatsapp=[{**OWN, "phone_number_id": "7722", "access_token": "old-one"}])
    client.add_accounts(whatsapp=[{**OWN, "phone_number_id": "7722", "access_token": "new-one"}])

    codes = [
        client.http.get("/v26.0/7722", headers={"Authorization": f"Bearer {token}"}).status_code
        for token in ("old-one", "new-one")
    ]

    assert codes == [401, 200]


@pytest.mark.parametrize(
    ("body", "problem"),
    [
        ({"sms": []}, "sms: unknown"),
        ({"whatsapp": {}}, "whatsapp: must be a list of objects"),
        ({"whatsapp": [1]}, "whatsapp: must be a list of objects"),
        ({"whatsapp": [{}]}, "whatsapp[0].phone_number_id: is required"),
        ({"whatsapp": [{**OWN, "secret": "x"}]}, "whatsapp[0].secret: unknown"),
        ({"whatsapp": [{**OWN, "app_secret": ""}]}, "whatsapp[0].app_secret: must be a text"),
        ({"whatsapp": [{**OWN, "languages": "nl"}]}, "whatsapp[0].languages: must be a list"),
        ({"twilio": [{"account_sid": "AC1"}]}, "twilio[0].auth_token: is required"),
    ],
    ids=str,
)
def test_bad_accounts_are_refused(client: SimulatorClient, body: dict[str, object], problem: str) -> None:
    answer = client.http.put("/accounts", json=body)

    assert answer.status_code == 400
    assert answer.json()["error"].startswith(problem)


@pytest.mark.parametrize("path", ["/accounts", "/phone/api/accounts"])
def test_accounts_cannot_be_read(client: SimulatorClient, path: str) -> None:
    answer = client.http.get(path)

    assert answer.status_code == 405
    assert answer.headers["allow"] == "PUT"


def test_the_address_of_the_reports_can_be_set(client: SimulatorClient, receiver: Receiver) -> None:
    client.add_accounts(webhook_url=f"{receiver.url}/elsewhere")

    send_whatsapp(client)

    assert receiver.wait(2)[0].path == "/elsewhere"


@pytest.mark.parametrize(("token", "verified"), [(None, True), ("wrong", False)])
def test_the_handshake_needs_the_challenge_back(
    client: SimulatorClient, receiver: Receiver, token: str | None, verified: bool
) -> None:
    body = {} if token is None else {"verify_token": token}

    answer = client.http.post("/handshake", json=body).json()

    assert answer == {"status": 200 if verified else 403, "verified": verified}


def test_the_handshake_fails_where_nothing_listens(
    client: SimulatorClient, simulator: RunningSimulator
) -> None:
    simulator.webhook_url = "http://127.0.0.1:1/"

    assert client.http.post("/handshake").json() == {"status": None, "verified": False}
