"""More app secrets than can all be tried for one body (P4)."""

import json
from typing import Any

import pytest

from channels.base import SenderConfig
from tests.fixtures.load import compact
from tests.webhooks import support
from tests.webhooks.support import (
    OTHER_ACCOUNT,
    OTHER_NUMBER,
    SECRET,
    signed,
    trusted,
)
from webhooks.errors import Untrusted
from webhooks.meta import authentication


def many(count: int, **fields: Any) -> list[SenderConfig[Any]]:
    """Senders of other people, each with an app of its own."""
    return [
        support.sender(
            phone_number_id=f"7{n:014}",
            business_account_id=f"8{n:014}",
            app_secrets=(f"secret {n}",),
            **fields,
        )
        for n in range(count)
    ]


def tried(body: bytes, senders: list[SenderConfig[Any]], monkeypatch: pytest.MonkeyPatch) -> list[str]:
    seen: list[str] = []
    monkeypatch.setattr(authentication, "sign", lambda secret, body: seen.append(secret) or "")  # type: ignore[func-returns-value]
    with pytest.raises(Untrusted):
        authentication.authenticate(body, signature=signed(body), senders=senders)
    return seen


@pytest.mark.parametrize("spaced", [True, False])
@pytest.mark.parametrize("by_number", [True, False])
def test_of_many_secrets_those_of_the_named_accounts_are_tried(spaced: bool, by_number: bool) -> None:
    """P3: also when a foreign account of a megabyte stands before ours."""
    foreign = support.payload(
        support.change(OTHER_NUMBER, statuses=[support.status(padding="x" * 500)] * 2000), account="0"
    )["entry"]
    ours = support.payload(support.change(statuses=[support.status()]))["entry"]
    document = {"object": "whatsapp_business_account", "entry": [*foreign, *ours]}
    body = json.dumps(document, indent=1).encode() if spaced else compact(document)
    sender = support.sender(**({"business_account_id": ""} if by_number else {}))

    (change,) = trusted(body, [*many(100), sender])

    assert change.sender_ids == (sender.id,)


def test_of_many_secrets_only_a_few_are_ever_tried(monkeypatch: pytest.MonkeyPatch) -> None:
    """P4: a large body that names everybody costs no more."""
    senders = many(100)
    entries = [{"id": sender.settings.business_account_id, "changes": []} for sender in reversed(senders)]
    body = compact({"object": "whatsapp_business_account", "entry": entries, "x": "x" * 1024 * 1024})

    assert tried(body, senders, monkeypatch) == [
        f"secret {n}" for n in range(99, 99 - authentication.MOST_SECRETS, -1)
    ]


@pytest.mark.parametrize("size", [2, 60_000, 500_000, 4_000_000])
def test_of_many_secrets_no_more_are_tried_than_the_work_allows(
    size: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """P4: neither a small body nor a large one buys more hashing than sixteen secrets over the largest one."""
    number = len(tried(b" " * size, many(5000), monkeypatch))

    assert number >= authentication.MOST_SECRETS
    assert number * size <= authentication.MOST_SECRETS * 4 * 1024 * 1024
    assert number < 5000


@pytest.mark.parametrize("account", ["0", OTHER_ACCOUNT])
@pytest.mark.parametrize("place", [0, 20, 99])
def test_of_many_secrets_a_small_post_about_others_alone_is_genuine_too(account: str, place: int) -> None:
    """P3: Meta's Test button names the account "0" and a number of its own, however many apps there are here."""
    body = compact(support.payload(support.change("123456123", statuses=[support.status()]), account=account))
    senders = many(100)
    senders[place] = support.sender()

    assert trusted(body, senders) == []


def test_sixteen_secrets_are_all_tried_whatever_the_body_names(monkeypatch: pytest.MonkeyPatch) -> None:
    large = b" " * 4_000_000
    assert len(tried(large, many(16), monkeypatch)) == 16
    assert len(tried(large, many(17), monkeypatch)) == 16


def test_a_secret_that_many_senders_share_is_one(monkeypatch: pytest.MonkeyPatch) -> None:
    shared = [support.sender(phone_number_id=str(n)) for n in range(100)]

    assert tried(b"{}", shared, monkeypatch) == [SECRET]
