"""Phone numbers, and the ids that WhatsApp gives."""

import pytest

from simulator.handsets.phone_numbers import is_e164
from simulator.meta import ids


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
    assert is_e164(value) is right


def test_message_ids_are_unique() -> None:
    assert len({ids.new_wamid("85251234567") for _ in range(100)}) == 100


def test_user_ids_differ_by_business_and_person() -> None:
    user_ids = {
        ids.business_scoped_user_id(business_account_id=business, wa_id=wa_id)
        for business in ("1", "2")
        for wa_id in ("85251234567", "299123456")
    }

    assert len(user_ids) == 4
    assert {item[:2] for item in user_ids} == {"HK", "ZZ"}
