"""SMS by any HTTP gateway that speaks our small signed protocol (docs: "HTTP gateway"). Reports are read in
`webhooks.http`; a gateway need not send any.

    POST <url>   {"id": "<delivery>", "to": "+…", "text": "…", "validity_seconds": n}
    X-Authsvc-Signature: t=<unix seconds>,v1=<hex HMAC-SHA256 of "<t>." and the raw body, by the signing secret>

2xx: taken, `{"id": "…"}` is optional. 4xx: `{"error": "<word>"}` with a word of `REASONS`. The delivery's id is the
same for each copy of one message, so a gateway can tell them apart. Its reports are signed in the same way.
"""

import hashlib
import hmac
import json
import time
from collections.abc import Iterator, Mapping
from functools import cached_property, partial
from types import MappingProxyType
from typing import Annotated

import structlog
from django.utils.translation import gettext_lazy as _
from pydantic import Field, SecretStr

from channels import calls, own_address
from channels.base import SenderConfig
from channels.errors import SendError
from channels.findings import Finding, fail, ok, warn
from channels.provider import Provider, Question, Reports
from channels.provider_settings import Input, ProviderSettings, Secret, rule, tokens
from channels.setup import Setup, Step, StepName, Surroundings
from channels.types import Channel, FailureReason, Message, Receipt
from core import http, outgoing

log = structlog.get_logger(__name__)

CALLBACK_PATH = "/sms/http/status"
SIGNATURE_HEADER = "X-Authsvc-Signature"
_LONGEST_ID = 255

REASONS: Mapping[str, FailureReason] = MappingProxyType(
    {
        "invalid_number": FailureReason.INVALID_NUMBER,
        "not_mobile": FailureReason.NOT_ON_CHANNEL,
        "unreachable": FailureReason.UNREACHABLE,
        "opted_out": FailureReason.BLOCKED_BY_USER,
        "recipient_opted_out": FailureReason.BLOCKED_BY_USER,
        "refused": FailureReason.REFUSED,
        "country_not_allowed": FailureReason.REFUSED,
        "rate_limited": FailureReason.RATE_LIMITED,
        "unavailable": FailureReason.UNAVAILABLE,
        "internal_error": FailureReason.UNAVAILABLE,
        "unauthorized": FailureReason.MISCONFIGURED,
        "invalid_signature": FailureReason.MISCONFIGURED,
        "invalid_sender": FailureReason.MISCONFIGURED,
        "payment_required": FailureReason.PAYMENT,
        "account_blocked": FailureReason.ACCOUNT_BLOCKED,
        "fraud_blocked": FailureReason.FRAUD_BLOCKED,
        "invalid_request": FailureReason.BAD_REQUEST,
    }
)


class GatewaySettings(ProviderSettings):
    url: Annotated[str, Field(max_length=500), rule(outgoing.url_problem), Input(_("URL"))]
    signing_secret: Annotated[Secret, Input(_("Signing secret"))]
    signing_secret_previous: Annotated[
        Secret, Input(_("Previous signing secret"), _("Still accepted on reports while you rotate."))
    ] = SecretStr("")

    @cached_property
    def signing_secrets(self) -> tuple[str, ...]:
        return tokens(self.signing_secret, self.signing_secret_previous)

    @property
    def sends_from(self) -> str:
        return self.url


class GatewayBackend(calls.HttpBackend):
    """A generic HTTP gateway. See `channels.base.Backend`."""

    def send(self, message: Message, sender: SenderConfig[GatewaySettings]) -> Receipt:
        url, secret = sender.settings.url, sender.settings.signing_secret.get_secret_value()
        if not url or not secret:
            raise SendError(FailureReason.MISCONFIGURED, detail="URL or signing secret is empty")
        body = _body(message)
        headers = {
            "Content-Type": "application/json",
            SIGNATURE_HEADER: signature(secret, body, at=int(time.time())),
        }
        try:
            answer = calls.post(self.client, url, content=body, headers=headers)
        except http.AnswerLost as lost:
            log.warning("gateway.answer_lost", delivery_id=str(message.delivery_id), error=str(lost))
            return Receipt(certain=False)
        return _read(answer)


def signature(secret: str, body: bytes, *, at: int) -> str:
    """The header's value, of messages and of reports. The time is signed along, so that what is old can be refused."""
    digest = hmac.digest(secret.encode(), f"{at}.".encode() + body, hashlib.sha256).hex()
    return f"t={at},v1={digest}"


def _body(message: Message) -> bytes:
    return json.dumps(
        {
            "id": str(message.delivery_id),
            "to": message.phone,
            "text": message.text,
            "validity_seconds": message.valid_seconds,
        }
    ).encode()


def _read(answer: http.Answer) -> Receipt:
    body = answer.json_object() or {}
    if answer.is_taken:
        return Receipt(provider_message_id=calls.message_id(body.get("id"), longest=_LONGEST_ID))
    word = body.get("error")
    if isinstance(word, str) and word in REASONS:
        raise calls.refusal(answer, REASONS[word], word)
    raise calls.refusal(answer)


def _check(
    sender: SenderConfig[GatewaySettings], _public_url: str, _client: http.HttpClient
) -> Iterator[Finding]:
    if not outgoing.may_be_public(sender.settings.url):
        yield fail(
            "the gateway's address is not a public one: nothing is sent",
            "Use a public address, or name it in AUTHSVC_OUTGOING_ALLOW.",
        )
    if not sender.settings.url.startswith("https://"):
        yield warn(
            "the gateway is called without TLS: codes are readable on the way", "Use an https address."
        )
    yield ok("configured; only a message shows whether it works: ./manage.py send_test_code")


def _connect(
    sender: SenderConfig[GatewaySettings], around: Surroundings, client: http.HttpClient
) -> Iterator[Finding]:
    yield from _check(sender, around.public_url, client)


def _callback(_sender: SenderConfig[GatewaySettings], ask: Question) -> Iterator[Finding]:
    """Whether our address takes reports: one that is only asked is refused by its method."""
    status, _text = ask(CALLBACK_PATH)
    if status == 405:
        yield ok(f"our own address takes reports at {CALLBACK_PATH}")
    else:
        yield warn(
            f"our own address answers {CALLBACK_PATH} with {status}: a gateway's reports do not arrive",
            "Let the proxy hand this path on, if the gateway reports.",
        )


def _reports(
    sender: SenderConfig[GatewaySettings], around: Surroundings, client: http.HttpClient
) -> Iterator[Finding]:
    yield from own_address.ask_with(around.public_url, client, partial(_callback, sender))


_SETUP = Setup(
    steps=(
        Step(
            name=StepName.CONNECT,
            title=_("Connect"),
            there=(
                _("Your gateway takes a signed POST for each message: docs/sms-gateway.md has the protocol."),
                _("Give it a signing secret, and let it answer 2xx once it has taken a message."),
            ),
            here=(
                _("Paste its https address and the same secret into the sender's form, save, then check."),
            ),
            check=_connect,
        ),
        Step(
            name=StepName.REPORTS,
            title=_("Reports"),
            there=(
                _(
                    "A gateway need not report. One that does posts to the callback URL what became of a message,"
                    " signed with the same secret: docs/sms-gateway.md has the protocol."
                ),
            ),
            here=(
                _("This is green once a report arrived that the signing secret signed: send a test code."),
                _("From its first report on you are alerted when the reports of this sender stay away."),
            ),
            check=_reports,
        ),
        Step(
            name=StepName.TRY,
            title=_("Try"),
            here=(
                _(
                    "Send a test SMS: a code that goes like one of a login. A refusal shows the gateway's own word."
                ),
            ),
        ),
    ),
)

GATEWAY = Provider(
    name="http",
    label=_("HTTP gateway"),
    channels=frozenset({Channel.SMS}),
    settings=GatewaySettings,
    backend=GatewayBackend,
    check=_check,
    setup=_SETUP,
    reports=Reports(
        path=CALLBACK_PATH,
        is_optional=True,
        missing=(
            _("The gateway's reports do not arrive any more"),
            _(
                "See that the gateway posts them, and that it reaches the callback URL. Has it stopped on purpose, "
                "delete this sender and add it anew."
            ),
        ),
        refused=(
            _(
                "The gateway's reports arrive, but carry a signature that this signing secret does not match, or a "
                "time that is more than five minutes away"
            ),
            _("Store the gateway's signing secret here, and see that its clock is right."),
        ),
        callback_label=_("Callback URL for the gateway"),
        check=_callback,
    ),
    words_by_code={
        outgoing.NOT_PUBLIC: (
            _("The gateway's address is not a public one"),
            _("Use a public address, or name it in AUTHSVC_OUTGOING_ALLOW."),
        )
    },
)
