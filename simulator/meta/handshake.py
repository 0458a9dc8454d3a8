"""Meta's GET request that verifies a webhook address."""

import secrets

import httpx

from simulator.server.poster import FAILURES, trusted

TIMEOUT_SECONDS = 5.0


def perform(webhook_url: str, *, verify_token: str) -> tuple[int | None, bool]:
    """The status of the answer (None: no answer) and whether it is exactly the challenge."""
    challenge = str(secrets.randbelow(10**9))
    query = {"hub.mode": "subscribe", "hub.challenge": challenge, "hub.verify_token": verify_token}
    try:
        answer = httpx.get(
            webhook_url, params=query, timeout=TIMEOUT_SECONDS, trust_env=False, verify=trusted()
        )
    except FAILURES:
        return None, False
    return answer.status_code, answer.status_code == 200 and answer.content == challenge.encode()
