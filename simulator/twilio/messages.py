"""Twilio's Messages resource: create and fetch; `message_list` has the list."""

import secrets

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
from simulator.twilio.message_list import list_messages
from simulator.twilio.message_resource import resource

_HANDSET_ERRORS = {SmsMode.ERROR_21610: 21610, SmsMode.ERROR_500: 20500, SmsMode.RATE_LIMITED: 20429}


def routes(simulator: Simulator) -> list[Route]:
    base = "/2010-04-01/Accounts/{sid}/Messages"
    create = with_checks(simulator, create_message, refused=_refused)
    return [
        Route("POST", f"{base}.json", create),
        Route("GET", f"{base}.json", with_checks(simulator, list_messages)),
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
    answer = resource(message, simulator.state.facts.sms_price)
    if call.outage is Outage.NO_ID:
        del answer["sid"]
    response = json_response(answer, status=201, headers=response_headers())
    through_service = message.messaging_service_sid is not None
    steps = sms_steps(handset, validity_seconds=validity_seconds(form), through_service=through_service)
    return simulator.accept(message, steps, response=response, outage=call.outage)


def fetch_message(simulator: Simulator, call: TwilioCall, account: TwilioAccount) -> Response:
    message = simulator.state.message(call.request.params["message_sid"])
    if not isinstance(message, TwilioMessage) or message.account.account_sid != account.account_sid:
        raise TwilioError(20404)
    return json_response(resource(message, simulator.state.facts.sms_price), headers=response_headers())


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
