"""Twilio's list of messages: filters, pages, and prices that are known some time later."""

import time
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from tests.simulator.support import (
    ACCOUNT_SID,
    OTHER_PHONE,
    PHONE,
    SENDER,
    TWILIO_MESSAGES,
    send_twilio,
    wait_until,
)
from tests.simulator.test_twilio_sdk import _twilio
from tests.simulator_client import RunningSimulator, SimulatorClient

AUTH = (ACCOUNT_SID, "sim-auth-token")


def ask(
    client: SimulatorClient,
    query: dict[str, Any] | None = None,
    *,
    status: int = 200,
    path: str = TWILIO_MESSAGES,
) -> Any:
    answer = client.http.get(path, params=query, auth=AUTH)
    assert answer.status_code == status, answer.text
    return answer.json()


def sent(client: SimulatorClient, count: int, **form: str) -> list[str]:
    """Ids of messages that were delivered, the newest first."""
    ids = [send_twilio(client, **form).json()["sid"] for _ in range(count)]
    wait_until(
        lambda: all(
            client.http.get(TWILIO_MESSAGES.replace(".json", f"/{item}.json"), auth=AUTH).json()["status"]
            == "delivered"
            for item in ids
        ),
        what="their delivery",
    )
    return ids


def ids_of(page: Any) -> set[str]:
    return {item["sid"] for item in page["messages"]}


def moment(seconds: float = 0) -> str:
    return (datetime.now(UTC) + timedelta(seconds=seconds)).strftime("%Y-%m-%dT%H:%M:%SZ")


@pytest.mark.parametrize("auth", [None, (ACCOUNT_SID, "another"), ("AC" + "f" * 32, "sim-auth-token")])
def test_it_needs_the_accounts_credentials(auth: Any, client: SimulatorClient) -> None:
    answer = client.http.get(TWILIO_MESSAGES, auth=auth)

    assert (answer.status_code, answer.json()["code"]) == (401, 20003)


def test_another_accounts_messages_are_not_shown(client: SimulatorClient) -> None:
    other = "AC" + "e" * 32
    client.add_accounts(twilio=[{"account_sid": other, "auth_token": "another-token"}])
    sent(client, 1)
    path = TWILIO_MESSAGES.replace(ACCOUNT_SID, other)

    assert ask(client, status=404, path=path)["code"] == 20404
    assert client.http.get(path, auth=(other, "another-token")).json()["messages"] == []


def test_pages_follow_each_other_to_the_last_message(client: SimulatorClient) -> None:
    ids = sent(client, 5)
    seen: list[str] = []
    page = ask(client, {"PageSize": 2, "DateSent>": moment(-60)})
    for size in (2, 2, 1):
        assert len(page["messages"]) == size
        seen += [item["sid"] for item in page["messages"]]
        uri = page["next_page_uri"]
        if uri:
            assert uri.startswith(f"{TWILIO_MESSAGES}?")
            assert "DateSent>" in parse_qs(urlsplit(uri).query)  # the filters go along
            page = ask(client, path=uri)

    assert uri is None
    assert sorted(seen) == sorted(ids)
    assert (page["page"], page["page_size"], page["start"], page["end"]) == (2, 2, 4, 4)


def test_an_empty_list(client: SimulatorClient) -> None:
    page = ask(client)

    assert (page["messages"], page["next_page_uri"], page["page_size"]) == ([], None, 50)


@pytest.mark.parametrize(
    ("query", "status", "code"),
    [
        ({"PageSize": "1001"}, 400, 20007),
        ({"PageSize": "0"}, 400, 20422),
        ({"PageSize": "many"}, 400, 20422),
        ({"Page": "1"}, 400, 20422),
        ({"PageToken": "PASM" + "0" * 32}, 400, 20422),
        ({"Page": "1", "PageToken": "SM1"}, 400, 20422),
        ({"Page": "1", "PageToken": "PASM" + "0" * 32}, 404, 20404),
        ({"DateSent>": "yesterday"}, 400, 20001),
        ({"DateSent<": "2026-11-26T10:00:00"}, 400, 20001),
        ({"DateSent<": "2026-11-26T10:00:00+01:00"}, 400, 20001),
        ({"DateSent": "2026-02-30"}, 400, 20001),
    ],
)
def test_what_it_refuses(query: dict[str, str], status: int, code: int, client: SimulatorClient) -> None:
    assert ask(client, query, status=status)["code"] == code


def test_a_bad_date_is_named_as_twilio_names_it(client: SimulatorClient) -> None:
    assert ask(client, {"DateSent": ">=2026-11-26"}, status=400)["message"] == "Invalid date value."


def test_the_longest_page_is_a_thousand(client: SimulatorClient) -> None:
    assert ask(client, {"PageSize": 1000})["page_size"] == 1000


def test_messages_are_filtered_by_when_they_were_sent(client: SimulatorClient) -> None:
    ids = set(sent(client, 2))
    today = datetime.now(UTC).date()

    assert ids_of(ask(client, {"DateSent>": moment(-60), "DateSent<": moment(60)})) == ids
    assert ids_of(ask(client, {"DateSent>": moment(60)})) == set()
    assert ids_of(ask(client, {"DateSent<": moment(-60)})) == set()
    assert ids_of(ask(client, {"DateSent": (today - timedelta(days=2)).isoformat()})) == set()
    assert ids_of(ask(client, {"DateSent>": (today - timedelta(days=1)).isoformat()})) == ids
    assert ids_of(ask(client, {"DateSent<": (today + timedelta(days=1)).isoformat()})) == ids


def test_what_was_not_sent_has_no_date_to_be_found_by(
    simulator: RunningSimulator, client: SimulatorClient
) -> None:
    client.set_handset(PHONE, sms="late", late_seconds=60)
    message = send_twilio(client).json()
    wait_until(lambda: ask(client)["messages"][0]["status"] == "sent", what="its sending")
    kept = simulator.simulator.state.message(message["sid"])
    assert kept
    kept.status = "queued"

    assert ids_of(ask(client)) == {message["sid"]}
    assert ask(client)["messages"][0]["date_sent"] is None
    assert ids_of(ask(client, {"DateSent>": moment(-60)})) == set()


def test_messages_are_filtered_by_their_ends(client: SimulatorClient) -> None:
    (one,) = sent(client, 1)
    (other,) = sent(client, 1, To=OTHER_PHONE)

    assert ids_of(ask(client, {"To": PHONE})) == {one}
    assert ids_of(ask(client, {"To": OTHER_PHONE})) == {other}
    assert ids_of(ask(client, {"From": SENDER})) == {one, other}
    assert ids_of(ask(client, {"From": "+15005550007"})) == set()


def test_a_price_is_known_some_time_after_the_delivery(client: SimulatorClient) -> None:
    client.http.put("/facts", json={"sms_price": {"after_seconds": 0.5}}).raise_for_status()
    sent(client, 1)
    begun = time.monotonic()
    first = ask(client)["messages"][0]
    assert (first["price"], first["price_unit"]) == (None, None) or time.monotonic() - begun > 0.3

    wait_until(lambda: ask(client)["messages"][0]["price"] is not None, what="a price")

    priced = ask(client)["messages"][0]
    assert (priced["price"], priced["price_unit"]) == ("-0.00790", "USD")
    one = ask(client, path=TWILIO_MESSAGES.replace(".json", f"/{priced['sid']}.json"))
    assert one["price"] == "-0.00790"


@pytest.mark.parametrize("sms", ["silent", "undelivered", "delivered"])
def test_what_a_carrier_took_is_billed(sms: str, client: SimulatorClient) -> None:
    client.http.put("/facts", json={"sms_price": {"after_seconds": 0}}).raise_for_status()
    client.set_handset(PHONE, sms=sms)
    send_twilio(client)

    wait_until(lambda: ask(client)["messages"][0]["price"] is not None, what="its price")


@pytest.mark.parametrize(
    ("given", "shown"),
    [
        ({"amount": "-0.0521", "unit": "EUR", "after_seconds": 0}, ("-0.0521", "EUR")),
        ({"amount": None, "after_seconds": 0}, (None, "USD")),
    ],
)
def test_a_price_can_be_chosen(
    given: dict[str, Any], shown: tuple[Any, Any], client: SimulatorClient
) -> None:
    client.http.put("/facts", json={"sms_price": given}).raise_for_status()
    sent(client, 1)

    message = ask(client)["messages"][0]
    assert (message["price"], message["price_unit"]) == shown


@pytest.mark.parametrize(
    "price",
    [
        5,
        {"cents": 1},
        {"amount": 0.5},
        {"amount": ""},
        {"unit": 1},
        {"after_seconds": -1},
        {"after_seconds": "1"},
    ],
)
def test_a_price_that_is_none(price: object, client: SimulatorClient) -> None:
    answer = client.http.put("/facts", json={"sms_price": price})

    assert answer.status_code == 400
    assert answer.json()["error"].startswith("sms_price")


def test_an_outage_comes_first(client: SimulatorClient) -> None:
    client.set_faults(sms_outage="rate_limited")
    assert ask(client, status=429)["code"] == 20429


def test_twilios_own_sdk_reads_all_pages(simulator: RunningSimulator, client: SimulatorClient) -> None:
    client.http.put("/facts", json={"sms_price": {"after_seconds": 0}}).raise_for_status()
    ids = sent(client, 3)
    now = datetime.now(UTC)

    listed = _twilio(simulator.url).messages.list(
        date_sent_after=now - timedelta(minutes=1), date_sent_before=now + timedelta(minutes=1), page_size=2
    )

    assert sorted(item.sid for item in listed) == sorted(ids)
    assert {(item.price, item.price_unit) for item in listed} == {("-0.00790", "USD")}
