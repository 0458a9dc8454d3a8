"""Whose a Meta webhook is, by its signature. D7."""

import json
import uuid
from typing import Any

import pytest

from tests.fixtures.load import compact, load
from tests.webhooks import support
from tests.webhooks.support import (
    ACCOUNT,
    FIXTURE_SENDERS,
    OTHER_ACCOUNT,
    OTHER_NUMBER,
    OTHER_SECRET,
    SECRET,
    items,
    signed,
    trusted,
)
from webhooks.errors import LeftOut, Untrusted
from webhooks.meta import authentication
from webhooks.meta import items as meta_items

VECTORS = load("webhooks-signature-vectors.json")


@pytest.mark.parametrize("vector", [item for item in VECTORS["vectors"] if "fixture" in item])
def test_published_signatures_verify(vector: dict[str, Any]) -> None:
    body = compact(load(vector["fixture"]))
    if "slashes" in vector["encoding"]:
        body = body.replace(b"/", b"\\/")
    assert len(body) == vector["body_length"]

    assert authentication.sign(VECTORS["app_secret"], body) == vector["x_hub_signature_256"]
    assert trusted(body, FIXTURE_SENDERS, vector["x_hub_signature_256"])


def test_a_body_made_again_does_not_verify() -> None:
    """The bytes are signed, not the object: `\\u00e4` and `ä` are the same JSON and different bodies."""
    received, remade = (item for item in VECTORS["vectors"] if "raw_body" in item)
    secret = VECTORS["app_secret"]

    assert json.loads(received["raw_body"]) == json.loads(remade["raw_body"])
    assert authentication.sign(secret, received["raw_body"].encode()) == received["x_hub_signature_256"]
    assert authentication.sign(secret, remade["raw_body"].encode()) == remade["x_hub_signature_256"]
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


def test_nobody_can_sign_where_there_is_no_sender() -> None:
    with pytest.raises(Untrusted, match="wrong_signature"):
        trusted(support.reporting(support.status()), [])


def test_an_account_that_nobody_has_is_left_out() -> None:
    """P3: the same app, so the signature is right."""
    other = support.sender(phone_number_id="1", business_account_id="2")

    claimed = support.claimed(support.reporting(support.status()), [other])

    assert (claimed.changes, claimed.left_out) == ([], {LeftOut.FOREIGN_ACCOUNT: 1})


# P3 -------------------------------------------------------------------------------------------------


def test_a_right_secret_of_another_account_opens_nothing() -> None:
    """An attacker's own app is a sender of ours too; the victim's reports are not its to make."""
    victim = support.sender(app_secrets=(OTHER_SECRET,))
    attacker = support.sender(phone_number_id=OTHER_NUMBER, business_account_id=OTHER_ACCOUNT)

    claimed = support.claimed(support.reporting(support.status()), [victim, attacker])

    assert (claimed.changes, claimed.left_out) == ([], {LeftOut.FOREIGN_ACCOUNT: 1})


FOREIGN_ENTRIES: list[Any] = [
    support.payload(support.change(OTHER_NUMBER, statuses=[support.status()]), account=OTHER_ACCOUNT)[
        "entry"
    ][0],
    support.payload(support.change("123456123", messages=[{"type": "text"}]), account="0")["entry"][
        0
    ],  # Test
    support.payload(support.change(None, field="account_update", event="X"), account=OTHER_ACCOUNT)["entry"][
        0
    ],
    support.payload(support.change(statuses=[support.status()]), account=OTHER_ACCOUNT)["entry"][0],
    {"id": OTHER_ACCOUNT, "changes": []},
    {"id": "0", "time": 1},
    {},
    5,
    None,
    "text",
    [],
]


@pytest.mark.parametrize("foreign", FOREIGN_ENTRIES)
@pytest.mark.parametrize("order", [1, -1])
def test_what_is_foreign_is_left_out_and_ours_is_kept(foreign: object, order: int) -> None:
    ours = support.payload(support.change(statuses=[support.status()]))["entry"]
    body = compact({"object": "whatsapp_business_account", "entry": [*ours, foreign][::order]})
    other = support.sender(
        phone_number_id=OTHER_NUMBER, business_account_id=OTHER_ACCOUNT, app_secrets=(OTHER_SECRET,)
    )
    sender = support.sender()

    for senders in ([sender], [sender, other], [other, sender]):
        (change,) = trusted(body, senders)
        assert change.sender_ids == (sender.id,)
        assert [update.sender_ids for update in items(body, senders).updates] == [(sender.id,)]


def test_our_number_in_a_foreign_account_is_not_ours() -> None:
    body = compact(support.payload(support.change(statuses=[support.status()]), account=OTHER_ACCOUNT))

    assert support.claimed(body, [support.sender()]).left_out == {LeftOut.FOREIGN_ACCOUNT: 1}


@pytest.mark.parametrize("secret", [OTHER_SECRET, SECRET])
def test_a_foreign_number_in_our_account_is_left_out(secret: str) -> None:
    """Meta reports on all numbers of an account, also those that we do not use, or use elsewhere."""
    other = support.sender(
        phone_number_id=OTHER_NUMBER, business_account_id=OTHER_ACCOUNT, app_secrets=(secret,)
    )
    body = compact(support.payload(support.change(OTHER_NUMBER, statuses=[support.status()])))

    for senders in ([support.sender()], [support.sender(), other]):
        claimed = support.claimed(body, senders)
        assert (claimed.changes, claimed.left_out) == ([], {LeftOut.FOREIGN_NUMBER: 1})


def test_news_of_an_account_are_about_all_its_senders_of_that_secret() -> None:
    first, second = support.sender(), support.sender(phone_number_id=support.SECOND_NUMBER)
    elsewhere = support.sender(app_secrets=(OTHER_SECRET,))
    body = compact(support.payload(support.change(None, field="account_update", event="X")))

    (change,) = trusted(body, [first, second, elsewhere])

    assert set(change.sender_ids) == {first.id, second.id}


def test_a_number_of_our_account_under_another_apps_secret_is_about_nobody() -> None:
    """Two apps on one account are both told about all its numbers."""
    other = support.sender(phone_number_id=support.SECOND_NUMBER, app_secrets=(OTHER_SECRET,))
    body = compact(support.payload(support.change(support.SECOND_NUMBER, statuses=[support.status()])))

    assert support.claimed(body, [support.sender(), other]).left_out == {LeftOut.FOREIGN_NUMBER: 1}


def test_senders_that_share_a_number_are_all_meant() -> None:
    shared, own = support.sender(), support.sender(project_id=uuid.uuid4())
    stale = support.sender(project_id=uuid.uuid4(), app_secrets=(OTHER_SECRET,))

    (change,) = trusted(support.reporting(support.status()), [shared, own, stale])

    assert set(change.sender_ids) == {shared.id, own.id}


def test_a_sender_without_an_account_id_is_known_by_its_number() -> None:
    nameless = support.sender(business_account_id="")

    (change,) = trusted(support.reporting(support.status()), [nameless])
    assert change.sender_ids == (nameless.id,)

    assert trusted(compact(support.payload(support.change(None, field="account_update"))), [nameless]) == []


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
def test_a_body_that_names_no_account_says_nothing(entry: object) -> None:
    body = compact({"object": "whatsapp_business_account", "entry": entry})
    senders = [support.sender(), support.sender(business_account_id="", phone_number_id="")]

    assert items(body, senders) == meta_items.Items()


@pytest.mark.parametrize("account", ["", None, True, [ACCOUNT]])
def test_an_empty_name_is_nobodys(account: object) -> None:
    """A sender whose ids were never typed owns nothing."""
    entry = {
        "id": account,
        "changes": [support.change("", statuses=[support.status()]), {"field": "account_update"}],
    }
    body = compact({"object": "whatsapp_business_account", "entry": [entry]})

    assert trusted(body, [support.sender(business_account_id="", phone_number_id="")]) == []


@pytest.mark.parametrize("changes", [None, [], {}, "text", [None, 5]])
def test_an_entry_without_changes_says_nothing(changes: object) -> None:
    body = compact({"object": "whatsapp_business_account", "entry": [{"id": ACCOUNT, "changes": changes}]})

    assert items(body) == meta_items.Items()


def test_a_body_is_hashed_once_for_each_secret(monkeypatch: pytest.MonkeyPatch) -> None:
    """D10: many senders of one app, and other people's senders, cost nothing."""
    seen: list[str] = []
    sign = authentication.sign

    def counted(secret: str, body: bytes) -> str:
        seen.append(secret)
        return sign(secret, body)

    monkeypatch.setattr(authentication, "sign", counted)
    ours = [support.sender(app_secrets=(SECRET, OTHER_SECRET)) for _ in range(50)]
    others = [support.sender(phone_number_id=f"{n}", business_account_id=f"{n}") for n in range(50)]

    trusted(support.reporting(*[support.status()] * 20), [*others, *ours])

    assert sorted(seen) == sorted([SECRET, OTHER_SECRET])
