"""What a Meta webhook says: everything that can be wrong with an item."""

import uuid
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from channels.providers.meta.codes import REASONS
from channels.types import FailureReason, Status
from tests.fixtures.load import compact, load
from tests.webhooks import support
from tests.webhooks.support import FIXTURE_SENDERS, items
from webhooks.errors import LeftOut
from webhooks.meta import items as meta_items


def items_of(*statuses: Any) -> meta_items.Items:
    return items(support.reporting(*statuses))


def test_a_delivered_report_in_full() -> None:
    delivery_id = uuid.uuid4()

    (update,) = items_of(support.status(biz_opaque_callback_data=str(delivery_id))).updates

    assert update.delivery_id == str(delivery_id)
    assert update.provider_message_id == support.WAMID
    assert update.status is Status.DELIVERED
    assert update.occurred_at == datetime(2026, 11, 23, 10, 0, 12, tzinfo=UTC)
    assert (update.reason, update.provider_code) == (None, "")


@pytest.mark.parametrize(
    ("pricing", "category"),
    [
        ({"billable": True, "category": "authentication"}, "authentication"),
        ({"billable": True, "category": "authentication-international"}, "authentication_international"),
        ({"billable": True, "category": "authentication_international"}, "authentication_international"),
        ({"billable": False, "category": "authentication", "type": "free_entry_point"}, "free"),
        ({"category": "UTILITY"}, "utility"),
        (None, ""),
        ("text", ""),
        ([], ""),
        ({"billable": True}, ""),
        ({"billable": "no", "category": 7}, ""),
        ({"category": "a" * 33}, ""),
        ({"category": "x\u0000"}, ""),
    ],
)
def test_what_a_message_is_billed_as(pricing: object, category: str) -> None:
    """A price that cannot be read costs no report."""
    (update,) = items_of(support.status("sent", pricing=pricing)).updates

    assert update.price_category == category


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

    assert (found.updates, found.left_out) == ([], {})


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
    ],
)
def test_one_broken_item_does_not_stop_the_others(broken: object) -> None:
    found = items_of(support.status("sent"), broken, support.status("read"))

    assert [update.status for update in found.updates] == [Status.SENT, Status.READ]
    assert found.left_out == {LeftOut.UNREADABLE: 1}


def test_each_report_of_a_body_has_its_own_time() -> None:
    """What several have in common is read once."""
    late = str(int(support.NOW.timestamp()) + 1)
    written = ["1795428012", "1795428013", "", "1795428012", late, "1795428013", ""]

    updates = items_of(*(support.status(timestamp=value) for value in written)).updates

    first, second = (datetime.fromtimestamp(1795428012 + nth, UTC) for nth in range(2))
    arrival = support.NOW
    assert [item.occurred_at for item in updates] == [first, second, arrival, first, arrival, second, arrival]


@pytest.mark.parametrize("timestamp", ["1795428012", 1795428012])
def test_a_timestamp_is_read_in_both_spellings(timestamp: object) -> None:
    (update,) = items_of(support.status(timestamp=timestamp)).updates

    assert update.occurred_at == datetime(2026, 11, 23, 10, 0, 12, tzinfo=UTC)


ABSENT = object()


@pytest.mark.parametrize("word", ["sent", "delivered", "read", "failed"])
@pytest.mark.parametrize(
    "timestamp",
    [
        ABSENT,
        None,
        "",
        " ",
        "yesterday",
        "2026-11-23T10:00:12Z",
        "1795428012000",
        1795428012000,
        1795428012.0,
        "1795428012.5",
        1.5,
        -1,
        "-1795428012",
        0,
        "0",
        "1",
        True,
        False,
        "9" * 10,
        "9" * 11,
        9999999999,
        10**30,
        "１７９５４２８０１２",
        [1795428012],
        {"seconds": 1795428012},
        int(support.NOW.timestamp()) + 1,
        int((support.NOW - meta_items.OLDEST).timestamp()) - 1,
    ],
)
def test_a_report_without_a_time_that_can_be_right_has_that_of_arrival(word: str, timestamp: object) -> None:
    """P8."""
    status = support.status(word)
    status["timestamp"] = timestamp
    if timestamp is ABSENT:
        del status["timestamp"]

    (update,) = items_of(status).updates

    assert (update.status.word, update.occurred_at) == (word, support.NOW)


@pytest.mark.parametrize("at", [support.NOW, support.NOW - timedelta(days=7)])
def test_the_times_that_meta_repeats_are_kept(at: datetime) -> None:
    (update,) = items_of(support.status(timestamp=str(int(at.timestamp())))).updates

    assert update.occurred_at == at


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

    assert (found.disavowals, found.left_out) == ([], {LeftOut.UNREADABLE: 1})


@pytest.mark.parametrize("button", [None, {}, {"payload": "OTHER"}, {"payload": None}, "text"])
def test_other_buttons_are_ignored(button: object) -> None:
    message = {"type": "button", "button": button, "context": {"id": support.WAMID}}

    found = items(compact(support.payload(support.change(messages=[message]))))

    assert (found.disavowals, found.left_out) == ([], {})


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


@pytest.mark.parametrize("changes", [1, 4])
def test_the_items_of_a_body_are_capped(changes: int) -> None:
    """P4: statuses and messages of all changes together."""
    each = (meta_items.MOST_ITEMS + 400) // changes // 2
    value: dict[str, Any] = {
        "statuses": [support.status(id=f"wamid.{number}") for number in range(each)],
        "messages": [{"type": "text"}] * each,
    }

    counted = items(compact(support.payload(*[support.change(**value)] * changes)))

    assert counted.left_out == {LeftOut.BEYOND_LIMIT: 400}
