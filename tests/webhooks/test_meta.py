"""Whose a Meta webhook is, by its signature. D7."""

import json
import uuid
from typing import Any

import pytest

from channels.base import SenderConfig
from tests.fixtures.load import compact, load
from tests.webhooks import support
from tests.webhooks.support import (
    ACCOUNT,
    FIXTURE_SENDERS,
    NUMBER,
    OTHER_ACCOUNT,
    OTHER_NUMBER,
    OTHER_SECRET,
    SECRET,
    items,
    signed,
    trusted,
)
from webhooks import meta, meta_items
from webhooks.errors import Malformed, Untrusted

VECTORS = load("webhooks-signature-vectors.json")


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
