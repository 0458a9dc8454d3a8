"""A price as a provider writes it, in our units."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from channels import prices
from channels.prices import PricePage, ReportedPrice


@pytest.mark.parametrize(
    ("amount", "currency", "micros", "code"),
    [
        ("-0.00790", "USD", 7_900, "USD"),
        ("-0.00790", "usd", 7_900, "USD"),
        ("0.05", "EUR", 50_000, "EUR"),
        ("-1", "USD", 1_000_000, "USD"),
        ("0", "USD", 0, "USD"),
        ("-0.00000", "USD", 0, "USD"),
        ("-0.0000015", "USD", 2, "USD"),
        ("-999999999.999999", "JPY", 999_999_999_999_999, "JPY"),
    ],
)
def test_an_amount_is_positive_and_in_millionths(amount: str, currency: str, micros: int, code: str) -> None:
    price = prices.reported("SM1", amount, currency)

    assert price == ReportedPrice(provider_message_id="SM1", micros=micros, currency=code)


@pytest.mark.parametrize(
    ("amount", "currency"),
    [
        (None, None),
        (None, "USD"),
        ("-0.00790", None),
        ("", "USD"),
        (-0.0079, "USD"),
        (True, "USD"),
        ("0,0079", "USD"),
        ("1e3", "USD"),
        ("--1", "USD"),
        ("NaN", "USD"),
        ("٣", "USD"),
        ("-1\n", "USD"),
        ("1234567890", "USD"),
        ("-0.0079", "US"),
        ("-0.0079", "DOLLAR"),
        ("-0.0079", "U$D"),
        ("-0.0079", "USD\n"),
        ("-0.0079", ["USD"]),
        ({}, "USD"),
    ],
)
def test_what_is_no_price_is_not_known(amount: object, currency: object) -> None:
    assert prices.reported("SM1", amount, currency) is None


@settings(deadline=None, max_examples=100)
@given(st.text(max_size=20), st.text(max_size=5))
def test_no_text_breaks_it(amount: str, currency: str) -> None:
    price = prices.reported("SM1", amount, currency)

    assert price is None or (0 <= price.micros < 2**63 and len(price.currency) == 3)


def test_ids_and_addresses_are_not_printed() -> None:
    price = prices.reported("SM1-the-id", "-0.01", "USD")
    assert price

    assert "SM1-the-id" not in repr(price)
    assert "token" not in repr(PricePage(prices=(), next_page="PageToken=token"))
