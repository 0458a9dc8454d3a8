"""Decisions about events. Values in, values out."""

from datetime import timedelta

# Standard Webhooks' own recommendation: at once, then over more than a day.
RETRIES = (
    timedelta(seconds=5),
    timedelta(minutes=5),
    timedelta(minutes=30),
    timedelta(hours=2),
    timedelta(hours=5),
    timedelta(hours=10),
    timedelta(hours=14),
)
# Whoever posts an event holds it this long; a call takes five seconds at most.
LEASE = timedelta(seconds=30)
# An endpoint that needs longer than this to fail is left alone by the process that met it: a server that hangs costs
# one call's time in thirty seconds, and the events of others do not wait behind its own.
SLOW = timedelta(seconds=1)
LEFT_ALONE = timedelta(seconds=30)
KEPT = timedelta(days=30)


def next_try(tries: int) -> timedelta | None:
    """How long after the `tries`-th failed post the next one is made; None: no more."""
    return RETRIES[tries - 1] if tries <= len(RETRIES) else None
