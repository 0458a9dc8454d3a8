"""The signed word that a number was just proven, for servers that want to know no more: step-up, checkout."""

from datetime import timedelta
from typing import Any

from oidc import keys, policy
from oidc.models import Client
from otp.types import Proven
from projects.ids import new_id

VALID = timedelta(minutes=2)
# Says what it is, so that nobody takes it for an ID token (RFC 8725 3.11).
TYPE = "phone-verification+jwt"


def sign(proven: Proven, *, client: Client, challenge: str, issuer: str) -> dict[str, Any]:
    """The answer. The JWT names the challenge by its id in the API, so a server knows whether it waits for this one."""
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
        "amr": list(policy.amr(sms_sent=proven.sms_sent)),
    }
    signed = keys.sign(claims, algorithm=client.algorithm, typ=TYPE)
    return {"assertion": signed, "expires_in": int(VALID.total_seconds())}
