"""Twilio's Messages resource: create and fetch, with its test numbers and error codes."""

import base64
import binascii
import hmac
import re
import secrets
from collections.abc import Callable
from dataclasses import dataclass, field
from email.utils import format_datetime
from urllib.parse import parse_qs

from simulator import phones
from simulator.accounts import TwilioAccount
from simulator.behaviour import Channel, Handset, Outage, SmsMode
from simulator.core import Simulator, half
from simulator.messages import Send, TwilioMessage, code_in
from simulator.plans import sms_steps
from simulator.report_bodies import is_callback_url
from simulator.twilio_errors import TwilioError, error_response, response_headers
from simulator.web import Request, Response, Route, json_response, no_answer

BODY_MAX_LENGTH = 1600
VALIDITY_MAX_SECONDS = 36_000
_SERVICE_SID = re.compile(r"MG[0-9a-f]{32}")

# Twilio's "Test credentials": numbers that always fail, so that tests run against the real one, too.
_BAD_RECIPIENTS = {
    "+15005550001": 21211,
    "+15005550002": 21612,
    "+15005550003": 21408,
    "+15005550004": 21610,
    "+15005550009": 21614,
}
_BAD_SENDERS = {"+15005550001": 21212, "+15005550007": 21606, "+15005550008": 21611}


@dataclass(frozen=True, slots=True, kw_only=True)
class TwilioCall:
    """One request with its form."""

    request: Request
    form: dict[str, str] = field(repr=False)

    @property
    def sender(self) -> str | None:
        return self.form.get("From") or self.form.get("MessagingServiceSid")


type TwilioHandler = Callable[[Simulator, TwilioCall, TwilioAccount], Response]


def routes(simulator: Simulator) -> list[Route]:
    base = "/2010-04-01/Accounts/{sid}/Messages"
    return [
        Route("GET", r"/2010-04-01/Accounts/{sid:[^/.]+}.json", _guarded(simulator, fetch_account)),
        Route("POST", f"{base}.json", _guarded(simulator, create_message)),
        Route("GET", base + r"/{message_sid:[^/]+?}.json", _guarded(simulator, fetch_message)),
    ]


def _guarded(simulator: Simulator, handler: TwilioHandler) -> Callable[[Request], Response]:
    def handle(request: Request) -> Response:
        sending = handler is create_message
        values = parse_qs(request.body.decode(errors="replace"), keep_blank_values=True) if sending else {}
        call = TwilioCall(request=request, form={name: found[-1] for name, found in values.items()})
        outage = simulator.outage(Channel.SMS)
        outcome = "refused" if outage is Outage.ERROR_503_HTML else "unanswered"
        outcome = "garbled" if outage is Outage.NOT_JSON else outcome
        answer = simulator.silence(outage, _send_of(call, outcome=outcome) if sending else None)
        if answer is not None:
            return answer
        try:
            _raise_outage(outage)
            return handler(simulator, call, _authenticated(simulator, request))
        except TwilioError as error:
            if sending:
                simulator.state.record_send(_send_of(call, outcome="refused", error=error.code))
            return _error_response(error.code, call)

    return handle


def create_message(simulator: Simulator, call: TwilioCall, account: TwilioAccount) -> Response:
    form = call.form
    _check_form(form, account)
    handset = simulator.state.handset(form["To"])
    if handset.sms is SmsMode.TIMEOUT:
        simulator.state.record_send(_send_of(call, outcome="unanswered"))
        simulator.state.hang(simulator.state.faults.hang_seconds)
        return no_answer()
    _raise_handset_error(handset)
    message = _message(form, account)
    outage = simulator.outage(Channel.SMS)
    garbled = outage in (Outage.NO_ID, Outage.HALF_JSON)
    outcome = "garbled" if garbled else "accepted"
    simulator.state.record_send(_send_of(call, outcome=outcome, message_id=message.id))
    resource = _resource(message)
    if outage is Outage.NO_ID:
        del resource["sid"]
    answer = json_response(resource, status=201, headers=response_headers())
    if garbled:
        return half(answer) if outage is Outage.HALF_JSON else answer
    if outage is Outage.ACCEPT_THEN_CLOSE:
        answer = no_answer()
    validity = int(form.get("ValidityPeriod") or VALIDITY_MAX_SECONDS)
    steps = sms_steps(handset, validity_seconds=validity, through_service="MessagingServiceSid" in form)
    return simulator.accept(message, steps, answer=answer)


def fetch_message(simulator: Simulator, call: TwilioCall, account: TwilioAccount) -> Response:
    message = simulator.state.twilio_message(call.request.params["message_sid"])
    if message is None or message.account.account_sid != account.account_sid:
        raise TwilioError(20404)
    return json_response(_resource(message), headers=response_headers())


def fetch_account(_simulator: Simulator, _call: TwilioCall, account: TwilioAccount) -> Response:
    """https://www.twilio.com/docs/iam/api/account, the part that says whether it may send."""
    found = {"sid": account.account_sid, "friendly_name": "Simulated", "status": "active", "type": "Full"}
    return json_response(found, headers=response_headers())


def _check_form(form: dict[str, str], account: TwilioAccount) -> None:
    """Twilio's checks of a new message. Raises TwilioError."""
    to, sender, service = form.get("To", ""), form.get("From", ""), form.get("MessagingServiceSid", "")
    if not to:
        raise TwilioError(21604)
    if not sender and not service:
        raise TwilioError(21603)
    if not form.get("Body"):
        raise TwilioError(21602)
    if len(form["Body"]) > BODY_MAX_LENGTH:
        raise TwilioError(21617)
    if service and not _SERVICE_SID.fullmatch(service):
        raise TwilioError(21705)
    if sender in _BAD_SENDERS:
        raise TwilioError(_BAD_SENDERS[sender])
    if sender and sender != account.from_number:
        raise TwilioError(21606 if phones.is_e164(sender) else 21212)
    if to in _BAD_RECIPIENTS:
        raise TwilioError(_BAD_RECIPIENTS[to])
    if not phones.is_e164(to):
        raise TwilioError(21211)
    _check_options(form)


def _check_options(form: dict[str, str]) -> None:
    validity = form.get("ValidityPeriod", "")
    if validity and not (validity.isdigit() and 1 <= int(validity) <= VALIDITY_MAX_SECONDS):
        raise TwilioError(20001)
    callback = form.get("StatusCallback", "")
    if callback and not is_callback_url(callback):
        raise TwilioError(21609)


def _raise_outage(outage: Outage | None) -> None:
    codes = {Outage.TOKEN_EXPIRED: 20003, Outage.ERROR_500: 20500, Outage.RATE_LIMITED: 20429}
    if outage in codes:
        raise TwilioError(codes[outage])


def _raise_handset_error(handset: Handset) -> None:
    codes = {SmsMode.ERROR_21610: 21610, SmsMode.ERROR_500: 20500, SmsMode.RATE_LIMITED: 20429}
    if handset.sms in codes:
        raise TwilioError(codes[handset.sms])


def _authenticated(simulator: Simulator, request: Request) -> TwilioAccount:
    scheme, _, encoded = request.headers.get("authorization", "").partition(" ")
    try:
        sid, _, token = base64.b64decode(encoded, validate=True).decode().partition(":")
    except (binascii.Error, UnicodeDecodeError) as error:
        raise TwilioError(20003) from error
    for account in simulator.state.accounts.twilio:
        known = f"{account.account_sid}:{account.auth_token}".encode()
        if scheme.lower() == "basic" and hmac.compare_digest(known, f"{sid}:{token}".encode()):
            if request.params["sid"] != account.account_sid:
                raise TwilioError(20404)
            return account
    raise TwilioError(20003)


def _message(form: dict[str, str], account: TwilioAccount) -> TwilioMessage:
    service = form.get("MessagingServiceSid") or None
    return TwilioMessage(
        id="SM" + secrets.token_hex(16),
        channel=Channel.SMS,
        provider="twilio",
        to=form["To"],
        shown_from=form.get("From") or account.from_number,
        text=form["Body"],
        code=code_in(form["Body"]),
        reference=form.get("StatusCallback"),
        status="accepted" if service else "queued",
        account=account,
        from_number=form.get("From") or None,
        messaging_service_sid=service,
        callback_url=form.get("StatusCallback") or None,
    )


def _resource(message: TwilioMessage) -> dict[str, object]:
    started = message.status not in ("accepted", "queued")
    uri = f"/2010-04-01/Accounts/{message.account.account_sid}/Messages/{message.id}"
    return {
        "account_sid": message.account.account_sid,
        "api_version": "2010-04-01",
        "body": message.text,
        "date_created": format_datetime(message.created_at),
        "date_sent": format_datetime(message.updated_at) if started else None,
        "date_updated": format_datetime(message.updated_at),
        "direction": "outbound-api",
        "error_code": message.error_code,
        "error_message": None if message.error_code is None else "Unreachable destination handset",
        "from": message.from_number or (message.account.from_number if started else None),
        "messaging_service_sid": message.messaging_service_sid,
        "num_media": "0",
        "num_segments": "1" if started or not message.messaging_service_sid else "0",
        "price": None,
        "price_unit": None,
        "sid": message.id,
        "status": message.status,
        "subresource_uris": {"media": f"{uri}/Media.json"},
        "to": message.to,
        "uri": f"{uri}.json",
    }


def _error_response(code: int, call: TwilioCall) -> Response:
    return error_response(code, to=call.form.get("To", ""), sender=call.sender, path=call.request.path)


def _send_of(
    call: TwilioCall, *, outcome: str, error: int | None = None, message_id: str | None = None
) -> Send:
    return Send(
        channel=Channel.SMS,
        provider="twilio",
        sender=call.sender,
        to=call.form.get("To"),
        code=code_in(call.form.get("Body", "")),
        id=message_id,
        outcome=outcome,
        error=error,
        reference=call.form.get("StatusCallback"),
    )
