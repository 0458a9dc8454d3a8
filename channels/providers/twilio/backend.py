"""SMS by Twilio's Messages API, through its SDK. Reports are read in `webhooks.twilio`."""

import json
from base64 import b64encode
from collections.abc import Mapping
from functools import lru_cache
from typing import Any
from urllib.parse import urlencode, urlsplit

import structlog
from twilio.base.exceptions import (  # type: ignore[import-untyped] # ships annotations without the marker
    TwilioRestException,
    TwilioServiceException,
)
from twilio.http.response import Response  # type: ignore[import-untyped]
from twilio.rest import Client  # type: ignore[import-untyped]

from channels import calls
from channels.base import SenderConfig
from channels.errors import SendError
from channels.providers.twilio.codes import REASONS
from channels.providers.twilio.settings import API, CALLBACK_PATH, TwilioSettings
from channels.types import FailureReason, Message, Receipt
from core import http

log = structlog.get_logger(__name__)

# Twilio, "Message resource": how long it may wait in Twilio's queue. Below a few seconds it is never sent.
SHORTEST_VALIDITY, LONGEST_VALIDITY = 30, 36_000
_LONGEST_ID = 64

_FAILED = frozenset({"failed", "undelivered", "canceled"})


class TwilioBackend(calls.HttpBackend):
    """Twilio's Messages API. See `channels.base.Backend`."""

    def send(self, message: Message, sender: SenderConfig[TwilioSettings]) -> Receipt:
        fields, account = _fields(message, sender.settings), sender.settings
        client = _sdk(account.account_sid, account.auth_tokens[0], str(API), self._client)
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
        message_id = calls.message_id(created.sid, longest=_LONGEST_ID)
        if not message_id:
            log.warning("twilio.answer_unreadable", delivery_id=str(message.delivery_id))
            return Receipt(certain=False)
        return Receipt(provider_message_id=message_id)


def _fields(message: Message, account: TwilioSettings) -> dict[str, object]:
    if not account.account_sid or not account.auth_tokens:
        raise SendError(FailureReason.MISCONFIGURED, detail="account SID or auth token is empty")
    if not account.messaging_service_sid and not account.from_number:
        raise SendError(FailureReason.MISCONFIGURED, detail="neither From nor a Messaging Service is set")
    fields: dict[str, object] = {
        "to": message.phone,
        "body": message.text,
        # Otherwise an SMS that Twilio held back arrives hours later with a dead code.
        "validity_period": min(max(message.valid_seconds, SHORTEST_VALIDITY), LONGEST_VALIDITY),
    }
    if account.messaging_service_sid:
        fields["messaging_service_sid"] = account.messaging_service_sid
    else:
        fields["from_"] = account.from_number
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
        return calls.refusal(answer)
    return calls.refusal(answer, REASONS.get(code), code)


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
        timeout: float | None = None,  # noqa: ARG002 # ours is set in `core.http`
        allow_redirects: bool = False,  # noqa: ARG002 # never
    ) -> Any:  # noqa: ANN401 # untyped
        if method != "POST" or params or auth is None:
            raise NotImplementedError("only messages are created here")
        basic = b64encode(":".join(auth).encode()).decode()
        answer = calls.post(
            self._client or http.shared(),
            uri,
            content=urlencode(data or {}).encode(),
            headers={**(headers or {}), "Authorization": f"Basic {basic}"},
        )
        body = answer.json_object()
        if answer.is_taken and body is None:
            raise http.AnswerLost("not a JSON object")
        return Response(answer.status, json.dumps(_read(body or {})))


def _read(body: Mapping[str, Any]) -> dict[str, object]:
    """What is read of an answer. The SDK parses more, dates among it, and fails on odd ones: the SMS is on its way
    then, and would be sent again."""
    texts = {name: body.get(name) for name in ("sid", "status") if isinstance(body.get(name), str)}
    numbers = {
        name: body.get(name) for name in ("error_code", "code") if isinstance(body.get(name), int | str)
    }
    return texts | numbers
