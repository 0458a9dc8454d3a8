"""All figures of a span, each as a table of plain values: what the dashboard draws, CSV writes and the API answers."""

import csv
import io
import uuid
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import TYPE_CHECKING

from django.utils.translation import gettext_lazy as _

from stats import figures
from stats.costs import Costs
from stats.prices import PriceList
from stats.span import Span

if TYPE_CHECKING:
    from django_stubs_ext import StrOrPromise

type Value = str | int | float | Decimal | date | uuid.UUID | bool | None
type Row = tuple[Value, ...]


@dataclass(frozen=True, kw_only=True)
class Report:
    span: Span
    logins: Sequence[figures.LoginLine]
    messages: Sequence[figures.MessageLine]
    costs: Costs
    times: Sequence[figures.TimeLine]
    reasons: figures.Reasons

    @property
    def started(self) -> int:
        return sum(line.started for line in self.logins)

    @property
    def verified(self) -> int:
        return sum(line.verified for line in self.logins)

    @property
    def fell_back(self) -> int:
        return sum(line.fell_back for line in self.logins)

    @property
    def messages_by_channel(self) -> Mapping[str, int]:
        counts: Counter[str] = Counter()
        for line in self.messages:
            counts[line.channel] += line.messages
        return counts


@dataclass(frozen=True, kw_only=True)
class Figure:
    """One table. `columns`: the name of each in CSV and API, and its heading."""

    title: "StrOrPromise"
    columns: Mapping[str, "StrOrPromise"]
    rows: Callable[[Report], Iterable[Row]]


def load(span: Span) -> Report:
    """Five queries, whatever the number of messages: one of them for the prices."""
    messages, costs = figures.messages_and_costs(span, PriceList.load())
    return Report(
        span=span,
        logins=figures.logins(span),
        messages=messages,
        costs=costs,
        times=figures.times(span),
        reasons=figures.reasons(span),
    )


def share(part: int, whole: int) -> float | None:
    """A part of one, to four digits; None: of nothing."""
    return round(part / whole, 4) if whole else None


def money(micros: int) -> Decimal:
    """In the currency's unit, to six digits."""
    return Decimal(micros).scaleb(-6)


def _logins(report: Report) -> Iterable[Row]:
    for line in report.logins:
        yield line.day, line.started, line.verified, share(line.verified, line.started), line.fell_back


def _messages(report: Report) -> Iterable[Row]:
    for line in report.messages:
        counts = (
            line.messages,
            line.accepted,
            line.delivered,
            share(line.delivered, line.messages),
            line.failed,
        )
        yield line.country, line.channel, line.provider, *counts, line.verified


def _times(report: Report) -> Iterable[Row]:
    for line in report.times:
        yield line.measure, line.channel, line.provider, line.count, line.p50, line.p95


def _fallbacks(report: Report) -> Iterable[Row]:
    for line in report.reasons.fallbacks:
        yield (
            line.channel,
            line.reason,
            line.count,
            share(line.count, report.messages_by_channel[line.channel]),
        )


def _failures(report: Report) -> Iterable[Row]:
    for line in report.reasons.failures:
        yield line.channel, line.reason, line.count


def _senders(report: Report) -> Iterable[Row]:
    for line in report.reasons.senders:
        counts = (line.messages, line.delivered, share(line.delivered, line.messages), line.failed)
        yield line.sender_id, line.channel, *counts


def _costs(report: Report) -> Iterable[Row]:
    for line in report.costs.lines:
        amount = money(line.micros) if line.currency else None
        kind = (line.country, line.channel, line.provider, line.category, line.is_international)
        yield *kind, line.messages, line.reported, line.unknown, amount, line.currency


def _totals(report: Report) -> Iterable[Row]:
    """One line for each currency."""
    costs = report.costs
    for currency in sorted(costs.total_micros | costs.saved_micros):
        total = costs.total_micros.get(currency, 0)
        per_login = money(total // report.verified) if report.verified else None
        saved = costs.saved_micros.get(currency)
        yield currency, money(total), report.verified, per_login, None if saved is None else money(saved)


_COUNTRY, _CHANNEL, _PROVIDER = _("country"), _("channel"), _("provider")
FIGURES: Mapping[str, Figure] = {
    "logins": Figure(
        title=_("Logins"),
        columns={
            "day": _("day"),
            "started": _("started"),
            "verified": _("succeeded"),
            "conversion": _("conversion"),
            "fell_back": _("with fallback"),
        },
        rows=_logins,
    ),
    "messages": Figure(
        title=_("Messages by country, channel and provider"),
        columns={
            "country": _COUNTRY,
            "channel": _CHANNEL,
            "provider": _PROVIDER,
            "messages": _("messages"),
            "accepted": _("accepted"),
            "delivered": _("arrived"),
            "delivered_share": _("share arrived"),
            "failed": _("failed"),
            "verified": _("logins"),
        },
        rows=_messages,
    ),
    "times": Figure(
        title=_("Times"),
        columns={
            "measure": _("until"),
            "channel": _CHANNEL,
            "provider": _PROVIDER,
            "count": _("count"),
            "p50_seconds": _("half within (s)"),
            "p95_seconds": _("95 % within (s)"),
        },
        rows=_times,
    ),
    "fallbacks": Figure(
        title=_("Fallbacks by cause"),
        columns={
            "channel": _CHANNEL,
            "reason": _("cause"),
            "count": _("fallbacks"),
            "share": _("share of the channel's messages"),
        },
        rows=_fallbacks,
    ),
    "failures": Figure(
        title=_("Failures by reason"),
        columns={"channel": _CHANNEL, "reason": _("reason"), "count": _("messages")},
        rows=_failures,
    ),
    "senders": Figure(
        title=_("Senders"),
        columns={
            "sender": _("sender"),
            "channel": _CHANNEL,
            "messages": _("messages"),
            "delivered": _("arrived"),
            "delivered_share": _("share arrived"),
            "failed": _("failed"),
        },
        rows=_senders,
    ),
    "costs": Figure(
        title=_("Cost"),
        columns={
            "country": _COUNTRY,
            "channel": _CHANNEL,
            "provider": _PROVIDER,
            "category": _("category"),
            "international": _("international rate"),
            "messages": _("billed messages"),
            "reported": _("of these reported"),
            "unknown": _("no price known"),
            "amount": _("amount"),
            "currency": _("currency"),
        },
        rows=_costs,
    ),
    "totals": Figure(
        title=_("Cost for each login"),
        columns={
            "currency": _("currency"),
            "amount": _("amount"),
            "verified": _("logins"),
            "per_login": _("for each login"),
            "saved": _("saved against SMS"),
        },
        rows=_totals,
    ),
}


def as_csv(name: str, report: Report) -> str:
    """A figure as CSV: names of the columns, then values as programs read them. Texts cannot be formulas: they are
    words of ours, ids, countries and providers."""
    figure = FIGURES[name]
    text = io.StringIO()
    writer = csv.writer(text)
    writer.writerow(figure.columns)
    writer.writerows(["" if value is None else _plain(value) for value in row] for row in figure.rows(report))
    return text.getvalue()


def as_json(name: str, report: Report) -> list[dict[str, str | int | float | bool | None]]:
    """A figure for the API. Amounts are decimal texts: they are not rounded on the way."""
    figure = FIGURES[name]
    return [
        dict(zip(figure.columns, (_plain(value) for value in row), strict=True))
        for row in figure.rows(report)
    ]


def _plain(value: Value) -> str | int | float | bool | None:
    if isinstance(value, Decimal):
        return f"{value:f}"
    return str(value) if isinstance(value, date | uuid.UUID) else value
