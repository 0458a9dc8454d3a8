"""What the API says: a challenge, tokens, an assertion. Never a code, never a number that was not proven just now."""

from datetime import datetime
from typing import Any

from django.http import HttpResponse, JsonResponse

from oidc.types import Tokens
from otp.types import ChallengeView, Verified


def json(data: dict[str, Any], *, status: int = 200) -> HttpResponse:
    """Nobody stores it: it is true for a moment, or holds tokens."""
    response = JsonResponse(data, status=status)
    response.headers["Cache-Control"] = "no-store"
    return response


def _time(at: datetime) -> str:
    """RFC 3339, UTC."""
    return at.isoformat().replace("+00:00", "Z")


def challenge(view: ChallengeView, *, name: str) -> dict[str, Any]:
    """`name` is its id in the API (api.handles)."""
    return {
        "id": name,
        "phone_masked": view.phone_masked,
        "channel": view.channel.value,
        "channels": [channel.value for channel in view.channels],
        "code_length": view.code_length,
        "expires_at": _time(view.expires_at),
        # A channel that the project has given up meanwhile cannot be asked for again.
        "resend_at": _time(view.resend_at.get(view.channel, view.expires_at)),
        "attempts_left": view.attempts_left,
        "state": view.state.value,
        "deliveries": [
            {
                "channel": delivery.channel.value,
                "status": delivery.status.word,
                **({"error": delivery.reason.value} if delivery.reason else {}),
                "at": _time(delivery.at),
            }
            for delivery in view.deliveries
        ],
    }


def tokens(given: Tokens, *, verified: Verified) -> dict[str, Any]:
    """RFC 6749 5.1, with who it is."""
    return {
        "access_token": given.access_token,
        "token_type": "Bearer",
        "expires_in": given.expires_in,
        "refresh_token": given.refresh_token,
        "scope": given.scope,
        "id_token": given.id_token,
        "user": {"id": str(verified.user_id), "phone_number": verified.phone, "is_new": verified.is_new},
    }
