"""The simulated gateway's reports: signed, fresh, about our delivery, and only where it was told an address."""

import json
import threading
import time
from collections.abc import Iterator
from dataclasses import replace

import pytest

from simulator.accounts import Accounts
from simulator.gateway.signature import is_valid
from tests.simulator.support import PHONE, Received, Receiver, send_gateway
from tests.simulator_client import SimulatorClient, start

PATH = "/sms/http/status"
SECRET = "sim-gateway-secret"


@pytest.fixture
def reporting(receiver: Receiver) -> Iterator[SimulatorClient]:
    """A simulator whose gateway reports."""
    accounts = replace(Accounts(), gateway_reports_url=f"{receiver.url}{PATH}")
    with start(webhook_url=receiver.url, accounts=accounts) as running, running.client() as client:
        yield client


def said(item: Received) -> tuple[str, object]:
    return item.json["status"], item.json.get("error")


def is_signed(item: Received, *, secret: str = SECRET) -> bool:
    return is_valid(secret=secret, header=item.headers["x-authsvc-signature"], body=item.body)


def test_what_arrives_is_sent_and_delivered(reporting: SimulatorClient, receiver: Receiver) -> None:
    assert send_gateway(reporting).status_code == 202

    sent, delivered = receiver.wait(2)
    assert [said(sent), said(delivered)] == [("sent", None), ("delivered", None)]
    for item in (sent, delivered):
        assert (item.path, item.headers["content-type"]) == (PATH, "application/json")
        assert set(item.json) == {"id", "status", "at"}
        assert item.json["id"] == "dlv_1"
        assert abs(item.json["at"] - time.time()) < 60
        assert is_signed(item)
        assert not is_signed(item, secret="another")


@pytest.mark.parametrize(
    ("handset", "expected"),
    [
        ({"sms": "undelivered"}, [("sent", None), ("failed", "unreachable")]),
        ({"sms": "late", "late_seconds": 3600}, [("expired", None)]),
        ({"sms": "silent"}, [("sent", None)]),
    ],
)
def test_the_handset_decides(
    handset: dict[str, object],
    expected: list[tuple[str, object]],
    reporting: SimulatorClient,
    receiver: Receiver,
) -> None:
    reporting.set_handset(PHONE, **handset)
    assert send_gateway(reporting, validity_seconds=1).status_code == 202

    assert [said(item) for item in receiver.wait(len(expected))] == expected
    assert reporting.messages(PHONE) == []


@pytest.mark.parametrize("mode", ["error_21610", "error_500", "rate_limited"])
def test_what_was_not_taken_is_not_reported(
    mode: str, reporting: SimulatorClient, receiver: Receiver
) -> None:
    reporting.set_handset(PHONE, sms=mode)
    assert send_gateway(reporting).status_code >= 400

    threading.Event().wait(0.1)
    assert receiver.received == []


def test_a_status_on_demand(reporting: SimulatorClient, receiver: Receiver) -> None:
    reporting.set_handset(PHONE, sms="silent")
    send_gateway(reporting)
    receiver.wait(1)

    reporting.report(PHONE, channel="sms", status="queued")  # the protocol has no word for it
    reporting.report(PHONE, channel="sms", status="failed")

    assert [said(item) for item in receiver.wait(2)] == [("sent", None), ("expired", None)]


def test_faults_of_reports(reporting: SimulatorClient, receiver: Receiver) -> None:
    reporting.set_faults(reports={"forge": True, "double": True, "unknown_fields": True})
    send_gateway(reporting)

    received = receiver.wait(4)
    assert sorted(item.json["status"] for item in received) == ["delivered", "delivered", "sent", "sent"]
    assert not any(is_signed(item) for item in received)
    assert all(json.dumps(item.json["new_field"]) for item in received)


def test_a_report_that_is_not_taken_is_posted_again(reporting: SimulatorClient, receiver: Receiver) -> None:
    reporting.set_handset(PHONE, sms="silent")
    receiver.answers = [503]
    send_gateway(reporting)

    assert [said(item) for item in receiver.wait(2)] == [("sent", None)] * 2


def test_nothing_of_a_secret_is_shown(reporting: SimulatorClient, receiver: Receiver) -> None:
    send_gateway(reporting)
    receiver.wait(2)

    assert SECRET not in json.dumps([reporting.messages(PHONE), reporting.sends()])
