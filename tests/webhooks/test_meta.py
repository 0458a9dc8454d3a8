"""Whose webhook it is, and what it says: every captured body, and everything that can be wrong with one."""

import json
import uuid
from datetime import UTC, datetime
from typing import Any

import pytest

from channels.backends.whatsapp import REASONS
from channels.base import SenderConfig
from channels.types import FailureReason, Status
from tests.fixtures.load import compact, load, names
from tests.webhooks import support
from tests.webhooks.support import ACCOUNT, NUMBER, OTHER_ACCOUNT, OTHER_NUMBER, OTHER_SECRET, SECRET, signed
from webhooks import meta, meta_items
from webhooks.errors import Malformed, Untrusted

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
VECTORS = load("webhooks-signature-vectors.json")
FIXTURE_SENDERS = [
    support.sender(),
    support.sender(phone_number_id=support.SECOND_NUMBER),
    support.sender(phone_number_id=OTHER_NUMBER, business_account_id=OTHER_ACCOUNT),
]


def trusted(
    body: bytes, senders: list[SenderConfig], signature: str | None = None
) -> list[meta.TrustedChange]:
    return meta.authenticate(
        meta.read(body),
        body=body,
        signature=signed(body) if signature is None else signature,
        senders=senders,
    )


def items(body: bytes, senders: list[SenderConfig] | None = None) -> meta_items.Items:
    return meta_items.translate(trusted(body, senders or [support.sender()]))


def items_of(*statuses: Any) -> meta_items.Items:
    return items(support.reporting(*statuses))


# Every captured body --------------------------------------------------------------------------------


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


# Whose it is: D7 ------------------------------------------------------------------------------------


@pytest.mark.parametrize("vector", [item for item in VECTORS["vectors"] if "fixture" in item])
def test_published_signatures_verify(vector: dict[str, Any]) -> None:
    body = compact(load(vector["fixture"]))
    if "slashes" in vector["encoding"]:
        body = body.replace(b"/", b"\\/")
    assert len(body) == vector["body_length"]

    assert meta.sign(VECTORS["app_secret"], body) == vector["x_hub_signature_256"]
    assert trusted(body, FIXTURE_SENDERS, vector["x_hub_signature_256"])


def test_a_body_made_again_does_not_verify() -> None:
    """The bytes are signed, not the object: `\\u00e4` and `ä` are the same JSON and different bodies."""
    received, remade = (item for item in VECTORS["vectors"] if "raw_body" in item)
    secret = VECTORS["app_secret"]

    assert json.loads(received["raw_body"]) == json.loads(remade["raw_body"])
    assert meta.sign(secret, received["raw_body"].encode()) == received["x_hub_signature_256"]
    assert meta.sign(secret, remade["raw_body"].encode()) == remade["x_hub_signature_256"]
    assert received["x_hub_signature_256"] != remade["x_hub_signature_256"]


def test_one_changed_byte_is_noticed() -> None:
    body = support.reporting(support.status())
    altered = body.replace(b"delivered", b"delivereD")

    with pytest.raises(Untrusted, match="wrong_signature"):
        trusted(altered, [support.sender()], signed(body))


@pytest.mark.parametrize(
    "signature",
    [
        "",
        "sha256=",
        "sha256=" + "0" * 63,
        "sha256=" + "0" * 65,
        "sha256=" + "g" * 64,
        "sha1=" + "0" * 40,
        "0" * 64,
        "sha256=" + "０" * 64,
        "sha256=" + "0" * 64 + "\n",
    ],
)
def test_what_is_no_signature(signature: str) -> None:
    with pytest.raises(Untrusted, match="no_signature"):
        trusted(support.reporting(support.status()), [support.sender()], signature)


@pytest.mark.parametrize("secrets", [(SECRET,), (SECRET, OTHER_SECRET), (OTHER_SECRET, SECRET)])
def test_both_secrets_count_during_rotation(secrets: tuple[str, ...]) -> None:
    body = support.reporting(support.status())

    assert trusted(body, [support.sender(app_secrets=secrets)])


@pytest.mark.parametrize("secrets", [(), (OTHER_SECRET,)])
def test_another_secret_does_not_count(secrets: tuple[str, ...]) -> None:
    with pytest.raises(Untrusted, match="wrong_signature"):
        trusted(support.reporting(support.status()), [support.sender(app_secrets=secrets)])


def test_an_empty_secret_signs_nothing() -> None:
    body = support.reporting(support.status())

    with pytest.raises(Untrusted):
        trusted(body, [support.sender(app_secrets=())], signed(body, ""))


@pytest.mark.parametrize("senders", [[], [support.sender(phone_number_id="1", business_account_id="2")]])
def test_an_account_that_nobody_has(senders: list[SenderConfig]) -> None:
    with pytest.raises(Untrusted, match="unknown_account"):
        trusted(support.reporting(support.status()), senders)


def test_a_right_signature_of_another_account() -> None:
    """Its own secret opens no other account."""
    victim = support.sender(app_secrets=(OTHER_SECRET,))
    attacker = support.sender(phone_number_id=OTHER_NUMBER, business_account_id=OTHER_ACCOUNT)

    with pytest.raises(Untrusted, match="wrong_signature"):
        trusted(support.reporting(support.status()), [victim, attacker])


@pytest.mark.parametrize("order", [1, -1])
def test_one_foreign_entry_spoils_the_batch(order: int) -> None:
    ours = support.payload(support.change(statuses=[support.status()]))["entry"]
    foreign = support.payload(support.change(OTHER_NUMBER), account=OTHER_ACCOUNT)["entry"]
    body = compact({"object": "whatsapp_business_account", "entry": [*ours, *foreign][::order]})
    other = support.sender(
        phone_number_id=OTHER_NUMBER, business_account_id=OTHER_ACCOUNT, app_secrets=(OTHER_SECRET,)
    )

    for senders in ([support.sender()], [support.sender(), other]):
        with pytest.raises(Untrusted):
            trusted(body, senders)


def test_our_number_in_a_foreign_account_is_not_ours() -> None:
    body = compact(support.payload(support.change(statuses=[support.status()]), account=OTHER_ACCOUNT))

    with pytest.raises(Untrusted, match="unknown_account"):
        trusted(body, [support.sender()])


def test_a_foreign_number_in_our_account_is_refused() -> None:
    """It belongs to another account, and its sender's secret did not sign."""
    other = support.sender(
        phone_number_id=OTHER_NUMBER, business_account_id=OTHER_ACCOUNT, app_secrets=(OTHER_SECRET,)
    )
    body = compact(support.payload(support.change(OTHER_NUMBER, statuses=[support.status()])))

    with pytest.raises(Untrusted, match="foreign_number"):
        trusted(body, [support.sender(), other])


def test_an_unknown_number_in_our_account_is_accepted_and_about_nobody() -> None:
    """Meta reports on all numbers of an account, also those that we do not use."""
    body = compact(support.payload(support.change("999", statuses=[support.status()])))

    (change,) = trusted(body, [support.sender()])

    assert change.sender_ids == ()
    assert items(body).updates == []


def test_a_number_of_our_account_under_another_apps_secret_is_about_nobody() -> None:
    """Two apps on one account are both told about all its numbers."""
    other = support.sender(phone_number_id=support.SECOND_NUMBER, app_secrets=(OTHER_SECRET,))
    body = compact(support.payload(support.change(support.SECOND_NUMBER, statuses=[support.status()])))

    (change,) = trusted(body, [support.sender(), other])

    assert change.sender_ids == ()


def test_senders_that_share_a_number_are_all_meant() -> None:
    shared, own = support.sender(), support.sender(project_id=uuid.uuid4())
    stale = support.sender(project_id=uuid.uuid4(), app_secrets=(OTHER_SECRET,))

    (change,) = trusted(support.reporting(support.status()), [shared, own, stale])

    assert set(change.sender_ids) == {shared.id, own.id}


def test_a_sender_without_an_account_id_is_known_by_its_number() -> None:
    nameless = support.sender(business_account_id="")

    (change,) = trusted(support.reporting(support.status()), [nameless])
    assert change.sender_ids == (nameless.id,)

    with pytest.raises(Untrusted):
        trusted(compact(support.payload(support.change(None, field="account_update"))), [nameless])


def test_ids_may_be_numbers() -> None:
    body = compact(
        {
            "object": "whatsapp_business_account",
            "entry": [{"id": int(ACCOUNT), "changes": [support.change(statuses=[support.status()])]}],
        }
    )

    assert items(body).updates


@pytest.mark.parametrize(
    "entry", [[], [{}], [{"id": None}], [{"id": ""}], [{"id": True}], [{"id": [ACCOUNT]}]]
)
def test_a_body_that_names_no_account(entry: object) -> None:
    body = compact({"object": "whatsapp_business_account", "entry": entry})

    with pytest.raises(Untrusted):
        trusted(body, [support.sender(), support.sender(business_account_id="", phone_number_id="")])


@pytest.mark.parametrize("changes", [None, [], {}, "text", [None, 5]])
def test_an_entry_without_changes_must_be_ours_all_the_same(changes: object) -> None:
    body = compact({"object": "whatsapp_business_account", "entry": [{"id": ACCOUNT, "changes": changes}]})

    assert items(body) == meta_items.Items()
    with pytest.raises(Untrusted):
        trusted(body, [support.sender(business_account_id=OTHER_ACCOUNT)])


def test_a_body_is_hashed_once_for_each_secret(monkeypatch: pytest.MonkeyPatch) -> None:
    """D10: many senders of one app, and other people's senders, cost nothing."""
    seen: list[str] = []
    sign = meta.sign
    monkeypatch.setattr(meta, "sign", lambda secret, body: seen.append(secret) or sign(secret, body))  # type: ignore[func-returns-value]
    ours = [support.sender(app_secrets=(SECRET, OTHER_SECRET)) for _ in range(50)]
    others = [support.sender(phone_number_id=f"{n}", business_account_id=f"{n}") for n in range(50)]

    trusted(support.reporting(*[support.status()] * 20), [*others, *ours])

    assert sorted(seen) == sorted([SECRET, OTHER_SECRET])


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"hub.mode=subscribe",
        b"{",
        b"\xff\xfe",
        b"null",
        b"5",
        b"[]",
        b"{}",
        b'"whatsapp_business_account"',
        b'{"object": "page", "entry": []}',
        b'{"object": ["whatsapp_business_account"], "entry": []}',
        b'{"object": "whatsapp_business_account"}',
        b'{"object": "whatsapp_business_account", "entry": {}}',
        b'{"object": "whatsapp_business_account", "entry": [5]}',
        b"[" * 100_000,
        b'{"a":' * 100_000,
        b"9" * 100_000,
    ],
    ids=lambda body: repr(body[:30]),
)
def test_what_is_no_webhook(body: bytes) -> None:
    """D10: hostile nesting and endless digits are refused like anything else that is not JSON."""
    with pytest.raises(Malformed):
        meta.read(body)


@pytest.mark.parametrize("value", [None, 5, "text", [], {"metadata": None}, {"metadata": []}])
def test_a_change_of_an_odd_shape_says_nothing(value: object) -> None:
    body = compact(support.payload({"field": "messages", "value": value}))

    assert items(body) == meta_items.Items()


def test_a_change_is_not_shown_with_its_content() -> None:
    (change,) = meta.read(support.reporting(support.status()))

    assert "5215550100123" not in repr(change)
    assert (change.account_id, change.phone_number_id) == (ACCOUNT, NUMBER)
