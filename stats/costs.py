"""What messages cost: as reported, else as the price table says, else unknown and counted. Pure.

Currencies are never mixed: there is one sum for each.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date

from channels.types import FREE, Channel
from stats.prices import Amount, PriceList

INTERNATIONAL = "authentication_international"


@dataclass(frozen=True, kw_only=True)
class Billed:
    """Messages of one kind, within days of the same prices. Sums of DeliveryRollup."""

    country: str
    channel: str
    provider: str
    category: str
    currency: str  # of the reported amounts
    on: date  # a day within which prices do not change
    priced: int
    cost_micros: int
    unpriced: int
    instead_of_sms: int


@dataclass(kw_only=True)
class CostLine:
    """What messages of one kind cost. `currency` is empty where only `unknown` counts."""

    country: str
    channel: str
    provider: str
    category: str
    currency: str
    messages: int = 0  # that cost money
    reported: int = 0  # of these, the provider told the amount
    unknown: int = 0  # of these, no price is known
    micros: int = 0

    @property
    def is_international(self) -> bool:
        return self.category == INTERNATIONAL


@dataclass(kw_only=True)
class Costs:
    """`saved_micros`: what the SMS would have cost that WhatsApp made needless, less what WhatsApp cost."""

    lines: list[CostLine] = field(default_factory=list)
    total_micros: dict[str, int] = field(default_factory=dict)
    saved_micros: dict[str, int] = field(default_factory=dict)
    unknown: int = 0  # messages without a known price
    uncompared: int = 0  # WhatsApp messages whose SMS, or they themselves, have no known price


def add_up(rows: Sequence[Billed], *, prices: PriceList, sms_providers: Sequence[str]) -> Costs:
    """`sms_providers`: whose prices stand for the SMS that was not needed, where none was paid in that country."""
    costs = Costs()
    lines: dict[tuple[str, ...], CostLine] = {}
    for row in rows:
        price = _price(row, prices)
        _add(lines, row, row.currency, messages=row.priced, reported=row.priced, micros=row.cost_micros)
        known = row.unpriced if price else 0
        micros = known * price.micros if price else 0
        _add(lines, row, price.currency if price else "", messages=row.unpriced, micros=micros,
             unknown=row.unpriced - known)  # fmt: skip
    costs.lines = sorted(lines.values(), key=lambda line: (-line.micros, -line.messages, line.country))
    for line in costs.lines:
        costs.unknown += line.unknown
        if line.currency:
            costs.total_micros[line.currency] = costs.total_micros.get(line.currency, 0) + line.micros
    _add_savings(costs, rows, prices, sms_providers)
    return costs


def _price(row: Billed, prices: PriceList) -> Amount | None:
    return prices.of(provider=row.provider, country=row.country, category=row.category, on=row.on)


def _add(
    lines: dict[tuple[str, ...], CostLine],
    row: Billed,
    currency: str,
    *,
    messages: int,
    micros: int,
    reported: int = 0,
    unknown: int = 0,
) -> None:
    if not messages:
        return
    key = (row.country, row.channel, row.provider, row.category, currency)
    line = lines.setdefault(
        key,
        CostLine(
            country=row.country,
            channel=row.channel,
            provider=row.provider,
            category=row.category,
            currency=currency,
        ),
    )
    line.messages += messages
    line.reported += reported
    line.unknown += unknown
    line.micros += micros


def _add_savings(
    costs: Costs, rows: Sequence[Billed], prices: PriceList, sms_providers: Sequence[str]
) -> None:
    paid = _paid_sms(rows)
    for row in rows:
        if row.channel != Channel.WHATSAPP or not row.instead_of_sms:
            continue
        own = _own_price(row, prices)
        sms = _sms_price(row, own.currency, paid, prices, sms_providers) if own else None
        if own is None or sms is None:
            costs.uncompared += row.instead_of_sms
            continue
        saved = row.instead_of_sms * (sms - own.micros)
        costs.saved_micros[own.currency] = costs.saved_micros.get(own.currency, 0) + saved


def _own_price(row: Billed, prices: PriceList) -> Amount | None:
    """What one of these WhatsApp messages cost. What was free has no currency of its own: that of the price table."""
    if row.priced:
        return Amount(micros=row.cost_micros // row.priced, currency=row.currency)
    price = _price(row, prices)
    if row.category == FREE:
        return Amount(micros=0, currency=price.currency) if price else None
    return price


def _paid_sms(rows: Iterable[Billed]) -> Mapping[tuple[str, str], tuple[int, int]]:
    """By country and currency: SMS with a reported amount, and their sum."""
    paid: dict[tuple[str, str], tuple[int, int]] = {}
    for row in rows:
        if row.channel == Channel.SMS and row.priced:
            count, micros = paid.get((row.country, row.currency), (0, 0))
            paid[row.country, row.currency] = (count + row.priced, micros + row.cost_micros)
    return paid


def _sms_price(
    row: Billed,
    currency: str,
    paid: Mapping[tuple[str, str], tuple[int, int]],
    prices: PriceList,
    providers: Sequence[str],
) -> int | None:
    """What an SMS to the country costs: the average of those paid, else the lowest known price."""
    count, micros = paid.get((row.country, currency), (0, 0))
    if count:
        return micros // count
    return prices.cheapest(providers, country=row.country, currency=currency, on=row.on)
