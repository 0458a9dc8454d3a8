"""Primary keys: UUIDv7 (RFC 9562), so that tables grow at their end and a key contains its age."""

import uuid
from datetime import UTC, datetime

import uuid_utils.compat


def new_id() -> uuid.UUID:
    """A new UUIDv7: 48 bits of milliseconds, then 74 random bits."""
    return uuid_utils.compat.uuid7()


def oldest_id_at(moment: datetime) -> uuid.UUID:
    """The smallest UUIDv7 of that millisecond: smaller keys are older."""
    milliseconds = int(moment.timestamp() * 1000)
    return uuid.UUID(int=(milliseconds << 80) | (7 << 76) | (2 << 62))


def time_of(key: uuid.UUID) -> datetime:
    """When a UUIDv7 was created, to the millisecond."""
    return datetime.fromtimestamp((key.int >> 80) / 1000, tz=UTC)
