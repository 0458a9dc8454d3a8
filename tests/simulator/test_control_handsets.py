"""The control API: handsets, faults, sends, and refusing what it does not know."""

import re

import httpx
import pytest

from tests.simulator.support import (
    OTHER_PHONE,
    PHONE,
    send_twilio,
    send_whatsapp,
    template_message,
    wait_until,
)  # fmt: skip
from tests.simulator_client import RunningSimulator, SimulatorClient

DEFAULT_HANDSET = {
    "phone": PHONE,
    "whatsapp": "delivered",
    "sms": "delivered",
    "delay_ms": 0,
    "late_seconds": 40.0,
}


def test_messages_have_exactly_the_documented_keys(client: SimulatorClient) -> None:
    send_whatsapp(client)

    [message] = client.messages(PHONE)

    assert set(message) == {"channel", "from", "text", "code", "button", "at", "id"}
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", message["at"])


def test_messages_of_both_channels_are_in_order(client: SimulatorClient) -> None:
    send_whatsapp(client)
    send_twilio(client)
    send_whatsapp(client, template_message(code="111222"))

    assert [item["channel"] for item in client.messages(PHONE)] == ["whatsapp", "sms", "whatsapp"]


@pytest.mark.parametrize(
    "path", ["/handsets/%2B85251234567", "/handsets/+85251234567", "/phone/api/handsets/+85251234567"]
)
def test_a_handset_is_found_however_the_plus_is_written(client: SimulatorClient, path: str) -> None:
    assert client.http.get(path).json() == DEFAULT_HANDSET


def test_a_change_keeps_the_rest(client: SimulatorClient) -> None:
    client.set_handset(PHONE, whatsapp="read", delay_ms=20)

    client.set_handset(PHONE, sms="silent")

    assert client.handset(PHONE) == {**DEFAULT_HANDSET, "whatsapp": "read", "delay_ms": 20, "sms": "silent"}


@pytest.mark.parametrize(
    ("changes", "problem"),
    [
        ({"whatsap": "read"}, "whatsap: unknown; one of delay_ms, late_seconds, sms, whatsapp"),
        ({"sms": "read"}, "sms: must be one of delivered, undelivered"),
        ({"sms": None}, "sms: must be one of"),
        ({"whatsapp": 5}, "whatsapp: must be one of"),
        ({"delay_ms": -1}, "delay_ms: must be a whole number from 0 to 3600000"),
        ({"delay_ms": 1.5}, "delay_ms: must be"),
        ({"delay_ms": True}, "delay_ms: must be"),
        ({"late_seconds": "soon"}, "late_seconds: must be a number from 0 to 3600"),
        ({"whatsapp": "read", "delay_ms": -1}, "delay_ms: must be"),
    ],
)
def test_a_bad_change_of_a_handset_changes_nothing(
    client: SimulatorClient, changes: dict[str, object], problem: str
) -> None:
    answer = client.http.put(f"/handsets/{PHONE}", json=changes)

    assert answer.status_code == 400
    assert answer.json()["error"].startswith(problem)
    assert client.handset(PHONE) == DEFAULT_HANDSET


@pytest.mark.parametrize(
    ("changes", "problem"),
    [
        ({"outage": "refuse"}, "outage: unknown"),
        ({"whatsapp_outage": "rain"}, "whatsapp_outage: must be one of refuse, hang"),
        ({"sms_outage": "template_paused"}, "sms_outage: template_paused happens on WhatsApp only"),
        ({"sms_outage": "held"}, "sms_outage: held happens"),
        ({"hang_seconds": -1}, "hang_seconds: must be"),
        ({"reports": []}, "reports: must be an object"),
        ({"reports": {"shufle": True}}, "reports.shufle: unknown"),
        ({"reports": {"shuffle": "yes"}}, "reports.shuffle: must be true or false"),
        ({"reports": {"delay_ms": "1"}}, "reports.delay_ms: must be"),
    ],
)
def test_a_bad_fault_changes_nothing(
    client: SimulatorClient, changes: dict[str, object], problem: str
) -> None:
    before = client.faults()

    answer = client.http.put("/faults", json={"whatsapp_outage": "hang", **changes})

    assert answer.status_code == 400
    assert answer.json()["error"].startswith(problem)
    assert client.faults() == before


def test_faults_are_merged(client: SimulatorClient) -> None:
    client.set_faults(sms_outage="hang", reports={"double": True})
    client.set_faults(hang_seconds=2, reports={"delay_ms": 5})

    faults = client.faults()
    assert (faults["sms_outage"], faults["whatsapp_outage"], faults["hang_seconds"]) == ("hang", None, 2)
    assert (faults["reports"]["double"], faults["reports"]["delay_ms"]) == (True, 5)


@pytest.mark.parametrize("body", [b"", b"{", b"[]", b"1"])
@pytest.mark.parametrize("path", ["/faults", f"/handsets/{PHONE}", "/accounts"])
def test_a_body_must_be_a_json_object(client: SimulatorClient, path: str, body: bytes) -> None:
    answer = client.http.put(path, content=body)

    assert answer.status_code == 400
    assert "error" in answer.json()


@pytest.mark.parametrize("phone", ["85251234567", "+0", "abc", "+852-5123"])
def test_a_handset_is_named_by_its_e164_number(client: SimulatorClient, phone: str) -> None:
    assert client.http.get(f"/handsets/{phone}/messages").status_code == 400


def test_handsets_are_listed_the_latest_first(client: SimulatorClient) -> None:
    client.set_handset("+14155550100", sms="silent")
    send_whatsapp(client)
    send_whatsapp(client, template_message(OTHER_PHONE))
    send_whatsapp(client)

    listed = client.http.get("/handsets").json()

    assert [item["phone"] for item in listed] == [PHONE, OTHER_PHONE, "+14155550100"]
    assert listed[0]["last_message_at"]
    assert listed[2]["last_message_at"] is None
    assert listed[2]["sms"] == "silent"


@pytest.mark.parametrize(
    ("filters", "numbers"),
    [
        ({}, [1, 2, 3]),
        ({"channel": "sms"}, [2]),
        ({"channel": "whatsapp"}, [1, 3]),
        ({"to": OTHER_PHONE}, [3]),
        ({"to": PHONE, "channel": "whatsapp"}, [1]),
        ({"after": 2}, [3]),
    ],
    ids=str,
)
def test_sends_are_filtered(
    client: SimulatorClient, filters: dict[str, str | int], numbers: list[int]
) -> None:
    send_whatsapp(client)
    send_twilio(client)
    send_whatsapp(client, template_message(OTHER_PHONE))

    assert [item["n"] for item in client.sends(**filters)] == numbers


def test_a_plain_plus_in_a_filter_is_understood(client: SimulatorClient) -> None:
    send_whatsapp(client)

    assert len(client.http.get(f"/sends?to={PHONE}").json()) == 1


@pytest.mark.parametrize("query", ["channel=fax", "after=x", "phone=1"])
def test_an_unknown_filter_is_refused(client: SimulatorClient, query: str) -> None:
    assert client.http.get(f"/sends?{query}").status_code == 400


def test_reset_releases_what_hangs(client: SimulatorClient, simulator: RunningSimulator) -> None:
    client.set_faults(whatsapp_outage="hang", hang_seconds=60)
    with pytest.raises(httpx.ReadTimeout):
        send_whatsapp(client, timeout=0.05)

    client.reset()

    state = simulator.simulator.state
    wait_until(lambda: state.faults.whatsapp_outage is None)
    assert send_whatsapp(client).status_code == 200


def test_health(client: SimulatorClient) -> None:
    answer = client.http.get("/healthz").json()

    assert answer["status"] == "ok"
    assert set(answer["reports"]) == {"posted", "refused", "given_up"}


def test_settings_for_the_next_number_apply_to_one_number_only(client: SimulatorClient) -> None:
    """The demo sets them before the first message. Only the next number takes them, and keeps them."""
    client.set_handset("+85251230001", sms="silent")

    client.set_handset("next", whatsapp="not_on_whatsapp")
    assert client.handset("next")["whatsapp"] == "not_on_whatsapp"
    send_whatsapp(client, template_message(to="+85251230002"))

    assert client.handset("+85251230002")["whatsapp"] == "not_on_whatsapp"
    assert client.handset("+85251230001")["whatsapp"] == "delivered"
    assert client.handset("next")["whatsapp"] == "delivered"
    assert client.handset("+85251230003")["whatsapp"] == "delivered"
