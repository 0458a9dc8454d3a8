"""Decisions about events. Pure: values in, values out."""

from datetime import timedelta

# Recommended by Standard Webhooks: at once, then over more than a day.
RETRIES = (
    timedelta(seconds=5),
    timedelta(minutes=5),
    timedelta(minutes=30),
    timedelta(hours=2),
    timedelta(hours=5),
    timedelta(hours=10),
    timedelta(hours=14),
)
KEPT = timedelta(days=30)


def next_try(tries: int) -> timedelta | None:
    """How long to wait after the `tries`-th failed post; None to give up."""
    return RETRIES[tries - 1] if tries <= len(RETRIES) else None
