"""The figures that dashboard, CSV and API show. Each is one query of one rollup, whatever the number of messages."""

import uuid
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import UTC, date, datetime

from django.db.models import Case, IntegerField, Sum, Value, When
from django.db.models.functions import TruncDate

from channels.providers import PROVIDERS
from channels.types import Channel
from stats import histogram
from stats.costs import Billed, Costs, add_up
from stats.models import DeliveryRollup, LoginRollup, TimingRollup
from stats.prices import PriceList
from stats.span import Span


@dataclass(frozen=True, kw_only=True)
class LoginLine:
    """One day."""

    day: date
    started: int
    verified: int
    fell_back: int


@dataclass(kw_only=True)
class MessageLine:
    """One country × channel × provider. `verified`: the last message of a login that succeeded."""

    country: str
    channel: str
    provider: str
    messages: int = 0
    accepted: int = 0
    delivered: int = 0
    failed: int = 0
    verified: int = 0


@dataclass(frozen=True, kw_only=True)
class TimeLine:
    """Seconds until messages of a channel arrived, or logins with it succeeded."""

    measure: str
    channel: str
    provider: str
    count: int
    p50: float | None
    p95: float | None


@dataclass(frozen=True, kw_only=True)
class ReasonLine:
    """Messages that ended for one reason. `reason` is empty for those that arrived after all."""

    channel: str
    reason: str
    count: int


@dataclass(kw_only=True)
class SenderLine:
    sender_id: uuid.UUID | None
    channel: str
    messages: int = 0
    delivered: int = 0
    failed: int = 0


@dataclass(frozen=True, kw_only=True)
class Reasons:
    """All that is counted by reason, and by sender."""

    fallbacks: list[ReasonLine] = field(default_factory=list)
    failures: list[ReasonLine] = field(default_factory=list)
    senders: list[SenderLine] = field(default_factory=list)


def logins(span: Span) -> list[LoginLine]:
    """By day, the days without any left out."""
    rows = (
        LoginRollup.objects.filter(span.rows())
        .annotate(day=TruncDate("hour", tzinfo=UTC))
        .values("day")
        .annotate(begun=Sum("started"), succeeded=Sum("verified"), replaced=Sum("fell_back"))
        .order_by("day")
    )
    return [
        LoginLine(day=row["day"], started=row["begun"], verified=row["succeeded"], fell_back=row["replaced"])
        for row in rows
    ]


def messages_and_costs(span: Span, prices: PriceList) -> tuple[list[MessageLine], Costs]:
    """By country × channel × provider, the most messages first; and what they cost. One query for both."""
    keys = ("country", "channel", "provider", "category", "currency", "period")
    sums = (
        "messages", "accepted", "delivered", "failed", "verified", "instead_of_sms", "priced", "cost_micros",
        "unpriced",
    )  # fmt: skip
    days = [span.first, *(day for day in prices.days if span.first < day <= span.last)]
    starts = [When(hour__gte=_midnight(day), then=Value(nth)) for nth, day in reversed(list(enumerate(days)))]
    rows = (
        DeliveryRollup.objects.filter(span.rows())
        .annotate(period=Case(*starts, default=Value(0), output_field=IntegerField()))
        .values_list(*keys)
        .annotate(**{f"sum_{name}": Sum(name) for name in sums})
    )
    lines: dict[tuple[str, str, str], MessageLine] = {}
    billed = []
    for country, channel, provider, category, currency, period, *counts in rows:
        count = dict(zip(sums, counts, strict=True))
        key = (country, channel, provider)
        line = lines.setdefault(key, MessageLine(country=country, channel=channel, provider=provider))
        for name in ("messages", "accepted", "delivered", "failed", "verified"):
            setattr(line, name, getattr(line, name) + count[name])
        billed.append(
            Billed(
                country=country, channel=channel, provider=provider, category=category, currency=currency,
                on=days[period], priced=count["priced"], cost_micros=count["cost_micros"],
                unpriced=count["unpriced"], instead_of_sms=count["instead_of_sms"],
            )
        )  # fmt: skip
    ordered = sorted(lines.values(), key=lambda line: (-line.messages, line.country, line.channel))
    return ordered, add_up(billed, prices=prices, sms_providers=_sms_providers())


def times(span: Span) -> list[TimeLine]:
    rows = (
        TimingRollup.objects.filter(span.rows())
        .values_list("measure", "channel", "provider", "bucket")
        .annotate(sum_count=Sum("count"))
    )
    by_kind: dict[tuple[str, str, str], dict[int, int]] = {}
    for measure, channel, provider, bucket, count in rows:
        by_kind.setdefault((measure, channel, provider), {})[bucket] = count
    return [
        TimeLine(
            measure=measure,
            channel=channel,
            provider=provider,
            count=sum(counts.values()),
            p50=histogram.percentile(counts, 0.5),
            p95=histogram.percentile(counts, 0.95),
        )
        for (measure, channel, provider), counts in sorted(by_kind.items())
    ]


def reasons(span: Span) -> Reasons:
    """Why the next channel took over, why messages failed, and how each sender does."""
    rows = (
        DeliveryRollup.objects.filter(span.rows())
        .values_list("channel", "sender_id", "reason")
        .annotate(
            sent=Sum("messages"), arrived=Sum("delivered"), lost=Sum("failed"), replaced=Sum("fallbacks")
        )
    )
    senders: dict[tuple[uuid.UUID | None, str], SenderLine] = {}
    fallbacks: dict[tuple[str, str], int] = {}
    failures: dict[tuple[str, str], int] = {}
    for channel, sender_id, reason, sent, arrived, lost, replaced in rows:
        line = senders.setdefault((sender_id, channel), SenderLine(sender_id=sender_id, channel=channel))
        line.messages += sent
        line.delivered += arrived
        line.failed += lost
        if replaced:
            fallbacks[channel, reason] = fallbacks.get((channel, reason), 0) + replaced
        if reason:
            failures[channel, reason] = failures.get((channel, reason), 0) + sent
    return Reasons(
        fallbacks=_lines(fallbacks.items()),
        failures=_lines(failures.items()),
        senders=sorted(senders.values(), key=lambda line: (-line.messages, str(line.sender_id))),
    )


def _lines(counts: Iterable[tuple[tuple[str, str], int]]) -> list[ReasonLine]:
    lines = [ReasonLine(channel=channel, reason=reason, count=count) for (channel, reason), count in counts]
    return sorted(lines, key=lambda line: (-line.count, line.channel, line.reason))


def _midnight(day: date) -> datetime:
    return datetime.combine(day, datetime.min.time(), UTC)


def _sms_providers() -> list[str]:
    return [name for name, provider in PROVIDERS.items() if Channel.SMS in provider.channels]
