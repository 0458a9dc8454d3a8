"""What the API answers. The fields document it for OpenAPI; `render` makes it, because serializing field by field costs
a tenth of a whole call. Tests compare the two. Never a code, never a number that was not proven just now."""

from datetime import datetime
from typing import Any

from rest_framework import serializers

from api import challenge_ids
from api.errors import CODES
from channels.types import Channel, FailureReason, Status
from oidc import types as oidc_types
from otp import services
from otp.types import ChallengeView, State, Verified

_CHANNELS = [channel.value for channel in Channel]
_STATUSES = list(dict.fromkeys(status.word for status in Status))


class Delivery(serializers.Serializer[Any]):
    """One message. `accepted`: the provider took it; `expired`: no news within the window."""

    channel = serializers.ChoiceField(_CHANNELS)
    status = serializers.ChoiceField(_STATUSES)
    error = serializers.ChoiceField(
        [reason.value for reason in FailureReason],
        required=False,
        help_text="Why it did not arrive, or may not have.",
    )
    at = serializers.DateTimeField(help_text="When it got this status.")


class Challenge(serializers.Serializer[Any]):
    """One request to prove a phone number."""

    id = serializers.RegexField(
        challenge_ids.PATTERN,
        help_text="A bearer value: whoever has it may guess. Keep it out of logs and URLs of pages.",
    )
    phone_masked = serializers.CharField()
    channel = serializers.ChoiceField(_CHANNELS, help_text="The one in use: that of the newest delivery.")
    channels = serializers.ListField(
        child=serializers.ChoiceField(_CHANNELS), help_text="Those that may be asked for."
    )
    code_length = serializers.IntegerField(min_value=6, max_value=10)
    expires_at = serializers.DateTimeField()
    resend_at = serializers.DateTimeField(
        help_text="From when the code may be sent again on the channel in use. Another one may be chosen at any time."
    )
    attempts_left = serializers.IntegerField(min_value=0)
    state = serializers.ChoiceField([state.value for state in State])
    deliveries = Delivery(many=True, help_text="Oldest first.")

    @staticmethod
    def render(view: ChallengeView, *, id: str) -> dict[str, Any]:  # noqa: A002 # the contract's name
        """`id` in the API (api.challenge_ids)."""
        public = services.public_fields(view, time=_time)
        return {
            "id": id,
            "phone_masked": public["phone_masked"],
            "channel": public["channel"],
            "channels": public["channels"],
            "code_length": view.code_length,
            "expires_at": public["expires_at"],
            # A channel that the project has given up meanwhile cannot be asked for again.
            "resend_at": _time(view.resend_at.get(view.channel, view.expires_at)),
            **public,
        }


def _time(at: datetime) -> str:
    """RFC 3339, UTC."""
    return at.isoformat().replace("+00:00", "Z")


class User(serializers.Serializer[Any]):
    id = serializers.UUIDField(help_text="The `sub` of tokens: stable and opaque.")
    phone_number = serializers.CharField(help_text="E.164")
    is_new = serializers.BooleanField(help_text="Whether this was the first login with the number.")


class Tokens(serializers.Serializer[Any]):
    """An OAuth 2.0 token response (RFC 6749 5.1), with who it is."""

    access_token = serializers.CharField()
    token_type = serializers.ChoiceField(["Bearer"])
    expires_in = serializers.IntegerField(help_text="Seconds.")
    refresh_token = serializers.CharField(help_text="For POST /oauth2/token/; good once.")
    scope = serializers.CharField()
    id_token = serializers.CharField()
    user = User()

    @staticmethod
    def render(tokens: oidc_types.Tokens, *, verified: Verified) -> dict[str, Any]:
        return {
            "access_token": tokens.access_token,
            "token_type": "Bearer",
            "expires_in": tokens.expires_in,
            "refresh_token": tokens.refresh_token,
            "scope": tokens.scope,
            "id_token": tokens.id_token,
            "user": {
                "id": str(verified.user_id),
                "phone_number": verified.phone,
                "is_new": verified.is_new,
            },
        }


class Assertion(serializers.Serializer[Any]):
    """Only that the number was proven just now: no user, no session, no tokens."""

    assertion = serializers.CharField(
        help_text="A JWT of the type phone-verification+jwt, signed by a key of the JWKS, for this client, for two "
        "minutes. Claims: iss, aud, iat, exp, jti, challenge_id, phone_number, phone_number_verified, amr."
    )
    expires_in = serializers.IntegerField(help_text="Seconds.")


class Problem(serializers.Serializer[Any]):
    """RFC 9457. `code` is stable; `title` and `detail` are for developers."""

    type = serializers.CharField()
    title = serializers.CharField()
    status = serializers.IntegerField()
    detail = serializers.CharField()
    code = serializers.ChoiceField(list(CODES))
    attempts_left = serializers.IntegerField(required=False, help_text="With wrong_code.")
    reason = serializers.CharField(required=False, help_text="With invalid_phone.")
    invalid_params = serializers.DictField(
        child=serializers.CharField(),
        required=False,
        help_text="With invalid_request: what is wrong, by field.",
    )
