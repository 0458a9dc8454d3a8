"""A plain SMS gateway: signed JSON in, an id out, no delivery reports."""

import secrets

from simulator import phones, signing
from simulator.behaviour import Channel, Outage, SmsMode
from simulator.core import Simulator, half
from simulator.messages import Message, Send, code_in
from simulator.plans import sms_steps
from simulator.web import BadRequest, Request, Response, Route, json_response, no_answer

VALIDITY_DEFAULT_SECONDS = 36_000
_STATUSES = {
    "invalid_signature": 401,
    "invalid_request": 400,
    "recipient_opted_out": 422,
    "rate_limited": 429,
    "internal_error": 500,
}


class GatewayError(Exception):
    """A refusal; the word is the answer's `error`."""

    def __init__(self, word: str) -> None:
        super().__init__(word)
        self.word = word


def routes(simulator: Simulator) -> list[Route]:
    def handle(request: Request) -> Response:
        return _handle(simulator, request)

    return [Route("POST", "/gateway/messages", handle)]


def _handle(simulator: Simulator, request: Request) -> Response:
    outage = simulator.outage(Channel.SMS)
    outcome = "refused" if outage is Outage.ERROR_503_HTML else "unanswered"
    outcome = "garbled" if outage is Outage.NOT_JSON else outcome
    answer = simulator.silence(outage, _send_of(request, outcome=outcome))
    if answer is not None:
        return answer
    try:
        _raise_outage(outage)
        return _accept(simulator, request, outage)
    except GatewayError as error:
        simulator.state.record_send(_send_of(request, outcome="refused", error=error.word))
        return json_response({"error": error.word}, status=_STATUSES[error.word])


def _accept(simulator: Simulator, request: Request, outage: Outage | None) -> Response:
    secret = simulator.state.accounts.gateway_secret
    header = request.headers.get("x-authsvc-signature", "")
    if not signing.gateway_signature_is_valid(secret=secret, header=header, body=request.body):
        raise GatewayError("invalid_signature")
    message, validity = _read(request)
    handset = simulator.state.handset(message.to)
    refusals = {
        SmsMode.ERROR_21610: "recipient_opted_out",
        SmsMode.ERROR_500: "internal_error",
        SmsMode.RATE_LIMITED: "rate_limited",
    }
    if handset.sms is SmsMode.TIMEOUT:
        simulator.state.record_send(_send_of(request, outcome="unanswered"))
        simulator.state.hang(simulator.state.faults.hang_seconds)
        return no_answer()
    if handset.sms in refusals:
        raise GatewayError(refusals[handset.sms])
    garbled = outage in (Outage.NO_ID, Outage.HALF_JSON)
    outcome = "garbled" if garbled else "accepted"
    simulator.state.record_send(_send_of(request, outcome=outcome, message_id=message.id))
    answer = json_response({} if outage is Outage.NO_ID else {"id": message.id}, status=202)
    if garbled:
        return half(answer) if outage is Outage.HALF_JSON else answer
    if outage is Outage.ACCEPT_THEN_CLOSE:
        answer = no_answer()
    return simulator.accept(message, sms_steps(handset, validity_seconds=validity), answer=answer)


def _read(request: Request) -> tuple[Message, int]:
    """The message and how long it may wait. Raises GatewayError."""
    try:
        body = request.json_object()
    except BadRequest as error:
        raise GatewayError("invalid_request") from error
    reference, to, text = body.get("id"), body.get("to"), body.get("text")
    validity = body.get("validity_seconds", VALIDITY_DEFAULT_SECONDS)
    if not isinstance(reference, str) or not reference or not isinstance(text, str) or not text:
        raise GatewayError("invalid_request")
    if not isinstance(to, str) or not phones.is_e164(to):
        raise GatewayError("invalid_request")
    if isinstance(validity, bool) or not isinstance(validity, int) or validity < 1:
        raise GatewayError("invalid_request")
    message = Message(
        id="gw_" + secrets.token_hex(12),
        channel=Channel.SMS,
        provider="gateway",
        to=to,
        shown_from="SMS",
        text=text,
        code=code_in(text),
        reference=reference,
    )
    return message, validity


def _raise_outage(outage: Outage | None) -> None:
    words = {
        Outage.TOKEN_EXPIRED: "invalid_signature",
        Outage.ERROR_500: "internal_error",
        Outage.RATE_LIMITED: "rate_limited",
    }
    if outage in words:
        raise GatewayError(words[outage])


def _send_of(
    request: Request, *, outcome: str, error: str | None = None, message_id: str | None = None
) -> Send:
    body: dict[str, object] = {}
    try:
        body = request.json_object()
    except BadRequest:
        pass  # What is not JSON names no recipient; the send is recorded all the same.
    to, text, reference = body.get("to"), body.get("text"), body.get("id")
    return Send(
        channel=Channel.SMS,
        provider="gateway",
        to=to if isinstance(to, str) else None,
        code=code_in(text) if isinstance(text, str) else None,
        id=message_id,
        outcome=outcome,
        error=error,
        reference=reference if isinstance(reference, str) else None,
    )
