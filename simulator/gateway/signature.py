"""The signature of messages to the gateway and of its reports, written out so that nothing is tested against itself."""

import hashlib
import hmac
import time

from simulator.server.routing import whole_number

HEADER = "X-Authsvc-Signature"
TOLERANCE_SECONDS = 300


def gateway_signature(*, secret: str, timestamp: int, body: bytes) -> str:
    digest = hmac.new(secret.encode(), f"{timestamp}.".encode() + body, hashlib.sha256).hexdigest()
    return f"t={timestamp},v1={digest}"


def is_valid(*, secret: str, header: str, body: bytes, now: float | None = None) -> bool:
    """True for a right and fresh signature: an old one could be a replay."""
    parts = dict(part.split("=", 1) for part in header.split(",") if "=" in part)
    timestamp = whole_number(parts.get("t", ""))
    seconds = time.time() if now is None else now
    if timestamp is None or abs(seconds - timestamp) > TOLERANCE_SECONDS:
        return False
    expected = gateway_signature(secret=secret, timestamp=timestamp, body=body)
    return hmac.compare_digest(expected.encode(), f"t={timestamp},v1={parts.get('v1', '')}".encode())
