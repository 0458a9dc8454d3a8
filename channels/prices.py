"""What messages cost, where a provider tells it only when it is asked for them later: the question and one page of the
answer. Pure."""

import re
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal

_AMOUNT = re.compile(r"-?(\d{1,9}(?:\.\d{1,12})?)\Z", re.ASCII)
_CURRENCY = re.compile(r"[A-Z]{3}\Z")


@dataclass(frozen=True, kw_only=True)
class PriceQuery:
    """Messages of one account that were sent from `first` to `last`, both included, UTC, at most so many on a page.
    `page`: where an earlier page said that the list goes on; "": at its beginning."""

    first: datetime
    last: datetime
    most: int
    page: str = ""


@dataclass(frozen=True, kw_only=True)
class ReportedPrice:
    provider_message_id: str = field(repr=False)
    micros: int  # millionths of the currency, never negative
    currency: str  # ISO 4217


@dataclass(frozen=True, kw_only=True)
class PricePage:
    """Those of a page's messages whose price is known. `next_page`: for `PriceQuery.page`; "": this is the last one."""

    prices: tuple[ReportedPrice, ...]
    next_page: str = field(default="", repr=False)


def reported(message_id: str, amount: object, currency: object) -> ReportedPrice | None:
    """The price in our units, whatever its sign; None when it is not known yet, or is none."""
    if not isinstance(amount, str) or not isinstance(currency, str):
        return None
    number, code = _AMOUNT.match(amount), currency.upper()
    if number is None or not _CURRENCY.match(code):
        return None
    micros = round(Decimal(number[1]) * 1_000_000)
    return ReportedPrice(provider_message_id=message_id, micros=micros, currency=code)
