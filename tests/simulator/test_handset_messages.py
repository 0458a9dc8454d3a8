"""The code in a text, the steps of a message by handset, what a message remembers."""

from datetime import UTC, datetime
from typing import Any

import pytest

from simulator.handsets.delivery_steps import shown_at_once, sms_steps, whatsapp_steps
from simulator.handsets.handset import Channel, Handset, SmsMode, WhatsAppMode
from simulator.handsets.messages import Message, code_in, timestamp
from tests.simulator.support import PHONE


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("482913 is your Acme code.\n\n@login.acme.example #482913", "482913"),
        ("Room 2026: use 482913\n\n@login.acme.example #482913", "482913"),
        ("Tu código es 12345678.", "12345678"),
        ("你的驗證碼是482913。", "482913"),
        ("Call +85251234567", None),
        ("no digits", None),
        ("123", None),
        ("", None),
    ],
)
def test_the_code_in_a_text(text: str, code: str | None) -> None:
    assert code_in(text) == code


def test_timestamps_are_utc_with_milliseconds() -> None:
    assert timestamp(datetime(2026, 11, 23, 10, 0, tzinfo=UTC)) == "2026-11-23T10:00:00.000Z"


# Plans


def names(steps: list[Any]) -> list[tuple[str, float, int | None]]:
    return [(step.status, step.after_seconds, step.error_code) for step in steps]


@pytest.mark.parametrize(
    ("mode", "expected"),
    [
        (WhatsAppMode.DELIVERED, [("sent", 0, None), ("delivered", 0.5, None)]),
        (WhatsAppMode.READ, [("sent", 0, None), ("delivered", 0.5, None), ("read", 0.5, None)]),
        (WhatsAppMode.SILENT, [("sent", 0, None)]),
        (WhatsAppMode.LATE, [("sent", 0, None), ("delivered", 10.5, None)]),
        (WhatsAppMode.UNDELIVERED, [("failed", 0.5, 131049)]),
        (WhatsAppMode.NOT_ON_WHATSAPP, [("failed", 0.5, 131026)]),
    ],
)
def test_the_life_of_a_whatsapp_message(
    mode: WhatsAppMode, expected: list[tuple[str, float, int | None]]
) -> None:
    handset = Handset(phone=PHONE, whatsapp=mode, delay_ms=500, late_seconds=10)

    assert names(whatsapp_steps(handset, ttl_seconds=60)) == expected


@pytest.mark.parametrize(
    ("mode", "validity", "expected"),
    [
        (SmsMode.DELIVERED, 60, [("sent", 0, None), ("delivered", 0.5, None)]),
        (SmsMode.UNDELIVERED, 60, [("sent", 0, None), ("undelivered", 0.5, 30003)]),
        (SmsMode.SILENT, 60, [("sent", 0, None)]),
        (SmsMode.LATE, 60, [("sent", 0, None), ("delivered", 10.5, None)]),
        (SmsMode.LATE, 10, [("failed", 10, 30001)]),
    ],
)
def test_the_life_of_an_sms(
    mode: SmsMode, validity: int, expected: list[tuple[str, float, int | None]]
) -> None:
    handset = Handset(phone=PHONE, sms=mode, delay_ms=500, late_seconds=10)

    assert names(sms_steps(handset, validity_seconds=validity)) == expected


def test_only_an_immediate_delivery_is_shown_at_once() -> None:
    assert shown_at_once(sms_steps(Handset(phone=PHONE), validity_seconds=60))
    assert not shown_at_once(sms_steps(Handset(phone=PHONE, delay_ms=1), validity_seconds=60))


# State


def message(number: int, phone: str = PHONE) -> Message:
    return Message(
        id=str(number),
        channel=Channel.SMS,
        provider="gateway",
        to=phone,
        shown_from="SMS",
        text="1234",
        code="1234",
    )


def test_a_status_only_climbs() -> None:
    item = message(1)

    for status in ("sent", "delivered", "sent", "failed"):
        item.advance(status, None)

    assert item.status == "delivered"


def test_codes_and_texts_are_not_in_the_representation() -> None:
    assert "1234" not in repr(message(1, "+14155550101"))
