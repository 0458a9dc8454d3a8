"""What is alike in all of Twilio's calls: outages first, then the credentials, then the call."""

import base64
import hmac
from collections.abc import Callable
from dataclasses import dataclass, field
from urllib.parse import parse_qs

from simulator.accounts import TwilioAccount
from simulator.handsets.messages import Send
from simulator.server.faults import Outage, outcome_of
from simulator.server.routing import Request, Response
from simulator.server.simulator import Simulator
from simulator.twilio.errors import TwilioError, error_response

_OUTAGE_ERRORS = {Outage.TOKEN_EXPIRED: 20003, Outage.ERROR_500: 20500, Outage.RATE_LIMITED: 20429}


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
# The record of a send that an outage or an error ends; an error is to be recorded at once.
type Refused = Callable[[Simulator, TwilioCall, str, int | None], Send]


def with_checks(
    simulator: Simulator, handler: TwilioHandler, *, refused: Refused | None = None
) -> Callable[[Request], Response]:
    """A TwilioError becomes the answer, and with `refused` a refused send."""

    def handle(request: Request) -> Response:
        outage = simulator.state.faults.sms_outage
        call = TwilioCall(request=request, form=_form(request) if refused else {}, outage=outage)
        send = refused(simulator, call, outcome_of(outage), None) if refused else None
        response = simulator.outage_response(outage, send)
        if response is not None:
            return response
        try:
            return handler(simulator, call, _authenticate(simulator, call))
        except TwilioError as error:
            if refused:
                refused(simulator, call, "refused", error.code)
            return error_response(
                error.code,
                to=call.form.get("To", ""),
                sender=call.sender,
                path=request.path,
                text=error.text,
            )

    return handle


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
            if call.request.params.get("sid", account.account_sid) != account.account_sid:
                raise TwilioError(20404)
            return account
    raise TwilioError(20003)
