"""Twilio's status callback: whose it is, and what it says."""

import uuid
from datetime import UTC, datetime
from typing import Any

import pytest
from django.http import QueryDict

from channels.base import SenderConfig
from channels.providers.twilio.codes import REASONS
from channels.types import FailureReason, Status, StatusUpdate
from tests.channels.support import twilio_sender
from tests.fixtures.load import load, names
from tests.webhooks.support import twilio_signature
from webhooks import twilio
from webhooks.errors import Unreadable, Untrusted

F = FailureReason
NOW = datetime(2026, 11, 23, 10, 0, 30, tzinfo=UTC)
SENDER_IDS = (uuid.uuid4(),)
URL = "https://login.acme.example/sms/twilio/status?delivery=0"
TOKEN = "0123456789abcdef0123456789abcdef"
ACCOUNT = "AC00000000000000000000000000000001"

EXPECTED: dict[str, tuple[Status, FailureReason | None, str] | None] = {
    "twilio/callback-queued.json": None,
    "twilio/callback-sent.json": (Status.SENT, None, ""),
    "twilio/callback-delivered.json": (Status.DELIVERED, None, ""),
    "twilio/callback-undelivered-30003.json": (Status.FAILED, F.UNREACHABLE, "30003"),
    "twilio/callback-failed-30450.json": (Status.FAILED, F.FRAUD_BLOCKED, "30450"),
}


def form(fields: dict[str, str]) -> QueryDict:
    made = QueryDict(mutable=True)
    made.update(fields)
    return made


def fields(**changed: str) -> dict[str, str]:
    return {
        "AccountSid": ACCOUNT,
        "MessageSid": "SM1",
        "MessageStatus": "delivered",
        "To": "+525550100123",
    } | changed


def trust(posted: dict[str, str], senders: list[SenderConfig[Any]], **signing: Any) -> tuple[uuid.UUID, ...]:
    values = {"token": TOKEN, "url": URL, "form": posted} | signing
    return twilio.authenticate(form(posted), url=URL, signature=twilio_signature(**values), senders=senders)


def translate(posted: dict[str, str], delivery: str = "") -> StatusUpdate | None:
    return twilio.translate(form(posted), delivery=delivery, sender_ids=SENDER_IDS, now=NOW)


def test_every_captured_callback_is_tried() -> None:
    assert set(names("twilio", "callback-")) == set(EXPECTED)


@pytest.mark.parametrize("name", EXPECTED)
def test_each_captured_callback(name: str) -> None:
    captured = load(name)
    sender = twilio_sender(auth_tokens=(captured["auth_token"],))

    sender_ids = twilio.authenticate(
        form(captured["form"]),
        url=captured["url"],
        signature=captured["x_twilio_signature"],
        senders=[sender],
    )
    update = translate(captured["form"])

    assert sender_ids == (sender.id,)
    assert (update and (update.status, update.reason, update.provider_code)) == EXPECTED[name]


def test_an_update_in_full() -> None:
    delivery_id = uuid.uuid4()

    assert translate(fields(), str(delivery_id)) == StatusUpdate(
        sender_ids=SENDER_IDS,
        delivery_id=str(delivery_id),
        provider_message_id="SM1",
        status=Status.DELIVERED,
        occurred_at=NOW,
    )


def test_the_carriers_clock_is_not_believed() -> None:
    """RawDlrDoneDate has no zone and no seconds."""
    update = translate(fields(RawDlrDoneDate="2611231800"))

    assert update
    assert update.occurred_at == NOW


@pytest.mark.parametrize(
    ("word", "status"),
    [
        ("accepted", None),
        ("scheduled", None),
        ("queued", None),
        ("sending", None),
        ("receiving", None),
        ("received", None),
        ("partially_delivered", None),
        ("", None),
        ("something new", None),
        ("sent", Status.SENT),
        ("delivered", Status.DELIVERED),
        ("read", Status.READ),
        ("undelivered", Status.FAILED),
        ("failed", Status.FAILED),
        ("canceled", Status.FAILED),
    ],
)
def test_each_status(word: str, status: Status | None) -> None:
    update = translate(fields(MessageStatus=word))

    assert (update and update.status) == status


@pytest.mark.parametrize("code", sorted(REASONS))
def test_a_failure_means_the_same_as_in_an_answer(code: int) -> None:
    update = translate(fields(MessageStatus="failed", ErrorCode=str(code)))

    assert update
    assert (update.reason, update.provider_code) == (REASONS[code], str(code))


@pytest.mark.parametrize(
    ("code", "kept"), [("", ""), ("x", ""), ("-1", ""), ("１", ""), ("9" * 10, ""), ("999", "999")]
)
def test_odd_failure_codes(code: str, kept: str) -> None:
    update = translate(fields(MessageStatus="failed", ErrorCode=code))

    assert update
    assert (update.reason, update.provider_code) == (F.UNKNOWN, kept)


@pytest.mark.parametrize("message_id", ["", "S M", "\x00", "x" * 65, "ｘ"])
def test_a_callback_without_a_readable_id(message_id: str) -> None:
    with pytest.raises(Unreadable):
        translate(fields(MessageSid=message_id))


@pytest.mark.parametrize("delivery", ["", "x", "0" * 31, "../.."])
def test_a_delivery_that_is_no_id_is_none(delivery: str) -> None:
    update = translate(fields(), delivery)

    assert update
    assert update.delivery_id is None


# D7 -------------------------------------------------------------------------------------------------


def test_the_documented_signature() -> None:
    """Twilio, "Security: validating requests"."""
    posted = {
        "CallSid": "CA1234567890ABCDE",
        "Caller": "+14158675309",
        "Digits": "1234",
        "From": "+14158675309",
        "To": "+18005551212",
    }
    url = "https://mycompany.com/myapp.php?foo=1&bar=2"
    posted["AccountSid"] = ""  # ours must name an account; Twilio's example names none

    assert twilio_signature("12345", url, {k: v for k, v in posted.items() if v}) == (
        "RSOYDt4T1cUTdK1PDd93/VVr8B8="
    )
    with pytest.raises(Untrusted, match="unknown_account"):
        twilio.authenticate(
            form(posted), url=url, signature="RSOYDt4T1cUTdK1PDd93/VVr8B8=", senders=[twilio_sender()]
        )


@pytest.mark.parametrize("tokens", [(TOKEN,), (TOKEN, "old"), ("new", TOKEN)])
def test_both_tokens_count_during_rotation(tokens: tuple[str, ...]) -> None:
    sender = twilio_sender(auth_tokens=tokens)

    assert trust(fields(), [sender]) == (sender.id,)


@pytest.mark.parametrize("tokens", [(), ("another",)])
def test_another_token_does_not_count(tokens: tuple[str, ...]) -> None:
    with pytest.raises(Untrusted, match="wrong_signature"):
        trust(fields(), [twilio_sender(auth_tokens=tokens)])


def test_unknown_fields_are_signed_too() -> None:
    sender = twilio_sender(auth_tokens=(TOKEN,))

    assert trust(fields(BrandNewField="", Another="ä"), [sender])
    with pytest.raises(Untrusted):
        trust(fields(BrandNewField="x"), [sender], form=fields())


@pytest.mark.parametrize(
    "signing",
    [
        {"form": fields(MessageStatus="failed")},
        {"url": URL + "1"},
        {"url": URL.replace("https", "http")},
        {"token": "another"},
    ],
)
def test_anything_altered_is_noticed(signing: dict[str, Any]) -> None:
    with pytest.raises(Untrusted, match="wrong_signature"):
        trust(fields(), [twilio_sender(auth_tokens=(TOKEN,))], **signing)


def test_the_port_may_be_signed_or_not() -> None:
    """Twilio's own signing is not consistent about it."""
    sender = twilio_sender(auth_tokens=(TOKEN,))

    assert trust(fields(), [sender], url=URL.replace(".example/", ".example:443/"))


@pytest.mark.parametrize("signature", ["", "x", "ä" * 28, "A" * 10_000, "A" * 28, "A" * 27 + "=\n"])
def test_what_is_no_signature(signature: str) -> None:
    with pytest.raises(Untrusted, match="no_signature"):
        twilio.authenticate(
            form(fields()), url=URL, signature=signature, senders=[twilio_sender(auth_tokens=(TOKEN,))]
        )


@pytest.mark.parametrize("account", ["", "AC2"])
def test_an_account_that_nobody_has(account: str) -> None:
    senders = [twilio_sender(auth_tokens=(TOKEN,)), twilio_sender(account_sid="", auth_tokens=(TOKEN,))]

    with pytest.raises(Untrusted, match="unknown_account"):
        trust(fields(AccountSid=account), senders)


def test_a_right_signature_of_another_account() -> None:
    victim = twilio_sender(auth_tokens=("the victim's",))
    attacker = twilio_sender(account_sid="AC2", auth_tokens=(TOKEN,))

    with pytest.raises(Untrusted, match="wrong_signature"):
        trust(fields(), [victim, attacker])


def test_senders_of_one_account_are_all_meant_if_their_token_fits() -> None:
    first, second = twilio_sender(auth_tokens=(TOKEN,)), twilio_sender(auth_tokens=("new", TOKEN))
    stale = twilio_sender(auth_tokens=("stale",))

    assert set(trust(fields(), [first, second, stale])) == {first.id, second.id}
