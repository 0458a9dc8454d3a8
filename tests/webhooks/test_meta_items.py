"""What a Meta webhook says: every captured body, and everything that can be wrong with an item."""

import uuid
from datetime import UTC, datetime
from typing import Any

import pytest

from channels.backends.whatsapp import REASONS
from channels.types import FailureReason, Status
from tests.fixtures.load import compact, load, names
from tests.webhooks import support
from tests.webhooks.support import FIXTURE_SENDERS, items
from webhooks import meta_items

# File → statuses, disavowals, kinds of notices.
EXPECTED: dict[str, tuple[list[str], int, list[str]]] = {
    "account-update-restriction": ([], 0, ["account_update"]),
    "batch": (["read", "sent", "delivered", "failed:not_on_channel", "delivered", "delivered"], 0, []),
    "delivered": (["delivered"], 0, []),
    "delivered-auth-international": (["delivered"], 0, []),
    "delivered-identity-hash": (["delivered"], 0, []),
    "delivered-then-failed-same-message": (["delivered", "failed:not_on_channel"], 0, []),
    "delivered-v26-contacts": (["delivered"], 0, []),
    "failed-131026": (["failed:not_on_channel"], 0, []),
    "failed-131026-v26-contacts": (["failed:not_on_channel"], 0, []),
    "failed-131049": (["failed:refused"], 0, []),
    "failed-132015-after-hold": (["failed:template_paused"], 0, []),
    "failed-137000-identity-mismatch": (["failed:identity_changed"], 0, []),
    "incoming-did-not-request-code": ([], 1, []),
    "incoming-system-user-changed-number": ([], 0, []),
    "incoming-text": ([], 0, []),
    "incoming-text-v26-user-id": ([], 0, []),
    "incoming-unsupported": ([], 0, []),
    "phone-number-quality-update": ([], 0, ["phone_number_quality_update"]),
    "read": (["read"], 0, []),
    "read-v26-contacts": (["read"], 0, []),
    "sent": (["sent"], 0, []),
    "sent-v23-conversation": (["sent"], 0, []),
    "sent-v26-contacts": (["sent"], 0, []),
    "template-quality-update": ([], 0, ["message_template_quality_update"]),
    "template-status-update-approved": ([], 0, ["message_template_status_update"]),
    "template-status-update-disabled": ([], 0, ["message_template_status_update"]),
    "template-status-update-paused": ([], 0, ["message_template_status_update"]),
    "value-errors-130429": ([], 0, ["errors"]),
}


def items_of(*statuses: Any) -> meta_items.Items:
    return items(support.reporting(*statuses))


def test_every_captured_body_is_tried() -> None:
    assert {name.removeprefix("webhooks/").removesuffix(".json") for name in names("webhooks")} == set(
        EXPECTED
    )


@pytest.mark.parametrize("name", EXPECTED)
def test_each_captured_body(name: str) -> None:
    statuses, disavowals, notices = EXPECTED[name]

    found = items(compact(load(f"webhooks/{name}.json")), FIXTURE_SENDERS)

    words = [
        f"{update.status.word}:{update.reason}" if update.reason else update.status.word
        for update in found.updates
    ]
    assert words == statuses
    assert len(found.disavowals) == disavowals
    assert [notice.kind for notice in found.notices] == notices
    assert found.unreadable == 0


def test_a_batch_keeps_its_numbers_apart() -> None:
    found = items(compact(load("webhooks/batch.json")), FIXTURE_SENDERS)

    first, second, other = (sender.id for sender in FIXTURE_SENDERS)
    assert [update.sender_ids for update in found.updates] == [
        *[(first,)] * 3,
        (second,),
        *[(other,)] * 2,
    ]


def test_a_delivered_report_in_full() -> None:
    delivery_id = uuid.uuid4()

    (update,) = items_of(support.status(biz_opaque_callback_data=str(delivery_id))).updates

    assert update.delivery_id == delivery_id
    assert update.provider_message_id == support.WAMID
    assert update.status is Status.DELIVERED
    assert update.occurred_at == datetime(2026, 11, 23, 10, 0, 12, tzinfo=UTC)
    assert (update.reason, update.provider_code) == (None, "")


def test_a_disavowal_names_the_message_that_it_answers() -> None:
    body = compact(load("webhooks/incoming-did-not-request-code.json"))

    (disavowal,) = items(body, FIXTURE_SENDERS).disavowals

    assert disavowal.provider_message_id == support.WAMID
    assert disavowal.sender_ids == (FIXTURE_SENDERS[0].id,)


# Items ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("code", sorted(REASONS))
def test_a_failure_means_the_same_as_in_an_answer(code: int) -> None:
    (update,) = items_of(support.status("failed", errors=[{"code": code}])).updates

    assert (update.reason, update.provider_code) == (REASONS[code], str(code))


@pytest.mark.parametrize(
    ("errors", "reason", "code"),
    [
        (None, FailureReason.UNKNOWN, ""),
        ([], FailureReason.UNKNOWN, ""),
        ("text", FailureReason.UNKNOWN, ""),
        ([None, "x", {}], FailureReason.UNKNOWN, ""),
        ([{"code": 999999}], FailureReason.UNKNOWN, "999999"),
        ([{"code": "131026"}], FailureReason.NOT_ON_CHANNEL, "131026"),
        ([{"code": 999999}, {"code": 131042}], FailureReason.PAYMENT, "131042"),
        ([{"code": 10**30}], FailureReason.UNKNOWN, "10000000000000000000"),
    ],
)
def test_odd_failures(errors: object, reason: FailureReason, code: str) -> None:
    (update,) = items_of(support.status("failed", errors=errors)).updates

    assert (update.reason, update.provider_code) == (reason, code)


@pytest.mark.parametrize("word", ["played", "deleted", "warning", "pending", "", None, 5, "DELIVERED", []])
def test_other_statuses_are_no_news_and_no_error(word: Any) -> None:
    found = items_of(support.status(word))

    assert (found.updates, found.unreadable) == ([], 0)


@pytest.mark.parametrize(
    "broken",
    [
        None,
        "text",
        [],
        support.status(id=None),
        support.status(id=""),
        support.status(id=5),
        support.status(id="wamid.\x00"),
        support.status(id="wamid.\ud800"),
        support.status(id="w" * 256),
        support.status(timestamp=None),
        support.status(timestamp=""),
        support.status(timestamp="yesterday"),
        support.status(timestamp="-1"),
        support.status(timestamp="9" * 11),
        support.status(timestamp="１２"),
        support.status(timestamp=True),
        support.status(timestamp=1.5),
    ],
)
def test_one_broken_item_does_not_stop_the_others(broken: object) -> None:
    found = items_of(support.status("sent"), broken, support.status("read"))

    assert [update.status for update in found.updates] == [Status.SENT, Status.READ]
    assert found.unreadable == 1


@pytest.mark.parametrize("timestamp", ["1795428012", 1795428012])
def test_a_timestamp_is_read_in_both_spellings(timestamp: object) -> None:
    (update,) = items_of(support.status(timestamp=timestamp)).updates

    assert update.occurred_at.year == 2026


@pytest.mark.parametrize("reference", [None, "", "att_7f3c9a", 5, {}, "x" * 10_000])
def test_a_reference_that_is_not_ours_is_none(reference: object) -> None:
    (update,) = items_of(support.status(biz_opaque_callback_data=reference)).updates

    assert update.delivery_id is None


@pytest.mark.parametrize("statuses", [None, {}, "text", 5])
def test_statuses_that_are_no_list(statuses: object) -> None:
    found = items(compact(support.payload(support.change(statuses=statuses, messages=statuses))))

    assert (found.updates, found.disavowals) == ([], [])


@pytest.mark.parametrize("context", [None, {}, {"id": None}, {"id": ""}, {"id": "\x00"}, "text"])
def test_a_disavowal_of_nothing_is_counted(context: object) -> None:
    message = {"type": "button", "button": {"payload": "DID_NOT_REQUEST_CODE"}, "context": context}

    found = items(compact(support.payload(support.change(messages=[message]))))

    assert (found.disavowals, found.unreadable) == ([], 1)


@pytest.mark.parametrize("button", [None, {}, {"payload": "OTHER"}, {"payload": None}, "text"])
def test_other_buttons_are_ignored(button: object) -> None:
    message = {"type": "button", "button": button, "context": {"id": support.WAMID}}

    found = items(compact(support.payload(support.change(messages=[message]))))

    assert (found.disavowals, found.unreadable) == ([], 0)


def test_a_notice_holds_words_and_no_numbers() -> None:
    name = "webhooks/template-status-update-paused.json"

    (notice,) = items(compact(load(name))).notices

    assert notice.details == {
        "state": "PAUSED",
        "template": "login_code",
        "language": "es_MX",
        "reason": "NONE",
    }


def test_a_hyphened_template_language_is_written_our_way() -> None:
    """Meta's own sample has `en-US`, its wire `en_US`."""
    body = compact(load("webhooks/template-status-update-approved.json"))
    hyphened = support.payload(
        support.change(
            None, field="message_template_status_update", event="APPROVED", message_template_language="en-US"
        )
    )

    for found in (items(body), items(compact(hyphened))):
        assert "-" not in found.notices[0].details.get("language", "")


@pytest.mark.parametrize("words", ["a" * 81, "line\nbreak", "<script>", "\x00", {"a": 1}, ["x"], 15550100999])
def test_what_is_no_plain_word_is_not_passed_on(words: object) -> None:
    body = compact(support.payload(support.change(None, field="account_update", event=words)))

    (notice,) = items(body).notices

    assert notice.details == {}


def test_the_restrictions_of_an_account_are_named() -> None:
    (notice,) = items(compact(load("webhooks/account-update-restriction.json"))).notices

    assert notice.details["restrictions"] == "RESTRICTED_BIZ_INITIATED_MESSAGING"


def test_an_odd_kind_of_change_is_called_other() -> None:
    (notice,) = items(compact(support.payload(support.change(None, field="<x>")))).notices

    assert notice.kind == "other"


def test_a_thousand_updates_in_one_body() -> None:
    found = items_of(*[support.status(id=f"wamid.{number}") for number in range(1000)])

    assert len(found.updates) == 1000
