"""A signed assertion that a number was just verified, for servers that need no more: step-up, checkout."""

from datetime import timedelta
from typing import Any

from core.ids import new_id
from oidc import keys
from oidc.models import Client
from otp.types import Proven
from users import amr

VALID = timedelta(minutes=2)
# Explicit typing, so that no verifier takes it for an ID token (RFC 8725 3.11).
TYPE = "phone-verification+jwt"


def sign(proven: Proven, *, client: Client, challenge: str, issuer: str) -> dict[str, Any]:
    """The answer. The JWT holds the challenge's id in the API, so a server can tell whether it expects this one."""
    issued = int(proven.at.timestamp())
    claims = {
        "iss": issuer,
        "aud": client.client_id,
        "iat": issued,
        "exp": issued + int(VALID.total_seconds()),
        "jti": new_id().hex,
        "challenge_id": challenge,
        "phone_number": proven.phone,
        "phone_number_verified": True,
        "amr": list(amr.methods(sms_sent=proven.sms_sent)),
    }
    signed = keys.sign(claims, algorithm=client.algorithm, typ=TYPE)
    return {"assertion": signed, "expires_in": int(VALID.total_seconds())}
