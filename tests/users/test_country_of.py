"""The country of a stored number."""

import pytest

from users.phones import country_of


@pytest.mark.parametrize(
    ("number", "country"),
    [
        ("+85251234567", "HK"), ("+919812345678", "IN"), ("+14155550132", "US"), ("+14165550132", "CA"), ("+447400123456", "GB"),
        ("+447797712345", "JE"), ("+881612345678", ""), ("+999", ""), ("nothing", ""), ("", ""),
    ],
)  # fmt: skip
def test_of_each_number_and_of_what_is_none_any_more(number: str, country: str) -> None:
    assert country_of(number) == country
