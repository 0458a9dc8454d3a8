"""SMS by Vonage's Messages API. Reports are read in `webhooks.vonage`.

Vonage, "Messages API reference" and "Messages API errors". An error names its code in its type:
`https://developer.vonage.com/api-errors/messages#1240`, or a word where it is about the account (`#low-balance`).
"""

import json
import re
from base64 import b64encode
from collections.abc import Iterator, Mapping
from functools import cached_property
from types import MappingProxyType
from typing import Annotated, Any

import structlog
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from pydantic import Field, SecretStr

from channels import calls, own_address
from channels.base import SenderConfig
from channels.errors import SendError
from channels.findings import Finding, clock, fail, ok, warn
from channels.provider import Provider, Reports
from channels.provider_settings import Input, ProviderSettings, Secret, SenderId, matching, tokens
from channels.setup import Setup, Step, StepName, Surroundings
from channels.types import Channel, FailureReason, Message, Receipt
from core import http

log = structlog.get_logger(__name__)

API = calls.ApiUrl("vonage", "https://api.nexmo.com")
CALLBACK_PATH = "/sms/vonage/status"
# How long an SMS may wait to be delivered; below this Vonage refuses it.
SHORTEST_TTL = 20
_LONGEST_ID = 64

REASONS: Mapping[str, FailureReason] = MappingProxyType(
    {
        # The account
        "unauthorized": FailureReason.MISCONFIGURED,
        "forbidden": FailureReason.MISCONFIGURED,
        "invalid-api-key": FailureReason.MISCONFIGURED,
        "unprovisioned": FailureReason.MISCONFIGURED,
        "account-suspended": FailureReason.ACCOUNT_BLOCKED,
        "low-balance": FailureReason.PAYMENT,
        "throttled": FailureReason.RATE_LIMITED,
        "invalid-params": FailureReason.BAD_REQUEST,
        "1060": FailureReason.ACCOUNT_BLOCKED,  # partner account barred
        "1070": FailureReason.PAYMENT,  # partner quota exceeded
        "1080": FailureReason.MISCONFIGURED,  # account not enabled for REST
        "1140": FailureReason.MISCONFIGURED,  # facility not allowed
        "1160": FailureReason.MISCONFIGURED,  # destination not among those of a trial account
        "1460": FailureReason.RATE_LIMITED,  # daily message limit exceeded
        # The request
        "1000": FailureReason.RATE_LIMITED,  # throttled
        "1010": FailureReason.BAD_REQUEST,  # missing parameters
        "1020": FailureReason.BAD_REQUEST,  # invalid parameters
        "1030": FailureReason.UNAVAILABLE,  # internal error
        "1040": FailureReason.INVALID_NUMBER,  # invalid message, such as an unknown prefix
        "1090": FailureReason.BAD_REQUEST,  # message too long
        "1100": FailureReason.UNAVAILABLE,  # communication failed
        "1120": FailureReason.MISCONFIGURED,  # illegal sender address
        "1130": FailureReason.BAD_REQUEST,  # invalid TTL
        "1150": FailureReason.BAD_REQUEST,  # invalid message class
        "1420": FailureReason.MISCONFIGURED,  # invalid sender
        "1430": FailureReason.INVALID_NUMBER,  # invalid recipient
        # The recipient
        "1050": FailureReason.BLOCKED_BY_USER,  # number barred
        "1170": FailureReason.INVALID_NUMBER,  # invalid or missing number
        "1180": FailureReason.UNREACHABLE,  # absent subscriber, temporary
        "1190": FailureReason.INVALID_NUMBER,  # absent subscriber, permanent
        "1200": FailureReason.UNREACHABLE,  # portability error
        "1210": FailureReason.REFUSED,  # rejected as spam
        "1220": FailureReason.UNREACHABLE,  # handset busy
        "1230": FailureReason.UNREACHABLE,  # network error
        "1240": FailureReason.INVALID_NUMBER,  # illegal number
        "1241": FailureReason.PAIR_LIMITED,  # too many messages to this number
        "1250": FailureReason.REFUSED,  # unroutable
        "1260": FailureReason.UNREACHABLE,  # destination unreachable
        "1270": FailureReason.REFUSED,  # subscriber age restriction
        "1280": FailureReason.REFUSED,  # blocked by the carrier
        "1290": FailureReason.UNREACHABLE,  # the recipient's prepaid account is empty
        "1360": FailureReason.HELD,  # not delivered within its TTL
        "1470": FailureReason.FRAUD_BLOCKED,  # a rule of Fraud Defender
    }
)
_CODE = re.compile(r"#([a-z0-9-]{1,20})\Z")


class VonageSettings(ProviderSettings):
    api_key: Annotated[
        str,
        Field(max_length=32),
        matching(re.compile(r"[0-9A-Za-z]+\Z"), lambda: gettext("must be letters and digits")),
        Input(_("API key")),
    ]
    api_secret: Annotated[Secret, Input(_("API secret"))]
    signature_secret: Annotated[Secret, Input(_("Signature secret"))]
    signature_secret_previous: Annotated[
        Secret, Input(_("Previous signature secret"), _("Still accepted on reports while you rotate."))
    ] = SecretStr("")
    from_number: Annotated[SenderId, Input(_("From"), key="from")]

    @cached_property
    def signature_secrets(self) -> tuple[str, ...]:
        return tokens(self.signature_secret, self.signature_secret_previous)

    @property
    def sends_from(self) -> str:
        return self.from_number

    @property
    def reply_number(self) -> str:
        return self.from_number


class VonageBackend(calls.HttpBackend):
    """Vonage's Messages API. See `channels.base.Backend`."""

    def send(self, message: Message, sender: SenderConfig[VonageSettings]) -> Receipt:
        account = sender.settings
        headers = _authorization(account) | {"Content-Type": "application/json"}
        body = json.dumps(_payload(message, account)).encode()
        try:
            answer = calls.post(self.client, f"{API}/v1/messages", content=body, headers=headers)
        except http.AnswerLost as lost:
            # No idempotency key: the SMS may be on its way. Its reports repeat our delivery in `client_ref`.
            log.warning("vonage.answer_lost", delivery_id=str(message.delivery_id), error=str(lost))
            return Receipt(certain=False)
        return _read(answer, message)


def _authorization(account: VonageSettings) -> dict[str, str]:
    secret = account.api_secret.get_secret_value()
    if not account.api_key or not secret:
        raise SendError(FailureReason.MISCONFIGURED, detail="API key or API secret is empty")
    return {"Authorization": f"Basic {b64encode(f'{account.api_key}:{secret}'.encode()).decode()}"}


def _payload(message: Message, account: VonageSettings) -> dict[str, object]:
    if not account.from_number:
        raise SendError(FailureReason.MISCONFIGURED, detail="From is empty")
    payload: dict[str, object] = {
        "message_type": "text",
        "channel": "sms",
        "to": message.phone.removeprefix("+"),
        "from": account.from_number.removeprefix("+"),
        "text": message.text,
        # Otherwise an SMS that was held back arrives hours later with a dead code.
        "ttl": max(message.valid_seconds, SHORTEST_TTL),
        "client_ref": str(message.delivery_id),
    }
    if message.callback_origin:
        payload |= {"webhook_url": f"{message.callback_origin}{CALLBACK_PATH}", "webhook_version": "v1"}
    return payload


def _read(answer: http.Answer, message: Message) -> Receipt:
    body = answer.json_object() or {}
    if not answer.is_taken:
        code = error_code(body)
        raise calls.refusal(answer, REASONS.get(code), code or None)
    message_id = calls.message_id(body.get("message_uuid"), longest=_LONGEST_ID)
    if not message_id:
        log.warning("vonage.answer_unreadable", delivery_id=str(message.delivery_id))
        return Receipt(certain=False)
    return Receipt(provider_message_id=message_id)


def error_code(error: Mapping[str, Any]) -> str:
    """The number or word of an error, "" when it has none."""
    kind = error.get("type")
    match = _CODE.search(kind) if isinstance(kind, str) else None
    return match[1] if match else ""


def _connect(
    sender: SenderConfig[VonageSettings], _around: Surroundings, client: http.HttpClient
) -> Iterator[Finding]:
    """The Applications API takes the same credentials and sends nothing."""
    headers = _authorization(sender.settings)
    answer = calls.get(client, f"{API}/v2/applications?page_size=1", headers=headers)
    yield from clock(answer.date)
    if answer.is_taken:
        yield ok("credentials work")
    else:
        yield fail(f"Vonage refuses it: HTTP {answer.status}", "Store the API key with its current secret.")


def _check(
    sender: SenderConfig[VonageSettings], public_url: str, client: http.HttpClient
) -> Iterator[Finding]:
    yield from _connect(sender, Surroundings(), client)
    if not public_url:
        yield warn("AUTHSVC_PUBLIC_URL is not set: reports come to the address people use", "Set it.")


def _reports(
    _sender: SenderConfig[VonageSettings], around: Surroundings, client: http.HttpClient
) -> Iterator[Finding]:
    """Each message names our address, so nothing is entered at Vonage."""
    lines = list(own_address.findings(around.public_url, client))
    yield from lines
    if not lines:
        yield ok(f"our address answers; each message names {around.public_url}{CALLBACK_PATH}")


_SETUP = Setup(
    steps=(
        Step(
            name=StepName.CONNECT,
            title=_("Connect"),
            there=(
                _("dashboard.nexmo.com, API settings: copy API key, API secret and signature secret."),
                _("Numbers, Buy numbers: one with SMS; or register the name that people see."),
            ),
            here=(_("Paste them into the sender's form, save, then check."),),
            check=_connect,
        ),
        Step(
            name=StepName.REPORTS,
            title=_("Reports"),
            there=(
                _("API settings: signed webhooks are on. Each message names the address for its reports."),
            ),
            here=(
                _("This is green once a report arrived that the signature secret signed: send a test code."),
            ),
            check=_reports,
        ),
        Step(
            name=StepName.TRY,
            title=_("Try"),
            here=(_("Send a test SMS: a code that goes like one of a login."),),
        ),
    ),
)

VONAGE = Provider(
    name="vonage",
    label=_("Vonage"),
    channels=frozenset({Channel.SMS}),
    settings=VonageSettings,
    backend=VonageBackend,
    check=_check,
    setup=_SETUP,
    api=API,
    reports=Reports(
        path=CALLBACK_PATH,
        missing=(
            _("The provider's reports do not arrive"),
            _("See that AUTHSVC_PUBLIC_URL can be reached from outside."),
        ),
        refused=(
            _(
                "The provider's reports arrive, but carry a signature that this signature secret does not match"
            ),
            _("Store the signature secret that the provider's dashboard shows for this API key."),
        ),
    ),
    words_by_code=dict.fromkeys(
        ("unauthorized", "http-401"),
        (_("The API key or the API secret is wrong"), _("Store the current API secret of the account.")),
    ),
)
