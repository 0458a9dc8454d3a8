"""Keys of our rows: UUIDv7, so that tables grow at their end and age can be read from the key (RFC 9562)."""

import uuid

import uuid_utils.compat


def new_id() -> uuid.UUID:
    """A new UUIDv7: 48 bits of milliseconds, then 74 random bits."""
    return uuid_utils.compat.uuid7()
