"""Outages of a whole provider."""

import json
from typing import Any

import httpx
import pytest

from tests.simulator.support import (
    ACCOUNT_SID,
    BUSINESS_ID,
    NUMBER_ID,
    PHONE,
    TOKEN,
    TWILIO_MESSAGES,
    send_gateway,
    send_twilio,
    send_whatsapp,
)  # fmt: skip
from tests.simulator_client import SimulatorClient

SENDERS = {"whatsapp": send_whatsapp, "twilio": send_twilio, "gateway": send_gateway}
SENDER = pytest.mark.parametrize("sender", SENDERS)


def break_provider(client: SimulatorClient, sender: str, outage: str) -> Any:
    """Set the outage where this sender feels it, and give the sender."""
    fault = "whatsapp_outage" if sender == "whatsapp" else "sms_outage"
    client.set_faults(**{fault: outage}, hang_seconds=0.05)
    return SENDERS[sender]


@SENDER
@pytest.mark.parametrize("outage", ["refuse", "hang"])
def test_some_outages_close_the_connection_without_an_answer(
    client: SimulatorClient, sender: str, outage: str
) -> None:
    send = break_provider(client, sender, outage)

    with pytest.raises(httpx.RemoteProtocolError):
        send(client)

    assert client.messages(PHONE) == []
    [sent] = client.sends()
    assert (sent["outcome"], sent["to"], sent["code"]) == ("unanswered", PHONE, "482913")


@SENDER
def test_a_provider_may_accept_and_then_close(client: SimulatorClient, sender: str) -> None:
    send = break_provider(client, sender, "accept_then_close")

    with pytest.raises(httpx.RemoteProtocolError):
        send(client)

    assert client.wait_for_code(PHONE) == "482913"
    assert client.sends()[0]["outcome"] == "accepted"


@SENDER
@pytest.mark.parametrize(("outage", "status"), [("not_json", 200), ("error_503_html", 503)])
def test_a_proxy_may_answer_html(client: SimulatorClient, sender: str, outage: str, status: int) -> None:
    answer = break_provider(client, sender, outage)(client)

    assert answer.status_code == status
    assert answer.headers["content-type"].startswith("text/html")
    assert client.messages(PHONE) == []


@SENDER
def test_an_answer_may_be_cut_in_the_middle(client: SimulatorClient, sender: str) -> None:
    answer = break_provider(client, sender, "half_json")(client)

    assert answer.is_success
    with pytest.raises(json.JSONDecodeError):
        answer.json()
    assert client.sends()[0]["outcome"] == "garbled"
    assert client.messages(PHONE) == []


@pytest.mark.parametrize(("sender", "key"), [("twilio", "sid"), ("gateway", "id")])
def test_an_answer_may_lack_the_id(client: SimulatorClient, sender: str, key: str) -> None:
    answer = break_provider(client, sender, "no_id")(client)

    assert answer.is_success
    assert key not in answer.json()


def test_metas_answer_may_lack_the_id(client: SimulatorClient) -> None:
    assert break_provider(client, "whatsapp", "no_id")(client).json()["messages"] == []


@pytest.mark.parametrize(
    ("outage", "status", "code"),
    [
        ("error_500", 500, 131000),
        ("rate_limited", 400, 130429),
        ("token_expired", 401, 190),
        ("template_paused", 400, 132015),
        ("payment", 400, 131042),
    ],
)
def test_meta_refuses(client: SimulatorClient, outage: str, status: int, code: int) -> None:
    answer = break_provider(client, "whatsapp", outage)(client)

    assert answer.status_code == status
    assert answer.json()["error"]["code"] == code
    assert client.sends()[0]["error"] == code


def test_an_expired_token_has_its_subcode(client: SimulatorClient) -> None:
    assert break_provider(client, "whatsapp", "token_expired")(client).json()["error"]["error_subcode"] == 463


@pytest.mark.parametrize(
    ("outage", "status", "code"),
    [("error_500", 500, 20500), ("rate_limited", 429, 20429), ("token_expired", 401, 20003)],
)
def test_twilio_refuses(client: SimulatorClient, outage: str, status: int, code: int) -> None:
    answer = break_provider(client, "twilio", outage)(client)

    assert (answer.status_code, answer.json()["code"], answer.json()["status"]) == (status, code, status)


@pytest.mark.parametrize(
    ("outage", "status"), [("error_500", 500), ("rate_limited", 429), ("token_expired", 401)]
)
def test_the_gateway_refuses(client: SimulatorClient, outage: str, status: int) -> None:
    assert break_provider(client, "gateway", outage)(client).status_code == status


@pytest.mark.parametrize(
    ("outage", "status"), [("held", "held_for_quality_assessment"), ("paused", "paused")]
)
def test_a_message_may_be_held_back_after_a_200(client: SimulatorClient, outage: str, status: str) -> None:
    answer = break_provider(client, "whatsapp", outage)(client)

    assert answer.status_code == 200
    assert answer.json()["messages"][0]["message_status"] == status
    assert client.sends()[0]["outcome"] == outage
    assert client.messages(PHONE) == []


@pytest.mark.parametrize("path", [NUMBER_ID, f"{BUSINESS_ID}/message_templates"])
def test_an_outage_hits_the_account_calls_too(client: SimulatorClient, path: str) -> None:
    client.set_faults(whatsapp_outage="error_500")

    assert client.http.get(f"/v26.0/{path}", headers=TOKEN).status_code == 500
    assert client.sends() == []


def test_an_outage_of_one_provider_leaves_the_other_alone(client: SimulatorClient) -> None:
    client.set_faults(whatsapp_outage="refuse")

    assert send_twilio(client).status_code == 201
    assert (
        client.http.get(
            TWILIO_MESSAGES.replace(".json", "/SMx.json"), auth=(ACCOUNT_SID, "sim-auth-token")
        ).status_code
        == 404
    )


def test_an_outage_ends(client: SimulatorClient) -> None:
    client.set_faults(whatsapp_outage="error_500")
    client.set_faults(whatsapp_outage=None)

    assert send_whatsapp(client).status_code == 200
