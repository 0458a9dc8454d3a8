"""Where Vonage's rules begin and end, and what it does besides answering: times out, reports with codes, drops."""

import json
import re
from typing import Any

import httpx
import pytest

from simulator.vonage.messages import ACCOUNT, LONGEST_TEXT
from tests.simulator.support import OTHER_PHONE, PHONE, Receiver, wait_until
from tests.simulator.test_vonage import AUTH, send
from tests.simulator_client import SimulatorClient


@pytest.mark.parametrize(
    "changes",
    [
        {"text": "x" * LONGEST_TEXT},
        {"ttl": 20},
        {"ttl": 604_800},
        {"client_ref": "x" * 100},
        {"client_ref": None},
        {"from": "Acme Shop 24"[:11]},
        {"from": "A"},
        {"webhook_version": "v0.1"},
        {"webhook_version": "v1"},
        {"sms": {"encoding_type": "auto"}},
        {"to": OTHER_PHONE.removeprefix("+")},
    ],
    ids=str,
)
def test_what_just_fits_is_accepted(changes: dict[str, Any], client: SimulatorClient) -> None:
    assert send(client, **changes).status_code == 202


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"ttl": 604_801}, 1020),
        ({"ttl": True}, 1020),
        ({"ttl": 20.5}, 1020),
        ({"client_ref": 7}, 1020),
        ({"webhook_url": 7}, 1020),
        ({"from": "12345678901"}, 1120),
        ({"from": "Acme-Shop"}, 1120),
        ({"to": "0" + PHONE.removeprefix("+")}, 1170),
        ({"to": "1" * 16}, 1170),
        ({"to": "852512345x7"}, 1170),
        ({"channel": ""}, 1010),
        ({"message_type": ["text"]}, 1010),
    ],
    ids=str,
)
def test_what_just_does_not_is_refused_and_named(
    changes: dict[str, Any], code: int, client: SimulatorClient
) -> None:
    answer = send(client, **changes)

    assert (answer.status_code, answer.json()["type"].rpartition("#")[2]) == (422, str(code))
    parameters = [item["name"] for item in answer.json().get("invalid_parameters", [])]
    assert parameters == (list(changes) if code in (1010, 1020) else [])
    assert client.messages(PHONE) == []


@pytest.mark.parametrize("body", [b"", b"[]", b"null", b'{"to": ', b"\xff\xfe", b'"text"'])
def test_a_body_that_is_no_object_is_refused_and_recorded(body: bytes, client: SimulatorClient) -> None:
    answer = client.http.post("/v1/messages", content=body, auth=AUTH)

    assert answer.status_code == 422
    assert answer.headers["Content-Type"] == "application/problem+json"
    [record] = client.sends()
    assert (record["to"], record["outcome"], record["error"]) == (None, "refused", "1020")


def test_a_handset_out_of_reach_leaves_the_request_unanswered(client: SimulatorClient) -> None:
    client.set_handset(PHONE, sms="timeout")
    client.set_faults(hang_seconds=0.05)

    with pytest.raises(httpx.RemoteProtocolError):
        send(client)

    [record] = client.sends()
    assert record["outcome"] == "unanswered"
    assert client.messages(PHONE) == []


@pytest.mark.parametrize(("mode", "code"), [("undelivered", "1260"), ("delivered", None)])
def test_a_report_names_the_reason_and_what_it_cost(
    mode: str, code: str | None, client: SimulatorClient, receiver: Receiver
) -> None:
    client.set_handset(PHONE, sms=mode)
    send(client, webhook_url=f"{receiver.url}/status")

    last = json.loads(receiver.wait(2)[-1].body)

    assert last.get("error", {}).get("title") == code
    assert ("usage" in last) is (mode == "delivered")
    assert (last["to"], last["from"], last["channel"]) == (
        PHONE.removeprefix("+"),
        ACCOUNT.from_number,
        "sms",
    )
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", last["timestamp"])


@pytest.mark.parametrize("webhook", [True, False])
def test_without_a_webhook_nothing_is_reported(
    webhook: bool, client: SimulatorClient, receiver: Receiver
) -> None:
    send(client, webhook_url=f"{receiver.url}/status" if webhook else None)
    wait_until(lambda: bool(client.messages(PHONE)))

    if webhook:
        receiver.wait(2)
    else:
        send(client, to=OTHER_PHONE.removeprefix("+"), webhook_url=f"{receiver.url}/other")
        assert {item.path for item in receiver.wait(2)} == {"/other"}


def test_reports_may_hold_what_nobody_knows_yet(client: SimulatorClient, receiver: Receiver) -> None:
    client.set_faults(reports={"unknown_fields": True})
    send(client, webhook_url=f"{receiver.url}/status")

    assert json.loads(receiver.wait(1)[0].body)["new_field"] == {"nested": ["näu", None, 1]}


@pytest.mark.parametrize(
    ("outage", "outcome"), [("no_id", "garbled"), ("half_json", "garbled"), ("error_503_html", "refused")]
)
def test_an_outage_delivers_nothing_and_is_recorded(
    outage: str, outcome: str, client: SimulatorClient
) -> None:
    client.set_faults(sms_outage=outage)

    send(client)

    assert [record["outcome"] for record in client.sends()] == [outcome]
    client.set_faults(sms_outage=None)
    send(client)
    wait_until(lambda: bool(client.messages(PHONE)))
    assert len(client.messages(PHONE)) == 1
