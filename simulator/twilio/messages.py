"""Twilio's Messages resource: create and fetch, and the account that both belong to."""

import base64
import hmac
import secrets
from collections.abc import Callable
from dataclasses import dataclass, field
from email.utils import format_datetime
from urllib.parse import parse_qs

from simulator.accounts import TwilioAccount
from simulator.handsets.delivery_steps import sms_steps
from simulator.handsets.handset import Channel, SmsMode
from simulator.handsets.messages import Send, code_in
from simulator.server.faults import Outage, outcome_of
from simulator.server.routing import Request, Response, Route, json_response
from simulator.server.simulator import Simulator
from simulator.twilio.callbacks import TwilioMessage
from simulator.twilio.errors import TwilioError, error_response, response_headers
from simulator.twilio.message_checks import check_form, validity_seconds

_OUTAGE_ERRORS = {Outage.TOKEN_EXPIRED: 20003, Outage.ERROR_500: 20500, Outage.RATE_LIMITED: 20429}
_HANDSET_ERRORS = {SmsMode.ERROR_21610: 21610, SmsMode.ERROR_500: 20500, SmsMode.RATE_LIMITED: 20429}


@dataclass(frozen=True, slots=True, kw_only=True)
class TwilioCall:
    """One request with its form."""

    request: Request
    form: dict[str, str] = field(repr=False)
    outage: Outage | None

    @property
    def sender(self) -> str | None:
        return self.form.get("From") or self.form.get("MessagingServiceSid")


type TwilioHandler = Callable[[Simulator, TwilioCall, TwilioAccount], Response]


def routes(simulator: Simulator) -> list[Route]:
    base = "/2010-04-01/Accounts/{sid}/Messages"
    return [
        Route("GET", r"/2010-04-01/Accounts/{sid:[^/.]+}.json", _with_checks(simulator, fetch_account)),
        Route("POST", f"{base}.json", _with_checks(simulator, create_message)),
        Route("GET", base + r"/{message_sid:[^/]+?}.json", _with_checks(simulator, fetch_message)),
    ]


def _with_checks(simulator: Simulator, handler: TwilioHandler) -> Callable[[Request], Response]:
    """Outages first, then the credentials, then the call; a TwilioError becomes the answer and a refused send."""
    sends = handler is create_message

    def handle(request: Request) -> Response:
        outage = simulator.state.faults.sms_outage
        call = TwilioCall(request=request, form=_form(request) if sends else {}, outage=outage)
        send = _send_record(call, outcome=outcome_of(outage)) if sends else None
        response = simulator.outage_response(outage, send)
        if response is not None:
            return response
        try:
            return handler(simulator, call, _authenticate(simulator, call))
        except TwilioError as error:
            if sends:
                simulator.state.record_send(_send_record(call, outcome="refused", error=error.code))
            return error_response(
                error.code, to=call.form.get("To", ""), sender=call.sender, path=request.path
            )

    return handle


def create_message(simulator: Simulator, call: TwilioCall, account: TwilioAccount) -> Response:
    form = call.form
    check_form(form, account)
    handset = simulator.state.handset(form["To"])
    if handset.sms is SmsMode.TIMEOUT:
        return simulator.leave_unanswered(_send_record(call, outcome="unanswered"))
    if handset.sms in _HANDSET_ERRORS:
        raise TwilioError(_HANDSET_ERRORS[handset.sms])
    message = _message(form, account)
    outcome = outcome_of(call.outage)
    simulator.state.record_send(_send_record(call, outcome=outcome, message_id=message.id))
    resource = _resource(message)
    if call.outage is Outage.NO_ID:
        del resource["sid"]
    response = json_response(resource, status=201, headers=response_headers())
    through_service = message.messaging_service_sid is not None
    steps = sms_steps(handset, validity_seconds=validity_seconds(form), through_service=through_service)
    return simulator.accept(message, steps, response=response, outage=call.outage)


def fetch_message(simulator: Simulator, call: TwilioCall, account: TwilioAccount) -> Response:
    message = simulator.state.message(call.request.params["message_sid"])
    if not isinstance(message, TwilioMessage) or message.account.account_sid != account.account_sid:
        raise TwilioError(20404)
    return json_response(_resource(message), headers=response_headers())


def fetch_account(_simulator: Simulator, _call: TwilioCall, account: TwilioAccount) -> Response:
    """https://www.twilio.com/docs/iam/api/account, the part that says whether it may send."""
    resource = {"sid": account.account_sid, "friendly_name": "Simulated", "status": "active", "type": "Full"}
    return json_response(resource, headers=response_headers())


def _form(request: Request) -> dict[str, str]:
    fields = parse_qs(request.body.decode(errors="replace"), keep_blank_values=True)
    return {name: values[-1] for name, values in fields.items()}


def _authenticate(simulator: Simulator, call: TwilioCall) -> TwilioAccount:
    """The account of the credentials, unless an outage answers first. Raises TwilioError."""
    if call.outage in _OUTAGE_ERRORS:
        raise TwilioError(_OUTAGE_ERRORS[call.outage])
    scheme, _, encoded = call.request.headers.get("authorization", "").partition(" ")
    try:
        credentials = base64.b64decode(encoded, validate=True)
    except ValueError as error:
        raise TwilioError(20003) from error
    for account in simulator.state.accounts.twilio:
        known = f"{account.account_sid}:{account.auth_token}".encode()
        if scheme.lower() == "basic" and hmac.compare_digest(known, credentials):
            if call.request.params["sid"] != account.account_sid:
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


def _send_record(
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
