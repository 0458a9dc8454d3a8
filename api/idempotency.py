"""Idempotency-Key on POST /challenges: one key starts one challenge, however often it is sent, also in parallel.

A key belongs to its client. The `client_id` of a public client is known to everyone, so there it also belongs to the
address that sent it. The same key with the same body gives the same challenge without another message; with another
body it is refused for as long as the limiter remembers it (15 minutes). The number of remembered keys is limited.
"""

import json
import re
import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from django.http import HttpRequest
from django.utils.crypto import salted_hmac

from abuse import limiter, throttle
from api.authentication import Caller
from api.errors import Problem
from core.addresses import network_of

# A quoted string, as the draft of the header has it, or the bare word that most clients send.
_KEY = re.compile(r'"?([\x21\x23-\x7e]{1,255})"?\Z')


@dataclass(frozen=True, kw_only=True)
class IdempotencyKey:
    """`token` goes to `otp.services.start_challenge` as its `form_token`; "" when there is no key."""

    token: str
    name: str = ""
    body_digest: uuid.UUID | None = None
    ceiling: tuple[str, str] = ("", "")

    def claim(self) -> None:
        """Bind the key to this body. Raises Problem when it is bound to another one; RateLimited and Unavailable."""
        if not self.token:
            return
        name, subject = self.ceiling
        limit = throttle.ceiling(name)
        rule = limiter.Rule(name=name, amount=limit.amount, period_seconds=limit.seconds)
        charge = limiter.Charge(rule=rule, subject=subject)  # new keys only: a repeat is free
        first_body = limiter.charge([charge], once=self.name, candidate=self.body_digest).first
        if first_body not in (None, self.body_digest):
            raise Problem("invalid_request", "This Idempotency-Key was used with a different body.")


def read(request: HttpRequest, *, caller: Caller, data: Mapping[str, Any]) -> IdempotencyKey:
    """Raises Problem for a malformed key."""
    header = request.META.get("HTTP_IDEMPOTENCY_KEY")
    if header is None:
        return IdempotencyKey(token="")
    match = _KEY.match(header.strip())
    if match is None:
        raise Problem("invalid_request", "Idempotency-Key: must be 1 to 255 visible ASCII characters.")
    client = caller.client
    if client.is_confidential:
        ceiling = ("idempotency.client", str(client.pk))
    else:
        ceiling = ("idempotency.address", network_of(request.META.get("REMOTE_ADDR", "")))
    owner = str(client.pk) if client.is_confidential else f"{client.pk}:{ceiling[1]}"
    body = _digest("body", json.dumps(data, sort_keys=True))
    name = _digest("key", f"{owner}:{match[1]}")
    return IdempotencyKey(
        token=f"api:{name}:{body}", name=f"api:{name}", body_digest=uuid.UUID(body[:32]), ceiling=ceiling
    )


def _digest(what: str, text: str) -> str:
    """Keyed, because phone numbers are few enough to hash them all."""
    return salted_hmac(f"api.idempotency.{what}", text, algorithm="sha256").hexdigest()
