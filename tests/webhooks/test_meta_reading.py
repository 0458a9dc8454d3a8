"""Bodies of Meta's webhook that are odd, or about something else."""

import pytest
from pydantic_core import from_json

from tests.fixtures.load import compact
from tests.webhooks import support
from tests.webhooks.support import (
    ACCOUNT,
    NUMBER,
    items,
)
from webhooks.errors import LeftOut, Malformed
from webhooks.meta import authentication
from webhooks.meta import items as meta_items


@pytest.mark.parametrize(
    "body",
    [b"", b"hub.mode=subscribe", b"{", b"\xff\xfe", b"[" * 100_000, b'{"a":' * 100_000, b"9" * 100_000],
    ids=lambda body: repr(body[:30]),
)
def test_what_is_no_json(body: bytes) -> None:
    """D10: hostile nesting and endless digits are refused like anything else that is not JSON."""
    with pytest.raises(Malformed):
        authentication.read(body)


@pytest.mark.parametrize("encoding", ["ascii", "utf-16"])
def test_what_only_the_standard_library_parses_is_read(encoding: str) -> None:
    """A genuine post with half a surrogate pair in a name, or in another encoding, is not refused."""
    entry = '{"id": "1", "changes": [{"field": "messages", "value": {"name": "\\ud800"}}]}'
    body = f'{{"object": "whatsapp_business_account", "entry": [{entry}]}}'.encode(encoding)
    with pytest.raises(ValueError, match="at line 1"):
        from_json(body)

    (change,) = authentication.read(body).changes

    assert (change.account_id, change.kind, change.value) == ("1", "messages", {"name": "\ud800"})


@pytest.mark.parametrize(
    "body",
    [
        b"null",
        b"5",
        b"[]",
        b"{}",
        b'"whatsapp_business_account"',
        b'{"object": "page", "entry": []}',
        b'{"object": "instagram", "entry": [{"id": "220011223344556", "changes": []}]}',
        b'{"object": ["whatsapp_business_account"], "entry": []}',
        b'{"object": "whatsapp_business_account"}',
        b'{"object": "whatsapp_business_account", "entry": {}}',
    ],
)
def test_a_genuine_post_about_something_else_is_left_out(body: bytes) -> None:
    """P3: the app may be subscribed to pages and more; refused, it comes again for days."""
    reading = authentication.read(body)

    assert (reading.changes, reading.left_out) == ((), {LeftOut.FOREIGN_OBJECT: 1})


def test_entries_and_changes_are_capped() -> None:
    """P4: what is beyond is counted, and not looked at."""
    entry = {"id": ACCOUNT, "changes": [support.change()] * 3}
    body = compact({"object": "whatsapp_business_account", "entry": [entry] * 1500})

    reading = authentication.read(body)

    assert len(reading.changes) == authentication.MOST_CHANGES
    beyond = (
        3 * authentication.MOST_ENTRIES - authentication.MOST_CHANGES + (1500 - authentication.MOST_ENTRIES)
    )
    assert reading.left_out == {LeftOut.BEYOND_LIMIT: beyond}


def test_a_genuine_body_of_a_million_empty_entries_is_counted() -> None:
    """P4."""
    count = 1_000_000
    body = b'{"object":"whatsapp_business_account","entry":[' + b"{}," * (count - 1) + b"{}]}"

    assert authentication.read(body).left_out == {
        LeftOut.UNREADABLE: authentication.MOST_ENTRIES,
        LeftOut.BEYOND_LIMIT: count - authentication.MOST_ENTRIES,
    }


@pytest.mark.parametrize("value", [None, 5, "text", [], {"metadata": None}, {"metadata": []}])
def test_a_change_of_an_odd_shape_says_nothing(value: object) -> None:
    body = compact(support.payload({"field": "messages", "value": value}))

    assert items(body) == meta_items.Items()


def test_a_change_is_not_shown_with_its_content() -> None:
    (change,) = authentication.read(support.reporting(support.status())).changes

    assert "5215550100123" not in repr(change)
    assert (change.account_id, change.phone_number_id) == (ACCOUNT, NUMBER)
