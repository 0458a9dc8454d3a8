"""What messages cost, asked of providers that report it nowhere and know it only later (`channels.provider.Prices`).

Beat calls `read` every minute. An account is asked for those of its messages that have no price yet, the oldest first,
span by span and page by page: a page names a thousand messages. Whatever a call gives is stored at once, and where it
stopped is a row of the account, so a run that ends, dies or meets another one loses nothing. Nothing else waits for
this: no login, no send, no breaker.
"""

import time
import uuid
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import structlog
from django.utils import timezone

from channels.base import SenderConfig
from channels.errors import SendError
from channels.prices import PriceQuery
from channels.provider import Prices
from channels.providers import PROVIDERS
from channels.senders import senders
from channels.types import FailureReason
from core import http
from otp import sweep
from otp.store import prices
from otp.store.connections import release_connection
from stats.models import PriceReading

log = structlog.get_logger(__name__)

# A message is asked for when it is this old; younger ones mostly have no price yet.
YOUNGEST = timedelta(minutes=30)
# And no longer than this: each hour is still counted once more afterwards (stats.rollup.LATE), with all its prices.
OLDEST = timedelta(hours=47)
# An account whose messages were all looked for is asked again after EVERY for those that came of age meanwhile, and
# after REPEAT for all that still have no price.
EVERY = timedelta(minutes=15)
REPEAT = timedelta(hours=6)
# What is asked for at once.
SPAN = timedelta(hours=1)
# A message is sent when it was made, by clocks that differ, or while it waits for its turn as long as its code lives.
EARLY, LATE = timedelta(minutes=1), timedelta(minutes=10)
# Messages of a page. After a failure it is half as many, and so on: the answer may have been too long or too slow.
MOST, FEWEST = 1000, 50
# Pages of one account in one run.
PAGES = 20
# Two runs never ask for one account at once, and a run that died is followed by another after this.
LEASE = timedelta(minutes=3)
# After a failure, doubled with each further one.
FIRST_WAIT, LONGEST_WAIT = EVERY, timedelta(hours=4)
_MOST_FAILURES = 10


@dataclass(frozen=True, kw_only=True)
class _Account:
    """One account at a provider, with the senders that use it."""

    provider: str
    name: str
    prices: Prices
    senders: tuple[SenderConfig[Any], ...]

    @property
    def sender_ids(self) -> tuple[uuid.UUID, ...]:
        return tuple(sender.id for sender in self.senders)

    def sender(self, failures: int) -> SenderConfig[Any]:
        """Whose credentials are used: another sender's after a failure, because they may be the ones that are right."""
        return self.senders[failures % len(self.senders)]


def read(*, seconds: float, client: http.HttpClient | None = None) -> int:
    """Ask for prices, beginning a call for at most `seconds`; how many were stored. Repeating it is harmless."""
    accounts = _accounts()
    if not accounts:
        return 0
    deadline, stored = time.monotonic() + seconds, 0
    for reading in _due(accounts, now=timezone.now()):
        if sweep.is_stopping() or time.monotonic() >= deadline:
            break
        if _claim(reading):
            account = accounts[reading.provider, reading.account]
            stored += _read_account(reading, account, client or http.lists(), deadline)
    return stored


def _accounts() -> dict[tuple[str, str], _Account]:
    """Accounts of active senders, by provider and name."""
    accounts: dict[tuple[str, str], _Account] = {}
    known = senders.get()
    for provider in PROVIDERS.values():
        if not provider.prices:
            continue
        owners: dict[str, list[SenderConfig[Any]]] = {}
        for sender in sorted(known.of_provider(provider.name), key=lambda sender: sender.id):
            owners.setdefault(provider.prices.account(sender), []).append(sender)
        for name, owned in owners.items():
            if name:
                accounts[provider.name, name] = _Account(
                    provider=provider.name, name=name, prices=provider.prices, senders=tuple(owned)
                )
    return accounts


def _due(accounts: Mapping[tuple[str, str], _Account], *, now: datetime) -> list[PriceReading]:
    """Of these accounts those that may be asked now, the longest due first. A new one begins with the oldest."""
    known = _readings(accounts)
    if new := accounts.keys() - known.keys():
        PriceReading.objects.bulk_create(
            [
                PriceReading(
                    provider=provider,
                    account=name,
                    due_at=now,
                    read_until=now - OLDEST,
                    repeat_at=now + REPEAT,
                )
                for provider, name in new
            ],
            ignore_conflicts=True,
        )
        known = _readings(accounts)
    due = (row for key, row in known.items() if key in accounts and row.due_at <= now)
    return sorted(due, key=lambda row: row.due_at)


def _readings(accounts: Iterable[tuple[str, str]]) -> dict[tuple[str, str], PriceReading]:
    rows = PriceReading.objects.filter(account__in=[name for _, name in accounts])
    return {(row.provider, row.account): row for row in rows}


def _claim(reading: PriceReading) -> bool:
    """Take the account for this run. False: another run has it."""
    until = timezone.now() + LEASE
    if not _write(reading, due_at=until):
        return False
    reading.due_at = until
    return True


def _write(reading: PriceReading, **values: object) -> bool:
    """Unless another run has taken the account since this one did."""
    return bool(PriceReading.objects.filter(id=reading.id, due_at=reading.due_at).update(**values))


def _read_account(reading: PriceReading, account: _Account, client: http.HttpClient, deadline: float) -> int:
    """Read the account's pages as far as this run goes, and write down where the next one continues."""
    begun, stored, failure = timezone.now(), 0, None
    _begin(reading, begun)
    is_done = False
    for _ in range(PAGES):
        if sweep.is_stopping() or time.monotonic() >= deadline:
            break
        query = _query(reading, account.sender_ids, end=begun - YOUNGEST)
        if query is None:
            is_done = True
            break
        try:
            stored += _read_page(reading, account, query, client)
        except (SendError, http.AnswerLost) as error:
            failure = error
            break
    _end(reading, account, failure, is_done=is_done)
    return stored


def _begin(reading: PriceReading, now: datetime) -> None:
    """Nothing too old is looked for. What has no price yet is looked for once more when that is due."""
    if reading.next_page:
        return
    if now >= reading.repeat_at:
        reading.read_until, reading.repeat_at = now - OLDEST, now + REPEAT
    reading.read_until = max(reading.read_until, now - OLDEST)


def _query(reading: PriceReading, sender_ids: Sequence[uuid.UUID], *, end: datetime) -> PriceQuery | None:
    """The next page to be asked for: of the span that was begun, else of the next one. None: there is none."""
    most = max(MOST >> reading.failures, FEWEST)
    if reading.next_page and reading.span_end:
        return PriceQuery(first=reading.read_until, last=reading.span_end, most=most, page=reading.next_page)
    first, last = reading.read_until, end
    span = prices.unpriced_span(sender_ids, first=first, end=last, longest=SPAN) if first < last else None
    if span is None:
        reading.read_until = max(first, last)
        return None
    oldest, newest = span
    reading.span_end = min(oldest + SPAN, end)
    return PriceQuery(first=oldest - EARLY, last=newest + LATE, most=most)


def _read_page(reading: PriceReading, account: _Account, query: PriceQuery, client: http.HttpClient) -> int:
    """One call; how many prices it brought. Raises SendError and AnswerLost."""
    release_connection()
    page = account.prices.read(account.sender(reading.failures), query, client)
    if page.next_page == query.page != "":
        raise SendError(FailureReason.UNAVAILABLE, detail="a page leads to itself")
    reading.next_page = page.next_page
    if not page.next_page and reading.span_end:
        reading.read_until, reading.span_end = reading.span_end, None
    return prices.record(page.prices, sender_ids=account.sender_ids)


def _end(
    reading: PriceReading, account: _Account, failure: SendError | http.AnswerLost | None, *, is_done: bool
) -> None:
    """Write down how far this run came and when the next one may come."""
    now, failures = timezone.now(), reading.failures
    if failure:
        # From the beginning of the span: its next page may be what was refused.
        reading.next_page, reading.span_end = "", None
        failures = min(failures + 1, _MOST_FAILURES)
        wait = min(FIRST_WAIT * 2 ** (failures - 1), LONGEST_WAIT)
        if failures == 1:
            _log_failure(account, reading.failures, failure)
    else:
        failures, wait = 0, EVERY if is_done else timedelta(0)
        if reading.failures:
            log.info("prices.readable_again", provider=account.provider, failures=reading.failures)
    _write(
        reading,
        due_at=now + wait,
        failures=failures,
        read_until=reading.read_until,
        span_end=reading.span_end,
        next_page=reading.next_page,
        repeat_at=reading.repeat_at,
    )


def _log_failure(account: _Account, failures: int, error: SendError | http.AnswerLost) -> None:
    """Once for failures in a row. An error's text holds neither credentials nor anything of an answer."""
    log.warning(
        "prices.unreadable",
        provider=account.provider,
        sender_id=str(account.sender(failures).id),
        error=str(error),
    )
