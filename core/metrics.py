"""Counters and histograms for Prometheus. Names and labels are stable: dashboards and alerts under deploy/ use them.

Processes of one machine share files (prometheus_client, "Multiprocess Mode"): PROMETHEUS_MULTIPROC_DIR must be set
before this module is imported. Gauges are read at scrape time: `ops.metrics`.
"""

import uuid
from bisect import bisect_left, bisect_right
from collections.abc import Iterable
from datetime import datetime

from prometheus_client import Counter, Histogram

from core.ids import seconds_of

# Seconds of a login, from the form to the verified code.
_LIFE = (0.05, 0.1, 0.25, 0.5, 1, 2, 3, 5, 10, 15, 20, 30, 45, 60, 120, 300)
_CALL = (0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2, 3, 5)

STARTED = Counter("authsvc_challenges_started", "Challenges started, by first channel", ["channel"])
ENDED = Counter(
    "authsvc_challenges_ended",
    "Challenges ended, by outcome: verified, locked, cancelled, disavowed, identity_changed. All others expire or are "
    "replaced.",
    ["outcome"],
)
REFUSED = Counter("authsvc_starts_refused", "Starts refused, by reason", ["reason"])
GUESSES = Counter("authsvc_guesses", "Codes typed, by outcome", ["outcome"])
DELIVERIES = Counter(
    "authsvc_deliveries",
    "Deliveries that reached a status, by channel, provider and reason of a failure",
    ["channel", "provider", "status", "reason"],
)
FALLBACKS = Counter("authsvc_fallbacks", "Automatic changes of channel, by cause", ["channel", "cause"])
SINCE_START = Histogram(
    "authsvc_since_start_seconds",
    "From the start of a challenge until its message was accepted, sent, delivered, and its code verified",
    ["stage", "channel"],
    buckets=_LIFE,
)
PROVIDER_CALL = Histogram(
    "authsvc_provider_call_seconds", "Calls to providers, by outcome", ["provider", "outcome"], buckets=_CALL
)
WEBHOOKS = Counter("authsvc_webhooks", "Posts of providers, by HTTP status answered", ["provider", "status"])
WEBHOOK_LEFT_OUT = Counter(
    "authsvc_webhook_left_out",
    "Items of signed posts that match no delivery, cannot be read, or are too many, by reason",
    ["provider", "reason"],
)
WEBHOOK_LAG = Histogram(
    "authsvc_webhook_lag_seconds", "From a report's own time until it was stored", ["channel"], buckets=_LIFE
)
REQUESTS_REFUSED = Counter(
    "authsvc_http_requests_refused", "Requests answered before the application, by HTTP status", ["status"]
)
LIMITED = Counter("authsvc_limits_refused", "Requests over a limit, by rule", ["rule"])
ENQUEUE_FAILURES = Counter(
    "authsvc_enqueue_failures", "Tasks that the broker did not accept; the sweep sends their deliveries"
)
SWEPT = Counter("authsvc_sweep_deliveries", "Deliveries that the sweep handled, by case", ["case"])
BREAKER_OPENED = Counter(
    "authsvc_breaker_opened", "Breakers that opened, by channel and source", ["channel", "source"]
)
TOKENS = Counter("authsvc_token_requests", "Token requests, by grant and outcome", ["grant", "outcome"])
REUSED = Counter(
    "authsvc_tokens_reused", "Codes and refresh tokens used twice, whose families were revoked", ["kind"]
)
LOGOUT_NOTICES = Counter(
    "authsvc_logout_notices", "Back-channel log-out posts to clients, by outcome", ["outcome"]
)
REQUESTS = Histogram(
    "authsvc_http_request_seconds", "Requests answered", ["view", "status"], buckets=(0.005, *_CALL[:8])
)


def labelled[Metric: (Counter, Histogram)](metric: Metric, *values: str) -> Metric:
    """`metric.labels(*values)`. The library makes a string of each value and takes a lock to find what it keeps; here
    it is found by what most values are already."""
    kept: Metric | None = metric._metrics.get(values)  # type: ignore[assignment] # noqa: SLF001 # as said
    return kept or metric.labels(*values)


def count(counter: Counter, *labels: str) -> None:
    """One more: `counter.labels(*labels).inc()`, which also asks whether it has labels and whether one is negative."""
    labelled(counter, *labels)._value.inc(1)  # noqa: SLF001


def reached(*, stage: str, channel: str, challenge_id: uuid.UUID, at: datetime) -> None:
    """A challenge reached `stage` at `at`. Its key contains its start, to the millisecond."""
    observe(labelled(SINCE_START, stage, channel), at.timestamp() - seconds_of(challenge_id))


def observe(histogram: Histogram, seconds: float) -> None:
    """`histogram.observe`, what is negative as 0 (clocks differ). The histogram's own fields, as below."""
    least = max(seconds, 0.0)
    histogram._buckets[bisect_left(histogram._upper_bounds, least)].inc(1)  # noqa: SLF001
    histogram._sum.inc(least)  # noqa: SLF001


def observe_many(histogram: Histogram, seconds: Iterable[float]) -> None:
    """`histogram.observe` of each, what is negative as 0 (clocks differ), with one write for each bucket instead of two
    for each value. The histogram's own fields: the library has no call for many values."""
    values = sorted([value if value > 0 else 0.0 for value in seconds])
    before = 0
    for nth, bound in enumerate(histogram._upper_bounds):  # noqa: SLF001 # as said
        within = bisect_right(values, bound, lo=before)
        if within > before:
            histogram._buckets[nth].inc(within - before)  # noqa: SLF001
        before = within
    histogram._sum.inc(sum(values))  # noqa: SLF001
