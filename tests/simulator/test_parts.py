"""The parts that need no server: codes in texts, accounts, plans, timers, posts, bounded memory."""

import threading
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from simulator import phones, posting
from simulator import state as state_module
from simulator.accounts import Accounts, TwilioAccount, WhatsAppAccount
from simulator.behaviour import Channel, Handset, SmsMode, WhatsAppMode
from simulator.messages import Message, Send, code_in, timestamp
from simulator.plans import shown_at_once, sms_steps, whatsapp_steps
from simulator.posting import Post, Poster
from simulator.state import State
from simulator.texts import LANGUAGES, WORDINGS, wording
from simulator.timers import Timers
from tests.simulator.support import PHONE, Receiver, wait_until


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


@pytest.mark.parametrize(
    ("value", "right"),
    [
        ("+85251234567", True),
        ("+1", False),
        ("85251234567", False),
        ("+852 5", False),
        (None, False),
        ("+0123456789", False),
        ("+1234567890123456", False),
    ],
)
def test_e164(value: object, right: bool) -> None:
    assert phones.is_e164(value) is right


def test_message_ids_are_unique() -> None:
    assert len({phones.new_wamid("85251234567") for _ in range(100)}) == 100


def test_user_ids_differ_by_business_and_person() -> None:
    ids = {
        phones.business_scoped_user_id(business_account_id=business, wa_id=wa_id)
        for business in ("1", "2")
        for wa_id in ("85251234567", "299123456")
    }

    assert len(ids) == 4
    assert {item[:2] for item in ids} == {"HK", "ZZ"}


# Accounts


def test_defaults_are_those_of_the_demo() -> None:
    accounts = Accounts.from_env({})

    assert accounts == Accounts()
    assert accounts.whatsapp[0].phone_number_id == "100200300400500"
    assert accounts.twilio[0].from_number == "+15005550006"


def test_the_environment_names_accounts() -> None:
    accounts = Accounts.from_env(
        {
            "SIMULATOR_WHATSAPP_PHONE_NUMBER_ID": "1",
            "SIMULATOR_WHATSAPP_APP_SECRET": "",
            "SIMULATOR_TWILIO_ACCOUNT_SID": "AC2",
            "SIMULATOR_TWILIO_FROM": "+15550100777",
            "SIMULATOR_GATEWAY_SECRET": "three",
        }
    )

    assert accounts.whatsapp[0] == WhatsAppAccount(phone_number_id="1")
    assert accounts.twilio[0] == TwilioAccount(account_sid="AC2", from_number="+15550100777")
    assert accounts.gateway_secret == "three"


def test_secrets_are_not_in_the_representation() -> None:
    text = repr(Accounts())

    for secret in (
        "sim-access-token",
        "sim-app-secret",
        "sim-verify-token",
        "sim-auth-token",
        "sim-gateway-secret",
    ):
        assert secret not in text


# Words


def test_every_wording_is_of_a_listed_language_and_holds_the_code_once() -> None:
    assert set(WORDINGS) <= LANGUAGES
    for words in WORDINGS.values():
        assert words.body.count("*{{1}}*") == 1
        assert "{minutes}" in words.footer
        assert len(words.button) <= 25


@pytest.mark.parametrize(
    ("language", "like"),
    [("es_AR", "es"), ("pt_PT", "pt_BR"), ("zh_TW", "zh_HK"), ("en_GB", "en"), ("sw", "en")],
)
def test_a_language_without_words_borrows_the_nearest(language: str, like: str) -> None:
    assert wording(language) is WORDINGS[like]


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


def test_memory_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(state_module, "KEPT_SENDS", 5)
    monkeypatch.setattr(state_module, "KEPT_MESSAGES_PER_HANDSET", 3)
    monkeypatch.setattr(state_module, "KEPT_HANDSETS", 2)
    state = State(Accounts())

    for number in range(10):
        state.record_send(Send(channel=Channel.SMS, provider="gateway", outcome="accepted"))
        item = message(number)
        state.add_message(item)
        state.show(item)
    for phone in ("+14155550101", "+14155550102"):
        state.add_message(message(1, phone))

    assert [n for n, _ in state.sends(channel=None, to=None, after=0)] == [6, 7, 8, 9, 10]
    assert state.shown_messages(PHONE) == []
    assert len(state.handsets(10)) == 2


def test_a_status_only_climbs() -> None:
    item = message(1)

    for status in ("sent", "delivered", "sent", "failed"):
        item.advance(status, None)

    assert item.status == "delivered"


def test_codes_and_texts_are_not_in_the_representation() -> None:
    assert "1234" not in repr(message(1, "+14155550101"))


# Timers


def test_timers_run_in_the_order_of_their_time() -> None:
    timers, ran, done = Timers(), [], threading.Event()
    timers.after(0.04, done.set)
    timers.after(0.02, lambda: ran.append("second"))
    timers.after(0.01, lambda: ran.append("first"))
    timers.after(0, lambda: ran.append("at once"))

    assert done.wait(5)
    timers.close()

    assert ran == ["at once", "first", "second"]


def test_cancelled_timers_do_not_run() -> None:
    timers, ran, done = Timers(), [], threading.Event()
    timers.after(0.01, lambda: ran.append("cancelled"))
    timers.cancel_all()
    timers.after(0.03, done.set)

    assert done.wait(5)
    timers.close()

    assert ran == []


# Posts


def test_posts_of_one_key_keep_their_order(receiver: Receiver) -> None:
    timers = Timers()
    poster = Poster(timers)
    for number in range(50):
        poster.submit(Post(url=f"{receiver.url}/{number}?a=b#c", body=b"{}", headers={}, key="same"))

    paths = [item.path for item in receiver.wait(50)]
    poster.close()
    timers.close()

    assert paths == [f"/{number}?a=b" for number in range(50)]
    assert poster.counts()["posted"] == 50


def test_a_post_is_given_up_after_its_tries(monkeypatch: pytest.MonkeyPatch, receiver: Receiver) -> None:
    monkeypatch.setattr(posting, "BACKOFF_SECONDS", (0.01, 0.01))
    receiver.answers.extend([500] * 10)
    timers = Timers()
    poster = Poster(timers)
    poster.submit(Post(url=f"{receiver.url}/x", body=b"", headers={}, key="k", tries=3))

    wait_until(lambda: poster.counts()["given_up"] == 1)
    poster.close()
    timers.close()

    assert len(receiver.received) == 3


def test_a_post_to_nobody_is_repeated_and_given_up(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(posting, "BACKOFF_SECONDS", (0.01,))
    timers = Timers()
    poster = Poster(timers)
    poster.post_now(Post(url="http://127.0.0.1:1/x", body=b"", headers={}, key=PHONE, tries=2))

    wait_until(lambda: poster.counts()["given_up"] == 1)
    poster.close()
    timers.close()

    assert "gave up posting a report: ConnectionRefusedError" in caplog.text
    assert PHONE not in caplog.text


def test_tries_of_a_report_fit_into_ten_seconds() -> None:
    assert len(posting.BACKOFF_SECONDS) == 4
    assert timedelta(seconds=sum(posting.BACKOFF_SECONDS)) < timedelta(seconds=10)
