"""Primary keys: UUIDv7 (RFC 9562), so that tables grow at their end and a key contains its age. And ids of requests."""

import uuid
from datetime import UTC, datetime

import uuid_utils.compat
from structlog.contextvars import get_contextvars


def new_id() -> uuid.UUID:
    """A new UUIDv7: 48 bits of milliseconds, then 74 random bits."""
    return uuid_utils.compat.uuid7()


def oldest_id_at(moment: datetime) -> uuid.UUID:
    """The smallest UUIDv7 of that millisecond: smaller keys are older."""
    milliseconds = int(moment.timestamp() * 1000)
    return uuid.UUID(int=(milliseconds << 80) | (7 << 76) | (2 << 62))


def seconds_of(key: uuid.UUID) -> float:
    """When a UUIDv7 was created, in Unix seconds to the millisecond."""
    return (key.int >> 80) / 1000


def seconds_of_text(key: str) -> float:
    """As `seconds_of`, of its text with hyphens: making a key of that takes longer."""
    return int(key[:8] + key[9:13], 16) / 1000


def time_of(key: uuid.UUID) -> datetime:
    """As `seconds_of`, as a time."""
    return datetime.fromtimestamp(seconds_of(key), tz=UTC)


def request_id() -> str:
    """The id that the log lines of this request or task carry; "": none."""
    return str(get_contextvars().get("request_id", ""))
