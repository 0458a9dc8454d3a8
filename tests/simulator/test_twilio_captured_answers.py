"""Twilio's answers and callbacks are the captured ones of tests/fixtures/providers."""

import re
from typing import Any

import httpx
import pytest

from simulator.twilio.callbacks import twilio_signature
from tests.fixtures.load import load, names
from tests.simulator.support import (
    ACCOUNT_SID,
    PHONE,
    SERVICE_SID,
    TWILIO_MESSAGES,
    Receiver,
    send_twilio,
    wait_until,
)
from tests.simulator_client import SimulatorClient

AUTH = (ACCOUNT_SID, "sim-auth-token")


@pytest.mark.parametrize(
    ("code", "to"),
    [
        (21211, "+15005550001"),
        (21408, "+15005550003"),
        (21610, "+15005550004"),
        (21612, "+15005550002"),
        (21614, "+15005550009"),
    ],
)
def test_a_refused_recipient_is_the_captured_error(client: SimulatorClient, code: int, to: str) -> None:
    answer = send_twilio(client, To=to)

    captured = load(f"twilio/400-{code}.json")
    message = (
        captured["message"].replace("+52555010XXXX", f"{to[:-4]}XXXX").replace("+15550100888", "+15005550006")
    )
    assert answer.status_code == captured["status"]
    assert answer.json() == {**captured, "message": message}


def test_wrong_credentials_are_the_captured_error(client: SimulatorClient) -> None:
    answer = client.http.post(TWILIO_MESSAGES, data={"To": PHONE}, auth=(ACCOUNT_SID, "other"))

    assert answer.json() == load("twilio/401-20003.json")
    assert answer.headers["www-authenticate"] == 'Basic realm="Twilio API"'


def test_an_unknown_account_is_the_captured_error(client: SimulatorClient) -> None:
    path = "/2010-04-01/Accounts/AC2/Messages.json"

    answer = send_twilio(client, path=path)

    captured = load("twilio/404-20404.json")
    assert answer.status_code == 404
    assert answer.json() == {**captured, "message": captured["message"].replace(ACCOUNT_SID, "AC2")}


@pytest.mark.parametrize("by", ["outage", "handset"])
def test_too_many_requests_are_the_captured_error(client: SimulatorClient, by: str) -> None:
    if by == "outage":
        client.set_faults(sms_outage="rate_limited")
    else:
        client.set_handset(PHONE, sms="rate_limited")

    answer = send_twilio(client)

    assert answer.status_code == 429
    assert answer.json() == load("twilio/429-20429.json")


@pytest.mark.parametrize(
    ("name", "form"),
    [
        ("201-queued-from-number", {}),
        ("201-accepted-messaging-service", {"From": "", "MessagingServiceSid": SERVICE_SID}),
    ],
)
def test_a_creation_is_like_the_captured_one(
    client: SimulatorClient, name: str, form: dict[str, str]
) -> None:
    created = send_twilio(client, **form).json()

    captured = load(f"twilio/{name}.json")
    own = {"body", "date_created", "date_updated", "from", "sid", "subresource_uris", "to", "uri"}
    assert set(created) == set(captured)
    assert {key: created[key] for key in set(captured) - own} == {
        key: captured[key] for key in set(captured) - own
    }
    assert re.fullmatch(r"\w{3}, \d\d \w{3} \d{4} \d\d:\d\d:\d\d \+0000", created["date_created"])


@pytest.mark.parametrize(
    ("name", "mode"), [("200-fetch-delivered", "delivered"), ("200-fetch-undelivered-30003", "undelivered")]
)
def test_a_message_reads_back_like_the_captured_one(client: SimulatorClient, name: str, mode: str) -> None:
    captured = load(f"twilio/{name}.json")
    client.set_handset(PHONE, sms=mode)
    path = send_twilio(client).json()["uri"]

    def read() -> dict[str, Any]:
        resource: dict[str, Any] = client.http.get(path, auth=AUTH).json()
        return resource

    wait_until(lambda: read()["status"] == captured["status"])
    resource = read()
    assert set(resource) == set(captured)
    for key in ("error_code", "error_message", "num_segments", "direction", "num_media"):
        assert resource[key] == captured[key]
    assert type(resource["date_sent"]) is str


@pytest.mark.parametrize("name", names("twilio", "callback-"))
def test_a_captured_callback_has_our_signature(name: str) -> None:
    captured = load(name)

    signature = twilio_signature(
        auth_token=captured["auth_token"], url=captured["url"], form=captured["form"]
    )

    assert signature == captured["x_twilio_signature"]


@pytest.mark.parametrize(
    ("name", "status", "code"),
    [
        ("callback-queued", "queued", None),
        ("callback-sent", "sent", None),
        ("callback-delivered", "delivered", None),
        ("callback-undelivered-30003", "undelivered", 30003),
        ("callback-failed-30450", "failed", 30450),
    ],
)
def test_a_callback_has_the_captured_fields_in_their_order(
    client: SimulatorClient, receiver: Receiver, name: str, status: str, code: int | None
) -> None:
    client.set_faults(reports={"lose": True})
    url = f"{receiver.url}/status"
    send_twilio(client, From="", MessagingServiceSid=SERVICE_SID, StatusCallback=url)
    client.set_faults(reports={"lose": False})

    client.report(PHONE, channel="sms", status=status, code=code)

    captured = load(f"twilio/{name}.json")["form"]
    form = receiver.wait(1)[0].form
    assert list(form) == list(captured)
    assert form["MessageStatus"] == captured["MessageStatus"]
    assert form.get("ErrorCode") == captured.get("ErrorCode")


@pytest.mark.parametrize("path", [f"/2010-04-01/Accounts/{ACCOUNT_SID}.json"])
def test_the_account_is_active(client: SimulatorClient, path: str) -> None:
    answer = client.http.get(path, auth=AUTH)

    assert answer.status_code == 200
    assert (answer.json()["sid"], answer.json()["status"]) == (ACCOUNT_SID, "active")


@pytest.mark.parametrize(
    ("outage", "status"), [("error_500", 500), ("token_expired", 401), ("rate_limited", 429)]
)
def test_an_outage_hits_reading_a_message_too(client: SimulatorClient, outage: str, status: int) -> None:
    path = send_twilio(client).json()["uri"]
    client.set_faults(sms_outage=outage)

    assert client.http.get(path, auth=AUTH).status_code == status
    assert len(client.sends()) == 1


def test_a_message_of_another_account_is_not_found(client: SimulatorClient) -> None:
    sid = send_twilio(client).json()["sid"]
    client.add_accounts(twilio=[{"account_sid": "AC77", "auth_token": "other-auth"}])

    answer: httpx.Response = client.http.get(
        f"/2010-04-01/Accounts/AC77/Messages/{sid}.json", auth=("AC77", "other-auth")
    )

    assert answer.json()["code"] == 20404


def test_a_whatsapp_message_is_no_twilio_message(client: SimulatorClient) -> None:
    path = TWILIO_MESSAGES.replace(".json", "/wamid.1.json")

    assert client.http.get(path, auth=AUTH).json()["code"] == 20404
