"""Messages that a provider accepted, the sends it was asked for, and the code inside a text."""

import re
from dataclasses import dataclass, field
from datetime import UTC, datetime

from simulator.handsets.handset import Channel
from simulator.server.faults import ReportFaults
from simulator.server.poster import Post

# Statuses may be reported in any order; the status of a message only climbs.
_RANK = {"accepted": 0, "queued": 1, "sent": 2, "failed": 3, "undelivered": 3, "delivered": 4, "read": 5}
_BOUND_CODE = re.compile(r"^@\S+ #(\d{4,10})\b", re.MULTILINE | re.ASCII)
_PLAIN_CODE = re.compile(r"(?<![\d+])\d{4,10}(?!\d)", re.ASCII)


@dataclass(slots=True, kw_only=True)
class Message:
    """One accepted message. `reference` is what our side sent along to recognise it."""

    id: str
    channel: Channel
    provider: str
    to: str
    shown_from: str
    text: str = field(repr=False)
    code: str | None = field(repr=False)
    button: str | None = None
    reference: str | None = None
    status: str = "accepted"
    error_code: int | None = None
    created_at: datetime = field(default_factory=lambda: datetime.now(UTC))
    updated_at: datetime = field(default_factory=lambda: datetime.now(UTC))
    shown_at: datetime | None = None

    def advance(self, status: str, error_code: int | None) -> None:
        if _RANK.get(status, 0) < _RANK.get(self.status, 0):
            return
        self.status = status
        self.error_code = error_code
        self.updated_at = datetime.now(UTC)

    def report(self, status: str, error_code: int | None, faults: ReportFaults) -> Post | None:  # noqa: ARG002 - for providers that report
        """The request that reports a status of this message; None: its provider reports nothing."""
        return None


@dataclass(frozen=True, slots=True, kw_only=True)
class Send:
    """One request to send that reached a provider, and its outcome."""

    channel: Channel
    provider: str
    outcome: str
    sender: str | None = None
    to: str | None = None
    code: str | None = field(default=None, repr=False)
    id: str | None = None
    error: int | str | None = None
    reference: str | None = None
    at: datetime = field(default_factory=lambda: datetime.now(UTC))


def code_in(text: str) -> str | None:
    """The code of an SMS: the one bound to a domain (last line `@host #code`), else the first run of digits."""
    bound = _BOUND_CODE.search(text)
    if bound:
        return bound[1]
    plain = _PLAIN_CODE.search(text)
    return plain[0] if plain else None


def timestamp(moment: datetime) -> str:
    return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")
