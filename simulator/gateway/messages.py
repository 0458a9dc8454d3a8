"""A plain SMS gateway: signed JSON in, an id out, and signed reports where it is told an address for them."""

import json
import secrets
import time
from dataclasses import dataclass, field
from functools import partial

from simulator.accounts import Accounts
from simulator.gateway import signature
from simulator.handsets.delivery_steps import sms_steps
from simulator.handsets.handset import Channel, SmsMode
from simulator.handsets.messages import Message, Send, code_in
from simulator.handsets.phone_numbers import is_e164
from simulator.server.faults import Outage, ReportFaults, outcome_of
from simulator.server.poster import Post
from simulator.server.routing import BadRequest, Request, Response, Route, json_response
from simulator.server.simulator import Simulator

VALIDITY_DEFAULT_SECONDS = 36_000
_STATUSES = {
    "invalid_signature": 401,
    "invalid_request": 400,
    "recipient_opted_out": 422,
    "rate_limited": 429,
    "internal_error": 500,
}
_OUTAGE_ERRORS = {
    Outage.TOKEN_EXPIRED: "invalid_signature",
    Outage.ERROR_500: "internal_error",
    Outage.RATE_LIMITED: "rate_limited",
}
_HANDSET_ERRORS = {
    SmsMode.ERROR_21610: "recipient_opted_out",
    SmsMode.ERROR_500: "internal_error",
    SmsMode.RATE_LIMITED: "rate_limited",
}
# What becomes of an SMS in the reports' words, and why, by what the handset's plan says.
_WORDS = {"sent": "sent", "delivered": "delivered", "undelivered": "failed", "failed": "expired"}
_REASONS = {"undelivered": "unreachable"}


class GatewayError(Exception):
    """A refusal; `code` is the answer's `error`."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


@dataclass(slots=True, kw_only=True)
class GatewayMessage(Message):
    """A message with the address that its reports go to and the secret that signs them."""

    reports_url: str
    secret: str = field(repr=False)

    def report(self, status: str, error_code: int | None, faults: ReportFaults) -> Post | None:  # noqa: ARG002 - the protocol has words
        """The signed post; None without an address, or for a status that the protocol does not have."""
        if not self.reports_url or status not in _WORDS:
            return None
        report: dict[str, object] = {"id": self.reference, "status": _WORDS[status], "at": int(time.time())}
        if status in _REASONS:
            report["error"] = _REASONS[status]
        if faults.unknown_fields:
            report["new_field"] = {"nested": ["näu", None, 1]}
        body = json.dumps(report, ensure_ascii=False).encode()
        secret = "forged" if faults.forge else self.secret
        header = signature.gateway_signature(secret=secret, timestamp=int(time.time()), body=body)
        headers = {"Content-Type": "application/json", signature.HEADER: header}
        return Post(url=self.reports_url, body=body, headers=headers, key=self.id)


def routes(simulator: Simulator) -> list[Route]:
    return [Route("POST", "/gateway/messages", partial(_handle, simulator))]


def _handle(simulator: Simulator, request: Request) -> Response:
    outage = simulator.state.faults.sms_outage
    response = simulator.outage_response(outage, _send_record(request, outcome=outcome_of(outage)))
    if response is not None:
        return response
    try:
        return create_message(simulator, request, outage)
    except GatewayError as error:
        simulator.state.record_send(_send_record(request, outcome="refused", error=error.code))
        return json_response({"error": error.code}, status=_STATUSES[error.code])


def create_message(simulator: Simulator, request: Request, outage: Outage | None) -> Response:
    if outage in _OUTAGE_ERRORS:
        raise GatewayError(_OUTAGE_ERRORS[outage])
    accounts = simulator.state.accounts
    header = request.headers.get(signature.HEADER.lower(), "")
    if not signature.is_valid(secret=accounts.gateway_secret, header=header, body=request.body):
        raise GatewayError("invalid_signature")
    message, validity = _read(request, accounts)
    handset = simulator.state.handset(message.to)
    if handset.sms is SmsMode.TIMEOUT:
        return simulator.leave_unanswered(_send_record(request, outcome="unanswered"))
    if handset.sms in _HANDSET_ERRORS:
        raise GatewayError(_HANDSET_ERRORS[handset.sms])
    simulator.state.record_send(_send_record(request, outcome=outcome_of(outage), message_id=message.id))
    response = json_response({} if outage is Outage.NO_ID else {"id": message.id}, status=202)
    steps = sms_steps(handset, validity_seconds=validity)
    return simulator.accept(message, steps, response=response, outage=outage)


def _read(request: Request, accounts: Accounts) -> tuple[Message, int]:
    """The message and how long it may wait. Raises GatewayError."""
    try:
        body = request.json_object()
    except BadRequest as error:
        raise GatewayError("invalid_request") from error
    reference, to, text = (body.get(key) for key in ("id", "to", "text"))
    validity = body.get("validity_seconds", VALIDITY_DEFAULT_SECONDS)
    if not (isinstance(reference, str) and reference and isinstance(text, str) and text):
        raise GatewayError("invalid_request")
    if not (isinstance(to, str) and is_e164(to)):
        raise GatewayError("invalid_request")
    if isinstance(validity, bool) or not isinstance(validity, int) or validity < 1:
        raise GatewayError("invalid_request")
    return _message(accounts, reference=reference, to=to, text=text), validity


def _message(accounts: Accounts, *, reference: str, to: str, text: str) -> GatewayMessage:
    return GatewayMessage(
        id="gw_" + secrets.token_hex(12),
        channel=Channel.SMS,
        provider="gateway",
        to=to,
        shown_from="SMS",
        text=text,
        code=code_in(text),
        reference=reference,
        reports_url=accounts.gateway_reports_url,
        secret=accounts.gateway_secret,
    )


def _send_record(
    request: Request, *, outcome: str, error: str | None = None, message_id: str | None = None
) -> Send:
    body = request.json_object_or_empty()
    to, text, reference = (
        value if isinstance(value, str) else None for value in map(body.get, ("to", "text", "id"))
    )
    return Send(
        channel=Channel.SMS,
        provider="gateway",
        to=to,
        code=code_in(text) if text else None,
        id=message_id,
        outcome=outcome,
        error=error,
        reference=reference,
    )
