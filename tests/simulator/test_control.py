"""The control API: watching, steering, and refusing what it does not know."""

import re

import httpx
import pytest

from simulator.testing import RunningSimulator, SimulatorClient
from tests.simulator.support import (
    OTHER_PHONE,
    PHONE,
    Receiver,
    send_twilio,
    send_whatsapp,
    template_message,
    wait_until,
)  # fmt: skip

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


def test_reset_forgets_everything_but_accounts(client: SimulatorClient) -> None:
    client.set_handset(PHONE, sms="silent")
    client.set_faults(whatsapp_outage="error_500")
    send_whatsapp(client)

    assert client.http.delete("/state").status_code == 204

    assert client.sends() == client.messages(PHONE) == client.http.get("/handsets").json() == []
    assert client.faults()["whatsapp_outage"] is None
    assert send_whatsapp(client).status_code == 200
    assert client.sends()[0]["n"] == 1


def test_reset_releases_what_hangs(client: SimulatorClient, simulator: RunningSimulator) -> None:
    client.set_faults(whatsapp_outage="hang", hang_seconds=60)
    with pytest.raises(httpx.ReadTimeout):
        send_whatsapp(client, timeout=0.05)

    client.reset()

    state = simulator.simulator.state
    wait_until(lambda: state.faults.whatsapp_outage is None)
    assert send_whatsapp(client).status_code == 200


# Reports on demand


@pytest.mark.parametrize("status", ["sent", "delivered", "read"])
def test_a_status_is_reported_on_demand(client: SimulatorClient, receiver: Receiver, status: str) -> None:
    client.set_faults(reports={"lose": True})
    wamid = send_whatsapp(client, template_message(biz_opaque_callback_data="dlv_9")).json()["messages"][0][
        "id"
    ]
    client.set_faults(reports={"lose": False})

    answer = client.report(PHONE, channel="whatsapp", status=status)

    assert answer == {"id": wamid, "status": status}
    [item] = receiver.wait(1)[0].statuses
    assert (item["id"], item["status"], item["biz_opaque_callback_data"]) == (wamid, status, "dlv_9")


@pytest.mark.parametrize("code", [131026, 137000, 132015, 999])
def test_a_failure_is_reported_with_its_code(client: SimulatorClient, receiver: Receiver, code: int) -> None:
    client.set_handset(PHONE, whatsapp="silent")
    send_whatsapp(client)

    client.report(PHONE, channel="whatsapp", status="failed", code=code)

    assert receiver.statuses(2) == ["sent", "failed"]
    assert receiver.received[1].statuses[0]["errors"][0]["code"] == code


def test_an_sms_status_is_reported_on_demand(client: SimulatorClient, receiver: Receiver) -> None:
    client.set_handset(PHONE, sms="silent")
    send_twilio(client, StatusCallback=f"{receiver.url}/status")

    client.report(PHONE, channel="sms", status="undelivered", code=30005)

    form = receiver.wait(2)[1].form
    assert (form["MessageStatus"], form["ErrorCode"]) == ("undelivered", "30005")


def test_a_person_can_say_that_no_code_was_requested(client: SimulatorClient, receiver: Receiver) -> None:
    client.set_faults(reports={"lose": True})
    wamid = send_whatsapp(client).json()["messages"][0]["id"]

    client.report(PHONE, channel="whatsapp", status="did_not_request_code")

    value = receiver.wait(1)[0].json["entry"][0]["changes"][0]["value"]
    [message] = value["messages"]
    assert message["button"]["payload"] == "DID_NOT_REQUEST_CODE"
    assert message["context"]["id"] == wamid
    assert "statuses" not in value


@pytest.mark.parametrize(
    ("changes", "status"),
    [
        ({"to": OTHER_PHONE}, 404),
        ({"channel": "sms"}, 404),
        ({"to": "123"}, 400),
        ({"channel": "fax"}, 400),
        ({"status": "lost"}, 400),
        ({"channel": "sms", "status": "read"}, 400),
        ({"code": "131026"}, 400),
    ],
    ids=str,
)
def test_an_impossible_report_is_refused(
    client: SimulatorClient, changes: dict[str, object], status: int
) -> None:
    send_whatsapp(client)
    body = {"to": PHONE, "channel": "whatsapp", "status": "delivered", **changes}

    answer = client.http.post("/reports", json=body)

    assert answer.status_code == status
    assert answer.json()["error"]


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


def test_the_handshake_fails_where_nobody_listens(
    client: SimulatorClient, simulator: RunningSimulator
) -> None:
    simulator.webhook_url = "http://127.0.0.1:1/"

    assert client.http.post("/handshake").json() == {"status": None, "verified": False}


def test_health(client: SimulatorClient) -> None:
    answer = client.http.get("/healthz").json()

    assert answer["status"] == "ok"
    assert set(answer["reports"]) == {"posted", "refused", "given_up"}
