"""Twilio's Messages resource and its signed callbacks."""

import re

import pytest
from twilio.request_validator import RequestValidator  # type: ignore[import-untyped] # no py.typed

from tests.simulator.support import (
    ACCOUNT_SID,
    PHONE,
    SENDER,
    SERVICE_SID,
    TWILIO_MESSAGES,
    Receiver,
    send_twilio,
    wait_until,
)  # fmt: skip
from tests.simulator_client import SimulatorClient

AUTH = (ACCOUNT_SID, "sim-auth-token")


def test_a_message_is_created_and_shown(client: SimulatorClient) -> None:
    answer = send_twilio(client)

    assert answer.status_code == 201
    message = answer.json()
    assert re.fullmatch(r"SM[0-9a-f]{32}", message["sid"])
    assert (message["status"], message["from"], message["num_segments"]) == ("queued", SENDER, "1")
    assert message["uri"] == f"/2010-04-01/Accounts/{ACCOUNT_SID}/Messages/{message['sid']}.json"
    assert message["date_created"].endswith("+0000")
    assert answer.headers["twilio-request-id"].startswith("RQ")
    [shown] = client.messages(PHONE)
    assert (shown["channel"], shown["from"], shown["code"], shown["button"]) == (
        "sms",
        SENDER,
        "482913",
        None,
    )


def test_through_a_messaging_service_it_is_accepted_first(client: SimulatorClient) -> None:
    message = send_twilio(client, From="", MessagingServiceSid=SERVICE_SID).json()

    assert (message["status"], message["from"], message["num_segments"]) == ("accepted", None, "0")
    assert message["messaging_service_sid"] == SERVICE_SID


@pytest.mark.parametrize("auth", [("", ""), (ACCOUNT_SID, "wrong"), ("AC1", "sim-auth-token")])
def test_wrong_credentials_are_refused(client: SimulatorClient, auth: tuple[str, str]) -> None:
    answer = client.http.post(TWILIO_MESSAGES, data={"To": PHONE}, auth=auth)

    assert answer.status_code == 401
    assert answer.json() == {
        "code": 20003,
        "message": "Authenticate",
        "more_info": "https://www.twilio.com/docs/errors/20003",
        "status": 401,
    }


@pytest.mark.parametrize("header", ["", "Basic !", "Basic /w==", "Bearer abc"])
def test_unreadable_credentials_are_refused(client: SimulatorClient, header: str) -> None:
    assert client.http.post(TWILIO_MESSAGES, headers={"Authorization": header}).status_code == 401


def test_another_account_in_the_path_is_not_found(client: SimulatorClient) -> None:
    answer = send_twilio(client, path="/2010-04-01/Accounts/AC2/Messages.json")

    assert answer.status_code == 404
    assert answer.json()["code"] == 20404


@pytest.mark.parametrize(
    ("form", "code"),
    [
        ({"To": "+15005550001"}, 21211),
        ({"To": "+15005550002"}, 21612),
        ({"To": "+15005550003"}, 21408),
        ({"To": "+15005550004"}, 21610),
        ({"To": "+15005550009"}, 21614),
        ({"To": "85251234567"}, 21211),
        ({"To": ""}, 21604),
        ({"From": "+15005550001"}, 21212),
        ({"From": "+15005550007"}, 21606),
        ({"From": "+15005550008"}, 21611),
        ({"From": "+15550100888"}, 21606),
        ({"From": "Acme!"}, 21212),
        ({"From": ""}, 21603),
        ({"Body": ""}, 21602),
        ({"Body": "x" * 1601}, 21617),
        ({"MessagingServiceSid": "MG1"}, 21705),
        ({"ValidityPeriod": "0"}, 20001),
        ({"ValidityPeriod": "36001"}, 20001),
        ({"ValidityPeriod": "soon"}, 20001),
        ({"StatusCallback": "not a url"}, 21609),
        ({"StatusCallback": "https://a_b.example/x"}, 21609),
    ],
    ids=str,
)
def test_bad_requests_have_twilios_codes(client: SimulatorClient, form: dict[str, str], code: int) -> None:
    answer = send_twilio(client, **form)

    assert answer.status_code == 400
    assert answer.json()["code"] == code
    assert client.sends()[0]["error"] == code


def test_an_error_masks_the_number(client: SimulatorClient) -> None:
    assert (
        send_twilio(client, To="+15005550001").json()["message"] == "Invalid 'To' Phone Number: +1500555XXXX"
    )


@pytest.mark.parametrize(
    ("mode", "statuses"),
    [
        ("delivered", ["sent", "delivered"]),
        ("undelivered", ["sent", "undelivered"]),
        ("silent", ["sent"]),
        ("late", ["sent", "delivered"]),
    ],
)
def test_callbacks_follow_the_handset(
    client: SimulatorClient, receiver: Receiver, mode: str, statuses: list[str]
) -> None:
    client.set_handset(PHONE, sms=mode, late_seconds=0.05)

    sid = send_twilio(client, StatusCallback=f"{receiver.url}/sms/twilio/status?d=1").json()["sid"]

    forms = [item.form for item in receiver.wait(len(statuses))]
    assert [form["MessageStatus"] for form in forms] == statuses
    assert {form["MessageSid"] for form in forms} == {form["SmsSid"] for form in forms} == {sid}
    assert bool(client.messages(PHONE)) is (statuses[-1] == "delivered")


def test_a_messaging_service_reports_queued_too(client: SimulatorClient, receiver: Receiver) -> None:
    send_twilio(client, From="", MessagingServiceSid=SERVICE_SID, StatusCallback=f"{receiver.url}/status")

    forms = [item.form for item in receiver.wait(3)]
    assert [form["MessageStatus"] for form in forms] == ["queued", "sent", "delivered"]
    assert {form["MessagingServiceSid"] for form in forms} == {SERVICE_SID}


def test_an_undelivered_callback_carries_its_error(client: SimulatorClient, receiver: Receiver) -> None:
    client.set_handset(PHONE, sms="undelivered")

    send_twilio(client, StatusCallback=f"{receiver.url}/status")

    last = receiver.wait(2)[1].form
    assert last["ErrorCode"] == "30003"
    assert re.fullmatch(r"\d{10}", last["RawDlrDoneDate"])


@pytest.mark.parametrize("suffix", ["", "?delivery=dlv_1&x=%C3%A4", "#rc=2&rp=ct", "?a=1#rc=0"])
@pytest.mark.parametrize("unknown_fields", [False, True])
def test_callbacks_are_signed_without_the_fragment(
    client: SimulatorClient, receiver: Receiver, suffix: str, unknown_fields: bool
) -> None:
    client.set_faults(reports={"unknown_fields": unknown_fields})
    url = f"{receiver.url}/status{suffix}"

    send_twilio(client, StatusCallback=url)

    for received in receiver.wait(2):
        signature = received.headers["x-twilio-signature"]
        assert RequestValidator("sim-auth-token").validate(url.partition("#")[0], received.form, signature)
        assert ("NewField" in received.form) is unknown_fields


def test_forged_callbacks_do_not_verify(client: SimulatorClient, receiver: Receiver) -> None:
    client.set_faults(reports={"forge": True})
    url = f"{receiver.url}/status"

    send_twilio(client, StatusCallback=url)

    received = receiver.wait(1)[0]
    assert not RequestValidator("sim-auth-token").validate(
        url, received.form, received.headers["x-twilio-signature"]
    )


def test_a_repeated_callback_has_the_same_idempotency_token(
    client: SimulatorClient, receiver: Receiver
) -> None:
    receiver.answers.append(503)
    client.set_handset(PHONE, sms="silent")

    send_twilio(client, StatusCallback=f"{receiver.url}/status#rc=2&rp=5xx")

    first, second = receiver.wait(2)
    assert first.headers["i-twilio-idempotency-token"] == second.headers["i-twilio-idempotency-token"]


def test_a_message_can_be_fetched(client: SimulatorClient) -> None:
    sid = send_twilio(client).json()["sid"]
    path = TWILIO_MESSAGES.replace(".json", f"/{sid}.json")

    wait_until(lambda: client.http.get(path, auth=AUTH).json()["status"] == "delivered")

    message = client.http.get(path, auth=AUTH).json()
    assert message["date_sent"]
    assert message["error_code"] is None
    assert client.http.get(path).status_code == 401
    assert client.http.get(path.replace(sid, "SM1"), auth=AUTH).json()["code"] == 20404


def test_a_message_that_waits_too_long_fails_and_is_never_shown(
    client: SimulatorClient, receiver: Receiver
) -> None:
    client.set_handset(PHONE, sms="late", late_seconds=5)

    send_twilio(client, ValidityPeriod="1", StatusCallback=f"{receiver.url}/status")

    form = receiver.wait(1)[0].form
    assert (form["MessageStatus"], form["ErrorCode"]) == ("failed", "30001")
    assert client.messages(PHONE) == []


@pytest.mark.parametrize(
    ("mode", "status", "code"),
    [("error_21610", 400, 21610), ("error_500", 500, 20500), ("rate_limited", 429, 20429)],
)
def test_some_modes_refuse_the_send(client: SimulatorClient, mode: str, status: int, code: int) -> None:
    client.set_handset(PHONE, sms=mode)

    answer = send_twilio(client)

    assert (answer.status_code, answer.json()["code"]) == (status, code)
    assert client.messages(PHONE) == []


def test_a_status_of_a_delivered_message_does_not_go_back(
    client: SimulatorClient, receiver: Receiver
) -> None:
    client.set_faults(reports={"shuffle": True})
    sid = send_twilio(client, StatusCallback=f"{receiver.url}/status").json()["sid"]

    assert [item.form["MessageStatus"] for item in receiver.wait(2)] == ["delivered", "sent"]
    fetched = client.http.get(TWILIO_MESSAGES.replace(".json", f"/{sid}.json"), auth=AUTH).json()
    assert fetched["status"] == "delivered"
