"""Idempotency-Key on POST /challenges: one key is one wish, however often it comes and in parallel.

A key belongs to its client. With the same body it gives the same challenge, without another message; with another
body it is refused, for as long as the limiter remembers (15 minutes).
"""

import json
import re
import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from django.http import HttpRequest
from django.utils.crypto import salted_hmac

from api.callers import Caller
from api.errors import Problem
from otp import limiter

# A string of structured fields as the draft of the header has it, or the bare word that most clients send.
_KEY = re.compile(r'"?([\x21\x23-\x7e]{1,255})"?\Z')


@dataclass(frozen=True, kw_only=True)
class Wish:
    """`token` goes to `otp.services.start_challenge` as its `form_token`; "" when there is no key."""

    token: str
    name: str = ""
    body: uuid.UUID | None = None

    def claim(self) -> None:
        """The key now belongs to this body. Raises Problem when it belongs to another, and Unavailable."""
        if not self.token:
            return
        first = limiter.charge([], once=self.name, candidate=self.body).first
        if first not in (None, self.body):
            raise Problem("invalid_request", "This Idempotency-Key came with another body before.")


def read(request: HttpRequest, *, caller: Caller, data: Mapping[str, Any]) -> Wish:
    """Raises Problem for a key that is none."""
    given = request.headers.get("Idempotency-Key")
    if given is None:
        return Wish(token="")
    found = _KEY.match(given.strip())
    if found is None:
        raise Problem("invalid_request", "Idempotency-Key: must be 1 to 255 visible ASCII characters.")
    body = _digest("body", json.dumps(data, sort_keys=True))
    name = _digest("key", f"{caller.client.pk}:{found[1]}")
    return Wish(token=f"api:{name}:{body}", name=f"api:{name}", body=uuid.UUID(body[:32]))


def _digest(what: str, text: str) -> str:
    """Keyed: a body holds a number, and there are few enough numbers to try them all."""
    return salted_hmac(f"api.idempotency.{what}", text, algorithm="sha256").hexdigest()
