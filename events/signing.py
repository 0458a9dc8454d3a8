"""Standard Webhooks 1.0: https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md"""

import base64
import hmac
import uuid

from events.models import SECRET_PREFIX


def headers(*, secret: str, event_id: uuid.UUID, timestamp: int, body: str) -> dict[str, str]:
    """The headers of one post. Raises ValueError for a secret that is not base64."""
    key = base64.b64decode(secret.removeprefix(SECRET_PREFIX), validate=True)
    signed = hmac.digest(key, f"{event_id}.{timestamp}.{body}".encode(), "sha256")
    return {
        "Content-Type": "application/json",
        "webhook-id": str(event_id),
        "webhook-timestamp": str(timestamp),
        "webhook-signature": f"v1,{base64.b64encode(signed).decode()}",
    }
