"""Meta's GET handshake with a webhook address."""

import http.client
import secrets
from urllib.parse import urlencode, urlsplit

TIMEOUT_SECONDS = 5.0


def perform(webhook_url: str, *, verify_token: str) -> tuple[int | None, bool]:
    """The status of the answer (None: no answer) and whether it is exactly the challenge."""
    parts = urlsplit(webhook_url)
    challenge = str(secrets.randbelow(10**9))
    query = {"hub.mode": "subscribe", "hub.challenge": challenge, "hub.verify_token": verify_token}
    kind = http.client.HTTPSConnection if parts.scheme == "https" else http.client.HTTPConnection
    connection = kind(parts.netloc, timeout=TIMEOUT_SECONDS)
    try:
        connection.request("GET", f"{parts.path or '/'}?{urlencode(query)}")
        answer = connection.getresponse()
        body = answer.read(1024)
    except (OSError, http.client.HTTPException):
        return None, False
    finally:
        connection.close()
    return answer.status, answer.status == 200 and body == challenge.encode()
