"""Reports of every provider: late, doubled, shuffled, lost, and combinations of these."""

import time

import pytest

from simulator.meta.webhooks import hub_signature
from tests.simulator.support import (
    APP_SECRET,
    OTHER_PHONE,
    PHONE,
    SERVICE_SID,
    Receiver,
    send_gateway,
    send_twilio,
    send_whatsapp,
    template_message,
    wait_until,
)
from tests.simulator_client import SimulatorClient


def sms_statuses(receiver: Receiver, count: int) -> list[str]:
    return [item.form["MessageStatus"] for item in receiver.wait(count)]


def callback(receiver: Receiver) -> dict[str, str]:
    return {"StatusCallback": f"{receiver.url}/status"}


@pytest.mark.parametrize(
    ("faults", "statuses"),
    [
        ({}, ["queued", "sent", "delivered"]),
        ({"shuffle": True}, ["delivered", "sent", "queued"]),
        ({"double": True}, ["queued", "queued", "sent", "sent", "delivered", "delivered"]),
        ({"double": True, "shuffle": True}, ["delivered", "delivered", "sent", "sent", "queued", "queued"]),
    ],
    ids=str,
)
def test_callbacks_come_in_the_order_of_the_faults(
    client: SimulatorClient, receiver: Receiver, faults: dict[str, object], statuses: list[str]
) -> None:
    client.set_faults(reports=faults)

    send_twilio(client, From="", MessagingServiceSid=SERVICE_SID, **callback(receiver))

    assert sms_statuses(receiver, len(statuses)) == statuses


def test_doubled_callbacks_are_the_same_request(client: SimulatorClient, receiver: Receiver) -> None:
    client.set_faults(reports={"double": True})
    client.set_handset(PHONE, sms="silent")

    send_twilio(client, **callback(receiver))

    first, second = receiver.wait(2)
    assert first.body == second.body
    assert first.headers["x-twilio-signature"] == second.headers["x-twilio-signature"]


def test_lost_callbacks_never_come(client: SimulatorClient, receiver: Receiver) -> None:
    client.set_faults(reports={"lose": True})
    send_twilio(client, **callback(receiver))
    assert client.wait_for_code(PHONE) == "482913"
    client.set_faults(reports={"lose": False})
    client.report(PHONE, channel="sms", status="delivered")

    assert sms_statuses(receiver, 1) == ["delivered"]


def test_callbacks_may_come_before_the_answer(client: SimulatorClient, receiver: Receiver) -> None:
    client.set_faults(reports={"before_answer": True})

    send_twilio(client, **callback(receiver))

    assert sms_statuses(receiver, 0) == ["sent", "delivered"]


def test_late_reports_follow_the_answer_by_their_delay(client: SimulatorClient, receiver: Receiver) -> None:
    client.set_faults(reports={"delay_ms": 80})
    begun = time.monotonic()

    send_whatsapp(client)
    send_twilio(client, **callback(receiver))

    receiver.wait(4)
    assert time.monotonic() - begun >= 0.08
    assert [item["channel"] for item in client.messages(PHONE)] == ["whatsapp", "sms"]


def test_a_message_that_was_accepted_but_not_answered_is_reported(
    client: SimulatorClient, receiver: Receiver
) -> None:
    client.set_faults(whatsapp_outage="accept_then_close")

    with pytest.raises(Exception, match="disconnected"):
        send_whatsapp(client, template_message(biz_opaque_callback_data="dlv_3"))

    assert receiver.statuses(2) == ["sent", "delivered"]
    assert receiver.received[0].statuses[0]["biz_opaque_callback_data"] == "dlv_3"


@pytest.mark.parametrize("outage", ["held", "paused", "half_json", "no_id", "not_json"])
def test_a_dropped_message_is_never_reported(
    client: SimulatorClient, receiver: Receiver, outage: str
) -> None:
    client.set_faults(whatsapp_outage=outage)
    send_whatsapp(client)
    client.set_faults(whatsapp_outage=None)
    send_whatsapp(client, template_message(OTHER_PHONE))

    receiver.statuses(2)
    assert {item["recipient_id"] for got in receiver.received for item in got.statuses} == {OTHER_PHONE[1:]}
    assert client.messages(PHONE) == []


def test_the_gateway_reports_nothing_even_on_demand(client: SimulatorClient, receiver: Receiver) -> None:
    send_gateway(client)

    answer = client.report(PHONE, channel="sms", status="undelivered")
    client.report(PHONE, channel="sms", status="failed")
    send_twilio(client, **callback(receiver))

    assert answer["status"] == "undelivered"
    assert sms_statuses(receiver, 2) == ["sent", "delivered"]


def test_without_a_callback_address_twilio_reports_nothing(
    client: SimulatorClient, receiver: Receiver
) -> None:
    send_twilio(client, Body="111111")
    send_twilio(client, **callback(receiver))

    sids = {item.form["MessageSid"] for item in receiver.wait(2)}
    assert sids == {client.messages(PHONE)[1]["id"]}


@pytest.mark.parametrize("url", ["http://127.0.0.1:99999/x", "http://127.0.0.1:1/x", "http://a.example:b/x"])
def test_an_address_that_cannot_be_requested_stops_no_other_report(
    client: SimulatorClient, receiver: Receiver, url: str
) -> None:
    """Each of the eight posting threads gets one of these, then one of the others."""
    before = client.http.get("/healthz").json()["reports"]["posted"]
    for _ in range(16):
        assert send_twilio(client, StatusCallback=url).status_code == 201

    for _ in range(16):
        send_twilio(client, **callback(receiver))

    assert len(sms_statuses(receiver, 32)) == 32
    wait_until(lambda: client.http.get("/healthz").json()["reports"]["posted"] >= before + 32)


def test_a_callback_address_with_other_letters_stops_no_other_report(
    client: SimulatorClient, receiver: Receiver
) -> None:
    for _ in range(16):
        send_twilio(client, StatusCallback=f"{receiver.url}/späť")

    for _ in range(16):
        send_twilio(client, **callback(receiver))

    wait_until(lambda: sum(item.path == "/status" for item in receiver.received) == 32)


@pytest.mark.parametrize(
    ("fragment", "requests"),
    [
        ("", 1),
        ("#rp=5xx", 2),
        ("#rc=3&rp=5xx", 4),
        ("#rc=0&rp=all", 1),
        ("#rc=9&rp=all", 2),
        ("#rc=2&rp=4xx", 1),
    ],
)
def test_the_fragment_decides_about_repeats_after_an_error(
    client: SimulatorClient,
    receiver: Receiver,
    monkeypatch: pytest.MonkeyPatch,
    fragment: str,
    requests: int,
) -> None:
    monkeypatch.setattr("simulator.server.poster.BACKOFF_SECONDS", (0.01,))
    receiver.answers.extend([503] * requests)
    client.set_handset(PHONE, sms="silent")

    send_twilio(client, StatusCallback=f"{receiver.url}/status{fragment}")
    receiver.wait(requests)
    client.report(PHONE, channel="sms", status="delivered")

    assert sms_statuses(receiver, requests + 1) == ["sent"] * requests + ["delivered"]


def test_a_refused_webhook_is_repeated_whatever_the_status(
    client: SimulatorClient, receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("simulator.server.poster.BACKOFF_SECONDS", (0.01, 0.01, 0.01, 0.01))
    receiver.answers.extend([401, 404, 500, 302])
    client.set_handset(PHONE, whatsapp="silent")

    send_whatsapp(client)

    posts = receiver.wait(5)
    assert len({item.body for item in posts}) == 1


def test_a_batch_is_shuffled_doubled_and_signed(client: SimulatorClient, receiver: Receiver) -> None:
    client.set_faults(reports={"batch": True, "shuffle": True, "double": True})
    client.set_handset(PHONE, whatsapp="read")

    send_whatsapp(client)

    assert receiver.statuses(6) == ["sent", "delivered", "read"] * 2
    for item in receiver.received:
        assert item.headers["x-hub-signature-256"] == hub_signature(app_secret=APP_SECRET, body=item.body)


def test_faults_that_end_no_longer_touch_later_reports(client: SimulatorClient, receiver: Receiver) -> None:
    client.set_faults(reports={"double": True, "forge": True})
    client.set_handset(PHONE, whatsapp="silent")
    send_whatsapp(client)
    receiver.wait(2)

    client.set_faults(reports={"double": False, "forge": False})
    send_whatsapp(client)

    third = receiver.wait(3)[2]
    assert third.headers["x-hub-signature-256"] == hub_signature(app_secret=APP_SECRET, body=third.body)


@pytest.mark.parametrize("status", ["queued", "sent", "delivered", "undelivered", "failed"])
def test_a_late_status_on_demand_never_takes_the_message_back(
    client: SimulatorClient, receiver: Receiver, status: str
) -> None:
    uri = send_twilio(client, **callback(receiver)).json()["uri"]
    receiver.wait(2)

    client.report(PHONE, channel="sms", status=status)

    receiver.wait(3)
    resource = client.http.get(uri, auth=("AC00000000000000000000000000000001", "sim-auth-token")).json()
    assert resource["status"] == "delivered"
