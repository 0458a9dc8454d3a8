"""What messages cost and what WhatsApp saved, from sums and prices. Pure."""

from datetime import date
from decimal import Decimal
from typing import Any

from stats import costs
from stats.costs import Billed, Costs
from stats.models import Price
from stats.prices import PriceList

DAY = date(2026, 11, 20)


def billed(**fields: Any) -> Billed:
    values: dict[str, Any] = {
        "country": "HK", "channel": "whatsapp", "provider": "meta", "category": "authentication", "currency": "",
        "on": DAY, "priced": 0, "cost_micros": 0, "unpriced": 0, "instead_of_sms": 0,
    }  # fmt: skip
    return Billed(**(values | fields))


def sms(**fields: Any) -> Billed:
    return billed(**({"channel": "sms", "provider": "twilio", "category": ""} | fields))


def price(provider: str, amount: str, currency: str = "USD", **fields: Any) -> Price:
    return Price(
        provider=provider, amount=Decimal(amount), currency=currency, valid_from=date(2026, 1, 1), **fields
    )


def of(*rows: Billed, prices: tuple[Price, ...] = ()) -> Costs:
    return costs.add_up(rows, prices=PriceList(prices), sms_providers=["twilio", "vonage"])


def test_without_prices_messages_are_counted() -> None:
    result = of(billed(unpriced=7, instead_of_sms=7))

    assert (result.total_micros, result.unknown, result.uncompared) == ({}, 7, 7)
    (line,) = result.lines
    assert (line.messages, line.unknown, line.currency, line.micros) == (7, 7, "", 0)


def test_what_was_reported_comes_before_the_table() -> None:
    result = of(sms(priced=2, cost_micros=118_400, currency="USD"), prices=(price("twilio", "9"),))

    assert result.total_micros == {"USD": 118_400}
    assert result.lines[0].reported == 2


def test_the_table_prices_the_rest() -> None:
    result = of(
        sms(priced=2, cost_micros=118_400, currency="USD"), sms(unpriced=3), prices=(price("twilio", "0.06"),)
    )

    (line,) = result.lines
    assert (line.messages, line.reported, line.micros) == (5, 2, 298_400)


def test_currencies_are_never_mixed() -> None:
    result = of(
        billed(unpriced=10), sms(unpriced=1), prices=(price("meta", "0.01"), price("twilio", "0.05", "EUR"))
    )

    assert result.total_micros == {"USD": 100_000, "EUR": 50_000}


def test_the_international_rate_is_marked() -> None:
    rows = (
        billed(country="IN", category="authentication_international", unpriced=1),
        billed(country="IN", unpriced=1),
    )
    table = (
        price("meta", "0.0014", country="IN", category="authentication"),
        price("meta", "0.0304", country="IN", category="authentication_international"),
    )

    result = of(*rows, prices=table)

    assert [(line.is_international, line.micros) for line in result.lines] == [(True, 30_400), (False, 1_400)]


def test_the_dearest_comes_first() -> None:
    result = of(billed(unpriced=1), sms(unpriced=1), prices=(price("meta", "0.01"), price("twilio", "0.05")))

    assert [line.provider for line in result.lines] == ["twilio", "meta"]


def test_what_costs_nothing_has_no_line() -> None:
    assert of(billed(category="free", instead_of_sms=4)).lines == []


# Saved against SMS ----------------------------------------------------------------------------------------


def test_saved_is_the_sms_less_the_whatsapp() -> None:
    result = of(
        billed(unpriced=10, instead_of_sms=8), prices=(price("meta", "0.01"), price("twilio", "0.05"))
    )

    assert result.saved_micros == {"USD": 8 * 40_000}
    assert result.uncompared == 0


def test_paid_sms_of_the_country_come_before_the_table() -> None:
    result = of(
        billed(unpriced=1, instead_of_sms=1),
        sms(priced=4, cost_micros=240_000, currency="USD"),
        sms(country="CO", priced=1, cost_micros=1, currency="USD"),
        prices=(price("meta", "0.01"), price("twilio", "0.02")),
    )

    assert result.saved_micros == {"USD": 50_000}


def test_the_lowest_sms_price_is_taken() -> None:
    """So that nothing is promised."""
    table = (price("meta", "0.01"), price("twilio", "0.05"), price("vonage", "0.03"))

    assert of(billed(unpriced=1, instead_of_sms=1), prices=table).saved_micros == {"USD": 20_000}


def test_it_can_be_a_loss() -> None:
    table = (price("meta", "0.136"), price("twilio", "0.05"))

    assert of(billed(unpriced=1, instead_of_sms=1), prices=table).saved_micros == {"USD": -86_000}


def test_a_free_message_saves_the_whole_sms() -> None:
    table = (price("meta", "0.01"), price("twilio", "0.05"))

    assert of(billed(category="free", instead_of_sms=2), prices=table).saved_micros == {"USD": 100_000}


def test_other_currencies_and_unknown_prices_are_not_compared() -> None:
    assert of(billed(unpriced=1, instead_of_sms=1), prices=(price("meta", "0.01"),)).uncompared == 1
    both = (price("meta", "0.01"), price("twilio", "0.05", "EUR"))
    result = of(billed(unpriced=1, instead_of_sms=1), prices=both)
    assert (result.uncompared, result.saved_micros) == (1, {})


def test_a_reported_amount_of_whatsapp_is_its_price() -> None:
    row = billed(priced=4, cost_micros=40_000, currency="USD", instead_of_sms=4)

    assert of(row, prices=(price("twilio", "0.05"),)).saved_micros == {"USD": 160_000}
