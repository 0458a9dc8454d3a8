"""The documents that Meta posts, without a server."""

import json
from collections.abc import Iterable
from typing import Any

import pytest

from simulator.accounts import WhatsAppAccount
from simulator.handsets.handset import Channel
from simulator.meta import ids, webhooks
from simulator.meta.webhooks import WhatsAppMessage, WhatsAppStatus
from simulator.server.faults import ReportFaults

FIRST = WhatsAppAccount()
SECOND = WhatsAppAccount(
    phone_number_id="2", business_account_id="20", display_phone_number="+44 20 7946 0000"
)
SIBLING = WhatsAppAccount(phone_number_id="3", business_account_id=SECOND.business_account_id)


def message(account: WhatsAppAccount = FIRST, phone: str = "+85251234567", **changes: Any) -> WhatsAppMessage:
    wa_id = ids.whatsapp_id(phone)
    fields = {
        "id": ids.new_wamid(wa_id),
        "channel": Channel.WHATSAPP,
        "provider": "meta",
        "to": phone,
        "shown_from": account.verified_name,
        "text": "482913",
        "code": "482913",
        "account": account,
        "wa_id": wa_id,
    }
    return WhatsAppMessage(**{**fields, **changes})


def status(item: WhatsAppMessage, word: str = "sent", code: int | None = None) -> WhatsAppStatus:
    return WhatsAppStatus(message=item, status=word, error_code=code)


def entries(items: Iterable[WhatsAppStatus], **faults: bool) -> list[dict[str, Any]]:
    document = json.loads(webhooks.statuses_body(list(items), ReportFaults(**faults)))
    assert document["object"] == "whatsapp_business_account"
    listed: list[dict[str, Any]] = document["entry"]
    return listed


def test_statuses_are_grouped_by_account_and_number() -> None:
    items = [status(message(account)) for account in (FIRST, SECOND, SIBLING, FIRST, SECOND)]

    grouped = {
        entry["id"]: {
            change["value"]["metadata"]["phone_number_id"]: len(change["value"]["statuses"])
            for change in entry["changes"]
        }
        for entry in entries(items)
    }

    assert grouped == {
        FIRST.business_account_id: {FIRST.phone_number_id: 2},
        SECOND.business_account_id: {"2": 2, "3": 1},
    }


def test_statuses_of_one_number_keep_their_order() -> None:
    item = message()

    [entry] = entries([status(item, word) for word in ("read", "sent", "delivered")])

    words = [one["status"] for one in entry["changes"][0]["value"]["statuses"]]
    assert words == ["read", "sent", "delivered"]


def test_a_person_is_named_once() -> None:
    first, second = message(), message(phone="+447700900123")

    [entry] = entries([status(first), status(first, "delivered"), status(second)])

    contacts = entry["changes"][0]["value"]["contacts"]
    assert [item["wa_id"] for item in contacts] == ["85251234567", "447700900123"]


@pytest.mark.parametrize(
    ("word", "code", "keys"),
    [
        ("sent", None, {"pricing"}),
        ("delivered", None, {"pricing"}),
        ("read", None, set()),
        ("failed", 131026, {"errors"}),
        ("failed", None, set()),
    ],
)
def test_a_status_has_what_belongs_to_it(word: str, code: int | None, keys: set[str]) -> None:
    [entry] = entries([status(message(), word, code)])

    [item] = entry["changes"][0]["value"]["statuses"]
    always = {"id", "status", "timestamp", "recipient_id", "recipient_user_id"}
    assert set(item) == always | keys


@pytest.mark.parametrize(("reference", "present"), [(None, False), ("", True), ("dlv_1", True)])
def test_a_reference_comes_back_if_there_was_one(reference: str | None, present: bool) -> None:
    [entry] = entries([status(message(reference=reference))])

    [item] = entry["changes"][0]["value"]["statuses"]
    assert item.get("biz_opaque_callback_data", "absent") == (reference if present else "absent")


def test_an_unknown_error_code_has_a_plain_title() -> None:
    [entry] = entries([status(message(), "failed", 999)])

    [error] = entry["changes"][0]["value"]["statuses"][0]["errors"]
    assert (error["code"], error["title"], error["message"]) == (999, "Error 999", "Error 999")


def test_unknown_fields_come_with_an_unknown_status() -> None:
    [entry] = entries([status(message())], unknown_fields=True)

    value = entry["changes"][0]["value"]
    assert value["new_field"]
    assert [item["status"] for item in value["statuses"]] == ["sent", "new_status"]
    assert all(item["new_field"] == "näu" for item in value["statuses"])


def test_entries_of_another_account_come_first() -> None:
    foreign, own = entries([status(message())], foreign_entries=True)

    assert own["id"] == FIRST.business_account_id
    assert foreign["id"] != own["id"]
    assert foreign["changes"][0]["value"]["metadata"]["phone_number_id"] != FIRST.phone_number_id


def test_the_display_number_is_in_digits() -> None:
    [entry] = entries([status(message(SECOND))])

    assert entry["changes"][0]["value"]["metadata"]["display_phone_number"] == "442079460000"


def test_bodies_are_compact_ascii() -> None:
    body = webhooks.account_body("1", field="account_update", value={"text": "ä / <b>"}, at=5)

    assert body == (
        rb'{"object":"whatsapp_business_account","entry":[{"id":"1","time":5,'
        rb'"changes":[{"field":"account_update","value":{"text":"\u00e4 / <b>"}}]}]}'
    )


def test_the_test_button_names_the_account_0() -> None:
    [entry] = json.loads(webhooks.test_button_body())["entry"]

    assert entry["id"] == "0"
    assert entry["changes"][0]["value"]["messages"][0]["type"] == "text"


def test_headers_sign_the_body() -> None:
    headers = webhooks.headers(app_secret="secret", body=b"{}")

    assert headers["Content-Type"] == "application/json"
    assert headers["X-Hub-Signature-256"] == webhooks.hub_signature(app_secret="secret", body=b"{}")
    assert headers["X-Hub-Signature-256"] != webhooks.hub_signature(app_secret="other", body=b"{}")


@pytest.mark.parametrize(
    ("phone", "wa_id"),
    [
        ("+85251234567", "85251234567"),
        ("+525550100123", "5215550100123"),
        ("+5215550100123", "525550100123"),
        ("+52155501001", "52155501001"),
        ("+5511987654321", "551187654321"),
        ("+5511887654321", "5511887654321"),
        ("+551187654321", "5511987654321"),
    ],
)
def test_the_id_of_a_person_may_differ_from_the_number(phone: str, wa_id: str) -> None:
    assert ids.whatsapp_id(phone) == wa_id


@pytest.mark.parametrize(
    ("wa_id", "country"),
    [
        ("85251234567", "HK"),
        ("447700900123", "GB"),
        ("15550100", "US"),
        ("971500000000", "AE"),
        ("299123456", "ZZ"),
    ],
)
def test_a_user_id_starts_with_the_country(wa_id: str, country: str) -> None:
    user_id = ids.business_scoped_user_id(business_account_id="1", wa_id=wa_id)

    prefix, _, number = user_id.partition(".")
    assert prefix == country
    assert number.isdigit()
    assert len(number) == 20


def test_codes_are_not_in_the_representation() -> None:
    assert "482913" not in repr(status(message()))
