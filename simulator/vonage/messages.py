"""Vonage's Messages API for SMS: sending, its errors, and its signed status webhooks.

Written from the public reference; the JWT is made by hand, so that no receiver is tested against its own library.
"""

import base64
import hashlib
import hmac
import json
import re
import time
import uuid
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import partial

from simulator.handsets import phone_numbers
from simulator.handsets.delivery_steps import sms_steps
from simulator.handsets.handset import Channel, SmsMode
from simulator.handsets.messages import Message, Send, code_in
from simulator.server.faults import Outage, ReportFaults, outcome_of
from simulator.server.poster import Post
from simulator.server.routing import BadRequest, Request, Response, Route, json_response
from simulator.server.simulator import Simulator
from simulator.twilio.callbacks import is_callback_url

DOCS = "https://developer.vonage.com/api-errors"
SHORTEST_TTL, LONGEST_TTL = 20, 604_800
LONGEST_TEXT, LONGEST_REFERENCE = 1000, 100
_KNOWN = {
    "message_type", "channel", "to", "from", "text", "ttl", "client_ref", "webhook_url", "webhook_version", "sms",
}  # fmt: skip
# Fragment of the type → HTTP status and title.
_ERRORS = {
    "unauthorized": (401, "Unauthorized"),
    "low-balance": (402, "Low balance"),
    "messages#1000": (429, "Throttled"),
    "messages#1010": (422, "Missing params"),
    "messages#1020": (422, "Invalid params"),
    "messages#1030": (500, "Internal error"),
    "messages#1050": (403, "Number barred"),
    "messages#1120": (422, "Illegal Sender Address"),
    "messages#1170": (422, "Invalid or Missing Msisdn"),
}
# What becomes of an SMS in the reports' words, by what the handset's plan says.
_WORDS = {"sent": "submitted", "delivered": "delivered", "undelivered": "undeliverable", "failed": "rejected"}
_CODES = {"undelivered": 1260, "failed": 1360}


@dataclass(frozen=True, slots=True, kw_only=True)
class VonageAccount:
    """The one account that may send."""

    api_key: str = "abcd1234"
    api_secret: str = field(default="sim-vonage-api-secret", repr=False)
    signature_secret: str = field(default="sim-vonage-signature-secret-of-forty-chars", repr=False)
    from_number: str = "15005550006"


ACCOUNT = VonageAccount()


class VonageError(Exception):
    """An error answer; `kind` is a key of the table."""

    def __init__(self, kind: str, *, parameter: str = "") -> None:
        super().__init__(kind)
        self.kind = kind
        self.parameter = parameter

    @property
    def code(self) -> str:
        return self.kind.rpartition("#")[2]


def routes(simulator: Simulator) -> list[Route]:
    return [
        Route("POST", "/v1/messages", partial(_create, simulator)),
        Route("GET", "/v2/applications", _applications),
    ]


def _applications(request: Request) -> Response:
    try:
        _authenticate(request)
    except VonageError as error:
        return _answer(error)
    return json_response({"page_size": 1, "page": 1, "total_items": 0, "total_pages": 0, "_embedded": {}})


def _create(simulator: Simulator, request: Request) -> Response:
    outage = simulator.state.faults.sms_outage
    response = simulator.outage_response(outage, _send_of(request, outcome=outcome_of(outage)))
    if response is not None:
        return response
    try:
        _raise_outage(outage)
        _authenticate(request)
        return _accept(simulator, request, outage)
    except VonageError as error:
        simulator.state.record_send(_send_of(request, outcome="refused", error=error.code))
        return _answer(error)


def _accept(simulator: Simulator, request: Request, outage: Outage | None) -> Response:
    body = _checked(request)
    handset = simulator.state.handset(f"+{body['to']}")
    if handset.sms is SmsMode.TIMEOUT:
        return simulator.leave_unanswered(_send_of(request, outcome="unanswered"))
    _raise_handset_error(handset.sms)
    message = _message(body)
    simulator.state.record_send(_send_of(request, outcome=outcome_of(outage), message_id=message.id))
    response = json_response({} if outage is Outage.NO_ID else {"message_uuid": message.id}, status=202)
    ttl = body.get("ttl", LONGEST_TTL)
    assert isinstance(ttl, int)  # noqa: S101 # checked
    return simulator.accept(
        message, sms_steps(handset, validity_seconds=ttl), response=response, outage=outage
    )


@dataclass(slots=True, kw_only=True)
class VonageMessage(Message):
    """A message with the address that its reports go to."""

    webhook_url: str | None

    def report(self, status: str, error_code: int | None, faults: ReportFaults) -> Post | None:  # noqa: ARG002 - Vonage has codes of its own
        """The signed status webhook; None where none was asked for, or for a status that Vonage does not report."""
        if self.webhook_url is None or status not in _WORDS:
            return None
        secret = "forged-signature-secret-of-the-same-length" if faults.forge else ACCOUNT.signature_secret
        body = _report(self, status, _CODES.get(status), unknown_fields=faults.unknown_fields)
        headers = {"Content-Type": "application/json", "Authorization": f"Bearer {token(secret, body)}"}
        return Post(url=self.webhook_url, body=body, headers=headers, key=self.id)


def _report(message: Message, status: str, code: int | None, *, unknown_fields: bool) -> bytes:
    report: dict[str, object] = {
        "message_uuid": message.id,
        "to": message.to.removeprefix("+"),
        "from": message.shown_from,
        "timestamp": datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
        "status": _WORDS[status],
        "client_ref": message.reference,
        "channel": "sms",
    }
    if code is not None:
        report["error"] = {
            "type": f"{DOCS}/messages#{code}",
            "title": str(code),
            "detail": "Destination unreachable",
            "instance": uuid.uuid4().hex,
        }
    if status == "delivered":
        report["usage"] = {"currency": "EUR", "price": "0.0333"}
    if unknown_fields:
        report["new_field"] = {"nested": ["näu", None, 1]}
    return json.dumps(report, separators=(",", ":")).encode()


def token(secret: str, body: bytes) -> str:
    """The JWT of a signed webhook."""
    claims = {
        "iat": int(time.time()),
        "jti": str(uuid.uuid4()),
        "iss": "Vonage",
        "payload_hash": hashlib.sha256(body).hexdigest(),
        "api_key": ACCOUNT.api_key,
    }
    parts = [_url_safe(json.dumps(part).encode()) for part in ({"alg": "HS256", "typ": "JWT"}, claims)]
    signed = ".".join(parts)
    return f"{signed}.{_url_safe(hmac.digest(secret.encode(), signed.encode(), 'sha256'))}"


def _url_safe(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def _authenticate(request: Request) -> None:
    given = request.headers.get("authorization", "")
    known = base64.b64encode(f"{ACCOUNT.api_key}:{ACCOUNT.api_secret}".encode()).decode()
    if not hmac.compare_digest(given.encode(), f"Basic {known}".encode()):
        raise VonageError("unauthorized")


def _checked(request: Request) -> dict[str, object]:
    """The body as Vonage takes it. Raises VonageError."""
    try:
        body = request.json_object()
    except BadRequest as error:
        raise VonageError("messages#1020") from error
    for name in ("message_type", "channel", "to", "from", "text"):
        if not isinstance(body.get(name), str) or not body[name]:
            raise VonageError("messages#1010", parameter=name)
    for name, is_right in _RULES.items():
        if name in body and not is_right(body[name]):
            raise VonageError("messages#1020", parameter=name)
    if unknown := sorted(set(body) - _KNOWN):
        raise VonageError("messages#1020", parameter=unknown[0])
    if not re.fullmatch(r"[1-9][0-9]{6,14}", str(body["to"])) or not phone_numbers.is_e164(f"+{body['to']}"):
        raise VonageError("messages#1170")
    if body["from"] != ACCOUNT.from_number and not re.fullmatch(
        r"(?=.*[A-Za-z])[A-Za-z0-9 ]{1,11}", str(body["from"])
    ):
        raise VonageError("messages#1120")
    return body


_RULES: dict[str, Callable[[object], bool]] = {
    "message_type": lambda value: value == "text",
    "channel": lambda value: value == "sms",
    "text": lambda value: len(str(value)) <= LONGEST_TEXT,
    "ttl": lambda value: type(value) is int and SHORTEST_TTL <= value <= LONGEST_TTL,
    "client_ref": lambda value: isinstance(value, str) and len(value) <= LONGEST_REFERENCE,
    "webhook_url": lambda value: isinstance(value, str) and is_callback_url(value),
    "webhook_version": lambda value: value in ("v0.1", "v1"),
}


def _raise_outage(outage: Outage | None) -> None:
    kinds = {
        Outage.TOKEN_EXPIRED: "unauthorized",
        Outage.ERROR_500: "messages#1030",
        Outage.RATE_LIMITED: "messages#1000",
    }
    if outage in kinds:
        raise VonageError(kinds[outage])


def _raise_handset_error(mode: SmsMode) -> None:
    kinds = {
        SmsMode.ERROR_21610: "messages#1050",
        SmsMode.ERROR_500: "messages#1030",
        SmsMode.RATE_LIMITED: "messages#1000",
    }
    if mode in kinds:
        raise VonageError(kinds[mode])


def _message(body: dict[str, object]) -> VonageMessage:
    text, reference, url = str(body["text"]), body.get("client_ref"), body.get("webhook_url")
    return VonageMessage(
        id=str(uuid.uuid4()),
        channel=Channel.SMS,
        provider="vonage",
        to=f"+{body['to']}",
        shown_from=str(body["from"]),
        text=text,
        code=code_in(text),
        reference=reference if isinstance(reference, str) else None,
        webhook_url=url if isinstance(url, str) else None,
    )


def _answer(error: VonageError) -> Response:
    status, title = _ERRORS[error.kind]
    kind = error.kind if "#" in error.kind else f"#{error.kind}"
    body: dict[str, object] = {
        "type": f"{DOCS}/{kind}",
        "title": title,
        "detail": f"{title}: see the type",
        "instance": uuid.uuid4().hex,
    }
    if error.parameter:
        body["invalid_parameters"] = [{"name": error.parameter, "reason": "invalid value"}]
    return Response(status=status, body=json.dumps(body).encode(), content_type="application/problem+json")


def _send_of(
    request: Request, *, outcome: str, error: str | None = None, message_id: str | None = None
) -> Send:
    body: dict[str, object] = {}
    try:
        body = request.json_object()
    except BadRequest:
        pass  # What is not JSON names no recipient; the send is recorded all the same.
    to, text, reference, sender = (body.get(name) for name in ("to", "text", "client_ref", "from"))
    return Send(
        channel=Channel.SMS,
        provider="vonage",
        sender=sender if isinstance(sender, str) else None,
        to=f"+{to}" if isinstance(to, str) else None,
        code=code_in(text) if isinstance(text, str) else None,
        id=message_id,
        outcome=outcome,
        error=error,
        reference=reference if isinstance(reference, str) else None,
    )
