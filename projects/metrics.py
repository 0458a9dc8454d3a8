"""What is counted for Prometheus. Names and labels are stable: dashboards and alerts under deploy/ use them.

Several processes of one machine add up by files (prometheus_client, "Multiprocess Mode"): PROMETHEUS_MULTIPROC_DIR is
set before this module is imported. What is true now rather than counted is read when asked for: `authsvc.scrape`.
"""

import uuid
from datetime import datetime

from prometheus_client import Counter, Histogram

from projects.ids import time_of

# A login's life: from a click to a code in the hand.
_LIFE = (0.05, 0.1, 0.25, 0.5, 1, 2, 3, 5, 10, 15, 20, 30, 45, 60, 120, 300)
_CALL = (0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2, 3, 5)

STARTED = Counter("authsvc_challenges_started", "Challenges begun, by first channel", ["channel"])
ENDED = Counter(
    "authsvc_challenges_ended",
    "Challenges over, by outcome: verified, locked, cancelled, disavowed, identity_changed. The rest of those begun "
    "expire, or are begun anew.",
    ["outcome"],
)
REFUSED = Counter("authsvc_starts_refused", "Starts refused, by reason", ["reason"])
GUESSES = Counter("authsvc_guesses", "Codes typed, by outcome", ["outcome"])
DELIVERIES = Counter(
    "authsvc_deliveries",
    "Deliveries that reached a status, by channel, provider and reason of a failure",
    ["channel", "provider", "status", "reason"],
)
FALLBACKS = Counter(
    "authsvc_fallbacks", "Automatic changes of channel, by what went before", ["channel", "because"]
)
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
WEBHOOK_LAG = Histogram(
    "authsvc_webhook_lag_seconds", "From a report's own time until it was stored", ["channel"], buckets=_LIFE
)
LIMITED = Counter("authsvc_limits_refused", "Requests over a limit, by rule", ["rule"])
BELLS_LOST = Counter(
    "authsvc_bells_lost", "Tasks that the broker did not take; the sweep finds their deliveries"
)
SWEPT = Counter("authsvc_sweep_found", "Deliveries that the sweep saw to, by what was the matter", ["case"])
BREAKER_OPENED = Counter(
    "authsvc_breaker_opened", "Senders that were taken out, by who spoke", ["channel", "by"]
)
TOKENS = Counter(
    "authsvc_token_requests", "Token requests, by grant and by what came of them", ["grant", "outcome"]
)
REUSED = Counter(
    "authsvc_tokens_reused", "Codes and refresh tokens used twice, whose families ended", ["what"]
)
LOGOUT_NOTICES = Counter(
    "authsvc_logout_notices", "Posts to applications that a session ended, by outcome", ["outcome"]
)
REQUESTS = Histogram(
    "authsvc_http_request_seconds", "Requests answered", ["view", "status"], buckets=(0.005, *_CALL[:8])
)


def reached(*, stage: str, channel: str, challenge_id: uuid.UUID, at: datetime) -> None:
    """A challenge got as far as `stage` at `at`. Its key tells when it began, to the millisecond."""
    seconds = (at - time_of(challenge_id)).total_seconds()
    SINCE_START.labels(stage, channel).observe(max(seconds, 0.0))
