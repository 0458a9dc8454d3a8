"""SMS by Twilio's Messages API, through its SDK. Reports are read in `webhooks.twilio`."""

from base64 import b64encode
from collections.abc import Mapping
from functools import lru_cache
from types import MappingProxyType
from typing import Any
from urllib.parse import urlencode, urlsplit

import structlog
from django.conf import settings
from twilio.base.exceptions import (  # type: ignore[import-untyped] # ships annotations without the marker
    TwilioRestException,
    TwilioServiceException,
)
from twilio.http.response import Response  # type: ignore[import-untyped]
from twilio.rest import Client  # type: ignore[import-untyped]

from channels import http
from channels.base import SenderConfig
from channels.errors import SendError
from channels.types import FailureReason, Message, Receipt

log = structlog.get_logger(__name__)

CALLBACK_PATH = "/sms/twilio/status"
# Twilio, "Message resource": how long it may wait in Twilio's queue. Below a few seconds it is never sent.
SHORTEST_VALIDITY, LONGEST_VALIDITY = 30, 36_000
_LONGEST_ID = 64

# Twilio, "Error and warning dictionary". Titles in the comments. What comes of a reason: `channels.errors`.
REASONS: Mapping[int, FailureReason] = MappingProxyType(
    {
        # Account and API
        11200: FailureReason.MISCONFIGURED,  # Twilio could not fetch our callback URL
        14107: FailureReason.RATE_LIMITED,  # SMS send rate limit exceeded
        20003: FailureReason.MISCONFIGURED,  # authentication
        20008: FailureReason.MISCONFIGURED,  # not accessible with test credentials
        20404: FailureReason.MISCONFIGURED,  # not found: wrong account SID or path
        20429: FailureReason.RATE_LIMITED,  # too many requests
        20500: FailureReason.UNAVAILABLE,  # internal error
        20503: FailureReason.UNAVAILABLE,  # service unavailable
        # The request
        21211: FailureReason.INVALID_NUMBER,  # invalid To
        21212: FailureReason.MISCONFIGURED,  # invalid From
        21219: FailureReason.MISCONFIGURED,  # trial account: To not verified
        21408: FailureReason.REFUSED,  # geo permission not enabled: one country, the others go on
        21602: FailureReason.BAD_REQUEST,  # Body missing
        21603: FailureReason.BAD_REQUEST,  # From or Messaging Service missing
        21604: FailureReason.BAD_REQUEST,  # To missing
        21606: FailureReason.MISCONFIGURED,  # From not message-capable
        21608: FailureReason.MISCONFIGURED,  # trial account: To not verified
        21610: FailureReason.BLOCKED_BY_USER,  # recipient opted out by STOP
        21611: FailureReason.RATE_LIMITED,  # queue of this From is full
        21612: FailureReason.REFUSED,  # To and From do not go together
        21614: FailureReason.NOT_ON_CHANNEL,  # To is not a mobile number
        21617: FailureReason.BAD_REQUEST,  # Body too long
        21635: FailureReason.NOT_ON_CHANNEL,  # To is a landline
        21656: FailureReason.BAD_REQUEST,  # ContentVariables invalid
        21703: FailureReason.MISCONFIGURED,  # Messaging Service without a usable number
        21704: FailureReason.MISCONFIGURED,  # Messaging Service is empty
        21705: FailureReason.MISCONFIGURED,  # Messaging Service is invalid
        # The delivery
        30001: FailureReason.HELD,  # queue overflow, or waited longer than the code lives
        30002: FailureReason.ACCOUNT_BLOCKED,  # account suspended
        30003: FailureReason.UNREACHABLE,  # handset unreachable
        30004: FailureReason.BLOCKED_BY_USER,  # message blocked: do-not-disturb registry, earlier STOP
        30005: FailureReason.INVALID_NUMBER,  # unknown destination handset
        30006: FailureReason.NOT_ON_CHANNEL,  # landline or unreachable carrier
        30007: FailureReason.REFUSED,  # filtered by Twilio or the carrier
        30008: FailureReason.UNREACHABLE,  # unknown error from the carrier
        30017: FailureReason.UNREACHABLE,  # carrier congestion
        30018: FailureReason.MISCONFIGURED,  # sender id needs registration
        30022: FailureReason.RATE_LIMITED,  # US A2P 10DLC: rate exceeded
        30023: FailureReason.ACCOUNT_BLOCKED,  # US A2P 10DLC: daily cap
        30024: FailureReason.MISCONFIGURED,  # sender id not provisioned on the carrier
        30027: FailureReason.ACCOUNT_BLOCKED,  # US A2P 10DLC: T-Mobile daily limit
        30032: FailureReason.MISCONFIGURED,  # toll-free number not verified
        30034: FailureReason.MISCONFIGURED,  # US A2P 10DLC: unregistered number
        30035: FailureReason.MISCONFIGURED,  # number still being configured
        30037: FailureReason.ACCOUNT_BLOCKED,  # outbound messaging disabled
        30042: FailureReason.MISCONFIGURED,  # sender id generic or with special characters
        30410: FailureReason.UNREACHABLE,  # provider timeout; not tried again by Twilio, to avoid duplicates
        30450: FailureReason.FRAUD_BLOCKED,  # SMS Pumping Protection
        30453: FailureReason.FRAUD_BLOCKED,  # SMS Pumping Protection
        30500: FailureReason.UNAVAILABLE,  # Twilio internal error
    }
)
_FAILED = frozenset({"failed", "undelivered", "canceled"})


class TwilioBackend:
    """Twilio's Messages API. See `channels.base.Backend`."""

    def __init__(self, client: http.HttpClient | None = None) -> None:
        self._client = client

    def send(self, message: Message, sender: SenderConfig) -> Receipt:
        fields = _fields(message, sender)
        client = _sdk(sender.account_sid, sender.auth_tokens[0], settings.TWILIO_API_URL, self._client)
        try:
            created = client.messages.create(**fields)
        except http.AnswerLost as lost:
            # No idempotency key: the SMS may be on its way. Its reports name our delivery in the callback URL.
            log.warning("twilio.answer_lost", delivery_id=str(message.delivery_id), error=str(lost))
            return Receipt(certain=False)
        except (TwilioRestException, TwilioServiceException) as error:
            # Not chained: its text can hold the whole number, and tracebacks are logged.
            raise _refusal(status=error.status, code=error.code) from None
        if created.status in _FAILED:
            raise _refusal(status=201, code=created.error_code)
        if not isinstance(created.sid, str) or not 0 < len(created.sid) <= _LONGEST_ID:
            log.warning("twilio.answer_unreadable", delivery_id=str(message.delivery_id))
            return Receipt(certain=False)
        return Receipt(provider_message_id=created.sid)


def _fields(message: Message, sender: SenderConfig) -> dict[str, object]:
    if not sender.account_sid or not sender.auth_tokens:
        raise SendError(FailureReason.MISCONFIGURED, detail="account SID or auth token is empty")
    if not sender.messaging_service_sid and not sender.from_number:
        raise SendError(FailureReason.MISCONFIGURED, detail="neither From nor a Messaging Service is set")
    fields: dict[str, object] = {
        "to": message.phone,
        "body": message.text,
        # Otherwise an SMS that Twilio held back arrives hours later with a dead code.
        "validity_period": min(max(message.valid_seconds, SHORTEST_VALIDITY), LONGEST_VALIDITY),
    }
    if sender.messaging_service_sid:
        fields["messaging_service_sid"] = sender.messaging_service_sid
    else:
        fields["from_"] = sender.from_number
    # Twilio refuses the whole message when the callback's host name holds an underscore.
    if message.callback_origin and "_" not in (urlsplit(message.callback_origin).hostname or "_"):
        fields["status_callback"] = f"{message.callback_origin}{CALLBACK_PATH}?delivery={message.delivery_id}"
    else:
        log.warning("twilio.no_callback", delivery_id=str(message.delivery_id))
    return fields


def _refusal(*, status: int, code: object) -> SendError:
    answer = http.Answer(status=status, body=b"")
    # The SDK puts the HTTP status where the code should be when the body is not Twilio's.
    if not isinstance(code, int) or isinstance(code, bool) or code < 1000:
        return SendError(answer.status_reason, provider_code=answer.status_code)
    return SendError(REASONS.get(code, answer.status_reason), provider_code=str(code)[:20])


@lru_cache(maxsize=64)
def _sdk(account_sid: str, auth_token: str, base_url: str, client: http.HttpClient | None) -> Any:  # noqa: ANN401 # untyped
    """The SDK's client for these credentials; connections are pooled below it."""
    # A mapping of our own, or the SDK takes a region from the process's environment and rewrites the host.
    sdk = Client(account_sid, auth_token, http_client=_SdkHttp(client), environment={"TWILIO_REGION": ""})
    sdk.api.base_url = base_url
    return sdk


class _SdkHttp:
    """Does HTTP for the SDK (Twilio, "Custom HTTP clients"): its own has no limit for a whole call, nor for a body."""

    def __init__(self, client: http.HttpClient | None) -> None:
        self._client = client

    def request(
        self,
        method: str,
        uri: str,
        params: Mapping[str, object] | None = None,
        data: Mapping[str, object] | None = None,
        headers: Mapping[str, str] | None = None,
        auth: tuple[str, str] | None = None,
        timeout: float | None = None,  # noqa: ARG002 # ours is set in `channels.http`
        allow_redirects: bool = False,  # noqa: ARG002 # never
    ) -> Any:  # noqa: ANN401 # untyped
        if method != "POST" or params or auth is None:
            raise NotImplementedError("only messages are created here")
        basic = b64encode(":".join(auth).encode()).decode()
        answer = (self._client or http.shared()).post(
            uri,
            content=urlencode(data or {}).encode(),
            headers={**(headers or {}), "Authorization": f"Basic {basic}"},
        )
        if answer.is_taken and answer.json_object() is None:
            raise http.AnswerLost("not a JSON object")
        return Response(answer.status, answer.body.decode(errors="replace"))
