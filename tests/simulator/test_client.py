"""The client and the running simulator that tests of other packages use."""

import threading

import httpx
import pytest

from simulator.accounts import Accounts, WhatsAppAccount
from tests.simulator.support import (
    GRAPH_MESSAGES,
    OTHER_PHONE,
    PHONE,
    send_twilio,
    send_whatsapp,
    template_message,
)
from tests.simulator_client import RunningSimulator, SimulatorClient, start

CLOSED = "http://127.0.0.1:1/"


def test_it_is_a_context_manager() -> None:
    with start(webhook_url=CLOSED) as running, running.client() as client:
        assert client.sends() == []
        url = running.url

    with pytest.raises(httpx.ConnectError):
        httpx.get(f"{url}/healthz", trust_env=False)
    assert client.http.is_closed


def test_two_run_side_by_side() -> None:
    with (
        start(webhook_url=CLOSED) as first,
        start(webhook_url=CLOSED) as second,
        first.client() as one,
        second.client() as other,
    ):
        send_whatsapp(one)

        assert (len(one.sends()), len(other.sends())) == (1, 0)
        assert first.url != second.url


def test_accounts_may_be_given() -> None:
    accounts = Accounts(whatsapp=(WhatsAppAccount(access_token="own-token"),))
    with start(webhook_url=CLOSED, accounts=accounts) as running, running.client() as client:
        headers = {"Authorization": "Bearer own-token"}
        answer = client.http.post(GRAPH_MESSAGES, json=template_message(), headers=headers)

        assert answer.status_code == 200
        assert send_whatsapp(client).status_code == 401


def test_the_graph_url_has_a_version(simulator: RunningSimulator) -> None:
    assert simulator.graph_url == f"{simulator.url}/v26.0"


def test_the_webhook_url_can_be_changed(simulator: RunningSimulator) -> None:
    before = simulator.webhook_url

    simulator.webhook_url = CLOSED

    assert simulator.webhook_url == simulator.simulator.reporter.webhook_url == CLOSED
    simulator.webhook_url = before


@pytest.mark.parametrize(
    "call",
    [
        lambda client: client.handset("1"),
        lambda client: client.messages("1"),
        lambda client: client.set_handset(PHONE, whatsapp="gone"),
        lambda client: client.set_faults(sms_outage="gone"),
        lambda client: client.sends(channel="fax"),
        lambda client: client.report(PHONE, channel="sms", status="sent"),
        lambda client: client.set_template("one_time_password", "xx", "PAUSED"),
        lambda client: client.account_event("messages", {}),
        lambda client: client.add_accounts(sms=[]),
    ],
)
def test_a_refused_call_raises(client: SimulatorClient, call: object) -> None:
    with pytest.raises(httpx.HTTPStatusError):
        call(client)  # type: ignore[operator]


def test_the_newest_code_is_returned(client: SimulatorClient) -> None:
    send_whatsapp(client)
    send_twilio(client, Body="Your code is 111111")

    assert client.wait_for_code(PHONE) == "111111"
    assert client.wait_for_code(PHONE, channel="whatsapp") == "482913"


def test_a_message_without_a_code_is_skipped(client: SimulatorClient) -> None:
    send_twilio(client, Body="Your code is 111111")
    send_twilio(client, Body="Welcome")

    assert client.wait_for_code(PHONE) == "111111"


def test_a_code_is_waited_for(client: SimulatorClient) -> None:
    client.set_handset(OTHER_PHONE, delay_ms=100)
    sender = threading.Timer(0.05, send_whatsapp, (client, template_message(OTHER_PHONE)))
    sender.start()

    assert client.wait_for_code(OTHER_PHONE) == "482913"
    sender.join()


def test_a_reset_starts_the_numbers_of_sends_again(client: SimulatorClient) -> None:
    send_whatsapp(client)
    client.reset()
    send_whatsapp(client)

    assert [item["n"] for item in client.sends()] == [1]


@pytest.mark.parametrize("phone", [PHONE, PHONE.replace("+", "%2B")])
def test_a_number_is_sent_with_its_plus(client: SimulatorClient, phone: str) -> None:
    client.set_handset(PHONE, sms="silent")

    assert client.http.get(f"/handsets/{phone}").json()["sms"] == "silent"
