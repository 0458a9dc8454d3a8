"""The values that cross between sending and its callers: ranks, words, columns, and what printing them shows."""

import dataclasses
import uuid
from collections.abc import Sequence
from datetime import UTC, datetime
from itertools import permutations
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from channels.models import SenderHealth, SenderNotice
from channels.types import (
    Channel,
    Disavowal,
    FailureReason,
    Message,
    Receipt,
    Status,
    StatusUpdate,
    TemplateRefusal,
)
from otp.models import Delivery, DeliveryEvent
from tests.channels import support

S = Status
NOW = datetime(2026, 11, 26, 12, tzinfo=UTC)
SENDER_ID = uuid.UUID("01890000-0000-7000-8000-0000000000ff")
VALUES: list[Any] = [
    support.message(),
    Receipt(provider_message_id=support.WAMID),
    TemplateRefusal(language="en", reason=FailureReason.TEMPLATE_PAUSED),
    Disavowal(sender_ids=(SENDER_ID,), provider_message_id=support.WAMID),
]

UPDATE = StatusUpdate(
    sender_ids=(SENDER_ID,),
    delivery_id=str(support.DELIVERY_ID),
    provider_message_id=support.WAMID,
    status=S.SENT,
    occurred_at=NOW,
)


def highest(reported: Sequence[Status]) -> Status:
    """A delivery's status after these reports: it only climbs."""
    status = S.QUEUED
    for item in reported:
        status = max(status, item)
    return status


# Status -----------------------------------------------------------------------------------------------


def test_the_ranks_are_numbers_of_the_database() -> None:
    """Rows of earlier versions hold them: a new status takes a new number, and none is moved."""
    assert {item.name: item.value for item in S} == {
        "QUEUED": 0, "SENDING": 1, "ACCEPTED": 2, "SENT": 3, "EXPIRED": 4, "FAILED": 5, "DELIVERED": 6, "READ": 7,
    }  # fmt: skip


@pytest.mark.parametrize(
    ("reported", "status"),
    [
        ((S.SENT, S.DELIVERED, S.READ), S.READ),
        ((S.ACCEPTED, S.SENT), S.SENT),
        ((S.FAILED, S.DELIVERED), S.DELIVERED),  # Meta's contradictory pair: delivered wins
        ((S.FAILED, S.SENT), S.FAILED),  # a late "sent" brings nothing back to life
        ((S.EXPIRED, S.DELIVERED), S.DELIVERED),
        ((S.EXPIRED, S.FAILED), S.FAILED),  # the provider knows why
        ((S.EXPIRED, S.SENT, S.ACCEPTED), S.EXPIRED),
        ((S.QUEUED, S.SENDING), S.SENDING),
    ],
    ids=str,
)
def test_whatever_order_the_reports_come_in_the_status_is_the_same(
    reported: tuple[Status, ...], status: Status
) -> None:
    assert {highest(order) for order in permutations(reported)} == {status}


@given(st.lists(st.sampled_from(list(S)), max_size=12), st.lists(st.sampled_from(list(S)), max_size=12))
def test_repeated_reports_change_nothing(reported: list[Status], repeated: list[Status]) -> None:
    """Providers post again what was not answered in time."""
    known = [item for item in repeated if item in reported]

    assert highest(reported + known) == highest(reported)


@pytest.mark.parametrize(
    ("status", "word"),
    [
        (S.QUEUED, "queued"),
        (S.SENDING, "queued"),
        (S.ACCEPTED, "accepted"),
        (S.SENT, "sent"),
        (S.EXPIRED, "expired"),
        (S.FAILED, "failed"),
        (S.DELIVERED, "delivered"),
        (S.READ, "read"),
    ],
)
def test_the_public_word_of_each_status(status: Status, word: str) -> None:
    """Section 6 of the contract: `sending` is ours alone."""
    assert status.word == word


# Words and columns ------------------------------------------------------------------------------------


def length(model: type[Any], name: str) -> int:
    longest: int = model._meta.get_field(name).max_length
    return longest


@pytest.mark.parametrize(
    ("model", "name"),
    [(SenderHealth, "reason"), (SenderNotice, "reason"), (Delivery, "reason"), (DeliveryEvent, "reason")],
)
def test_every_reason_fits_where_it_is_stored(model: type[Any], name: str) -> None:
    assert max(len(reason) for reason in FailureReason) <= length(model, name)


def test_reasons_and_channels_are_spelled_as_the_api_spells_words() -> None:
    for word in (*FailureReason, *Channel):
        # Stored and public under the name of before, which stays.
        assert word.value == ("no_news" if word is FailureReason.NO_REPORT else word.name.lower())
        assert word.value.replace("_", "").isalpha()
    assert len({reason.value for reason in FailureReason}) == len(FailureReason)


# Values -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("value", VALUES, ids=lambda value: type(value).__name__)
def test_a_value_does_not_change_once_it_is_made(value: Any) -> None:
    """Threads and tasks share them."""
    for item in dataclasses.fields(value):
        with pytest.raises(dataclasses.FrozenInstanceError):
            setattr(value, item.name, None)


@pytest.mark.parametrize("value", VALUES, ids=lambda value: type(value).__name__)
def test_values_are_equal_by_what_they_hold_and_can_be_counted(value: Any) -> None:
    same = dataclasses.replace(value)

    assert same == value
    assert len({same, value}) == 1


@pytest.mark.parametrize("value", VALUES, ids=lambda value: type(value).__name__)
def test_a_value_is_made_by_names_only(value: Any) -> None:
    """`Receipt(False)` would be a message id."""
    known = [getattr(value, item.name) for item in dataclasses.fields(value)]

    with pytest.raises(TypeError):
        type(value)(*known)


def test_a_report_is_a_tuple_that_does_not_change_either() -> None:
    """A batch makes a thousand: dataclasses cost four times as much."""
    for name in UPDATE._fields:
        with pytest.raises(AttributeError):
            setattr(UPDATE, name, None)
    assert {UPDATE, UPDATE._replace(status=S.SENT)} == {UPDATE}
    assert UPDATE._replace(status=S.READ) != UPDATE
    assert "sent" in repr(UPDATE)
    assert str(support.DELIVERY_ID) in repr(UPDATE)


@given(
    st.from_regex(r"\+[1-9][0-9]{7,14}", fullmatch=True),
    st.from_regex(r"[0-9]{6,10}", fullmatch=True),
    st.from_regex(r"wamid\.[A-Za-z0-9=]{30,60}", fullmatch=True),
)
def test_what_is_printed_shows_no_number_no_code_and_no_message_id(
    phone: str, code: str, message_id: str
) -> None:
    """Tracebacks and log lines print values; Meta's message id holds the number."""
    known = {"delivery_id": SENDER_ID, "language": "en", "valid_seconds": 0, "callback_origin": ""}
    shown = [
        repr(Message(phone=phone, code=code, text=f"{code} is your code", **known)),  # type: ignore[arg-type]
        repr(Receipt(provider_message_id=message_id)),
        repr(Disavowal(sender_ids=(), provider_message_id=message_id)),
        repr(
            StatusUpdate(
                sender_ids=(),
                delivery_id=None,
                provider_message_id=message_id,
                status=S.READ,
                occurred_at=NOW,
            )
        ),
    ]

    for text in shown:
        assert phone not in text
        assert message_id not in text
        assert code not in text.replace(str(SENDER_ID), "")


def test_a_receipt_is_certain_unless_it_says_otherwise() -> None:
    assert Receipt().certain
    assert Receipt().refusals == ()
    assert not Receipt(certain=False).certain
