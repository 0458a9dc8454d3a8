"""Twilio's Messages resource: create and fetch."""

import secrets
from email.utils import format_datetime

from simulator.accounts import TwilioAccount
from simulator.handsets.delivery_steps import sms_steps
from simulator.handsets.handset import Channel, SmsMode
from simulator.handsets.messages import Send, code_in
from simulator.server.faults import Outage, outcome_of
from simulator.server.routing import Response, Route, json_response
from simulator.server.simulator import Simulator
from simulator.twilio.callbacks import TwilioMessage
from simulator.twilio.calls import TwilioCall, with_checks
from simulator.twilio.errors import TwilioError, response_headers
from simulator.twilio.message_checks import check_form, validity_seconds

_HANDSET_ERRORS = {SmsMode.ERROR_21610: 21610, SmsMode.ERROR_500: 20500, SmsMode.RATE_LIMITED: 20429}


def routes(simulator: Simulator) -> list[Route]:
    base = "/2010-04-01/Accounts/{sid}/Messages"
    create = with_checks(simulator, create_message, refused=_refused)
    return [
        Route("POST", f"{base}.json", create),
        Route("GET", base + r"/{message_sid:[^/]+?}.json", with_checks(simulator, fetch_message)),
    ]


def _refused(simulator: Simulator, call: TwilioCall, outcome: str, error: int | None) -> Send:
    send = _send_record(call, outcome=outcome, error=error)
    if error is not None:
        simulator.state.record_send(send)
    return send


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
