"""The price table: which price a message has, and prices pasted as CSV."""

from datetime import date
from decimal import Decimal

import pytest
from django.core.exceptions import ValidationError

from stats import prices
from stats.models import Price
from stats.prices import Amount, PriceList

JAN, MAY, JUN = date(2026, 1, 1), date(2026, 5, 1), date(2026, 6, 1)


def price(
    amount: str, *, country: str = "", category: str = "", valid_from: date = JAN, **fields: str
) -> Price:
    values = {"provider": "meta", "currency": "USD"} | fields
    return Price(amount=Decimal(amount), country=country, category=category, valid_from=valid_from, **values)


def of(*rows: Price, country: str = "HK", category: str = "", on: date = MAY) -> Amount | None:
    return PriceList(rows).of(provider="meta", country=country, category=category, on=on)


def test_an_empty_table_knows_no_price() -> None:
    assert of() is None
    assert PriceList([]).cheapest(["twilio"], country="HK", currency="USD", on=MAY) is None


def test_the_country_s_own_price_comes_first() -> None:
    rows = (price("0.05"), price("0.01", country="HK"), price("0.02", category="authentication"))

    assert of(*rows) == Amount(micros=10_000, currency="USD")
    assert of(*rows, country="CO") == Amount(micros=20_000, currency="USD")
    assert of(*rows, country="CO", category="utility") == Amount(micros=50_000, currency="USD")


def test_a_category_s_own_price_comes_before_that_of_any() -> None:
    rows = (price("0.01", country="IN"), price("0.03", country="IN", category="authentication_international"))

    assert of(*rows, country="IN", category="authentication_international") == Amount(
        micros=30_000, currency="USD"
    )
    assert of(*rows, country="IN", category="authentication") == Amount(micros=10_000, currency="USD")


def test_a_price_is_valid_from_its_day_until_the_next() -> None:
    rows = (price("0.02", valid_from=MAY), price("0.01", valid_from=JAN))

    assert [of(*rows, on=day) for day in (JAN, date(2026, 4, 30), MAY, JUN)] == [
        Amount(micros=micros, currency="USD") for micros in (10_000, 10_000, 20_000, 20_000)
    ]
    assert of(*rows, on=date(2025, 12, 31)) is None


def test_one_provider_s_price_is_not_another_s() -> None:
    assert of(price("0.01", provider="twilio")) is None


def test_the_cheapest_of_some_providers_in_one_currency() -> None:
    rows = [
        price("0.05", provider="twilio"),
        price("0.04", provider="vonage"),
        price("0.01", provider="http", currency="EUR"),
    ]

    result = PriceList(rows).cheapest(["twilio", "vonage", "http"], country="HK", currency="USD", on=MAY)

    assert result == 40_000


# Pasted -------------------------------------------------------------------------------------------------

HEAD = "provider,country,category,amount,currency,valid_from\n"


@pytest.mark.django_db
def test_prices_are_pasted() -> None:
    text = HEAD + "meta,HK,authentication,0.0085,USD,2026-01-01\ntwilio, hk ,,0.0592,usd,2026-01-01\n"

    assert prices.paste(text) == 2

    rows = Price.objects.order_by("provider").values_list(
        "provider", "country", "category", "amount", "currency"
    )
    assert list(rows) == [
        ("meta", "HK", "authentication", Decimal("0.008500"), "USD"),
        ("twilio", "HK", "", Decimal("0.059200"), "USD"),
    ]


@pytest.mark.django_db
def test_the_same_again_replaces_the_amount() -> None:
    prices.paste(HEAD + "meta,HK,,0.1,USD,2026-01-01")
    prices.paste(HEAD + "meta,HK,,0.2,EUR,2026-01-01")

    row = Price.objects.get()
    assert (row.amount, row.currency) == (Decimal("0.2"), "EUR")


@pytest.mark.django_db
def test_columns_may_be_few_and_separated_by_semicolons() -> None:
    """As a spreadsheet writes them."""
    assert prices.paste("\ufeff Currency ;amount;PROVIDER\r\nUSD;1.5;twilio\r\n".lstrip("\ufeff")) == 1
    assert Price.objects.get().valid_from


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("line", "word"),
    [
        ("nobody,HK,,1,USD,2026-01-01", "provider"),
        ("meta,Hong Kong,,1,USD,2026-01-01", "country"),
        ("meta,HK,,one,USD,2026-01-01", "amount"),
        ("meta,HK,,-1,USD,2026-01-01", "amount"),
        ("meta,HK,,NaN,USD,2026-01-01", "amount"),
        ("meta,HK,,1e9,USD,2026-01-01", "amount"),
        ("meta,HK,,0.0000001,USD,2026-01-01", "amount"),
        ("meta,HK,,1,dollars,2026-01-01", "currency"),
        ("meta,HK,,,USD,2026-01-01", "amount"),
        ("meta,HK,,1,USD,soon", "valid_from"),
        ("meta,HK,a b,1,USD,2026-01-01", "category"),
        ("meta,HK,,1,USD", "number of columns"),
        ("meta,HK,,1,USD,2026-01-01,more", "number of columns"),
    ],
)
def test_a_wrong_line_is_named_and_nothing_is_stored(line: str, word: str) -> None:
    with pytest.raises(ValidationError) as raised:
        prices.paste(HEAD + "meta,HK,,1,USD,2026-01-01\n" + line)

    assert f"Line 3: {word}" in str(raised.value.messages[0]) or word in raised.value.messages[0]
    assert raised.value.messages[0].startswith("Line 3: ")
    assert not Price.objects.exists()


@pytest.mark.django_db
@pytest.mark.parametrize(
    "text", ["", "x", HEAD, "provider,amount\nmeta,1", HEAD.replace("category", "colour")]
)
def test_what_is_no_table_of_prices_is_refused(text: str) -> None:
    with pytest.raises(ValidationError):
        prices.paste(text)

    assert not Price.objects.exists()


@pytest.mark.django_db
def test_there_is_an_end_to_what_is_pasted(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(prices, "MOST_ROWS", 2)

    with pytest.raises(ValidationError, match="At most 2"):
        prices.paste(HEAD + "meta,HK,,1,USD,2026-01-01\n" * 3)
