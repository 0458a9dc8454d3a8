"""The three signatures the providers use. Written out here so that no receiver is tested against its own code."""

import base64
import hashlib
import hmac
import time
from collections.abc import Mapping
from urllib.parse import urldefrag

GATEWAY_TOLERANCE_SECONDS = 300


def hub_signature(*, app_secret: str, body: bytes) -> str:
    """X-Hub-Signature-256 over the exact bytes that go out."""
    return "sha256=" + hmac.new(app_secret.encode(), body, hashlib.sha256).hexdigest()


def twilio_signature(*, auth_token: str, url: str, form: Mapping[str, str]) -> str:
    """X-Twilio-Signature of a form post: the URL without its fragment, then every field in byte order."""
    signed = urldefrag(url).url + "".join(name + form[name] for name in sorted(form))
    digest = hmac.new(auth_token.encode(), signed.encode(), hashlib.sha1).digest()
    return base64.b64encode(digest).decode()


def gateway_signature(*, secret: str, timestamp: int, body: bytes) -> str:
    digest = hmac.new(secret.encode(), f"{timestamp}.".encode() + body, hashlib.sha256).hexdigest()
    return f"t={timestamp},v1={digest}"


def gateway_signature_is_valid(*, secret: str, header: str, body: bytes, now: float | None = None) -> bool:
    """True for a right and fresh signature: an old one could be a replay."""
    parts = dict(part.split("=", 1) for part in header.split(",") if "=" in part)
    timestamp = parts.get("t", "")
    if not (timestamp.isascii() and timestamp.isdigit()):
        return False
    seconds = time.time() if now is None else now
    if abs(seconds - int(timestamp)) > GATEWAY_TOLERANCE_SECONDS:
        return False
    expected = gateway_signature(secret=secret, timestamp=int(timestamp), body=body)
    return hmac.compare_digest(expected.encode(), f"t={timestamp},v1={parts.get('v1', '')}".encode())
