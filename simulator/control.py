"""The control API: what tests and the phone page use to watch and to steer the simulator."""

from collections.abc import Callable
from dataclasses import asdict
from datetime import datetime
from typing import Any
from urllib.parse import unquote

from simulator import handshake, phones
from simulator.accounts import TWILIO_TEXT_KEYS, WHATSAPP_TEXT_KEYS, TwilioAccount, WhatsAppAccount
from simulator.behaviour import Channel, Handset
from simulator.core import Simulator
from simulator.messages import Message, Send, WhatsAppMessage, timestamp
from simulator.web import BadRequest, NotFound, Request, Response, Route, json_response

LISTED_HANDSETS = 50
_REPORTABLE = {
    Channel.WHATSAPP: ("sent", "delivered", "read", "failed", "did_not_request_code"),
    Channel.SMS: ("queued", "sent", "delivered", "undelivered", "failed"),
}
type ControlHandler = Callable[[Simulator, Request], Response]


def routes(simulator: Simulator) -> list[Route]:
    """Every control route, at the root and again below /phone/api for the phone page behind a proxy."""
    table: list[tuple[str, str, ControlHandler]] = [
        ("GET", "/healthz", health),
        ("GET", "/handsets", list_handsets),
        ("GET", "/handsets/{phone}", show_handset),
        ("PUT", "/handsets/{phone}", change_handset),
        ("GET", "/handsets/{phone}/messages", list_messages),
        ("GET", "/faults", show_faults),
        ("PUT", "/faults", change_faults),
        ("GET", "/sends", list_sends),
        ("DELETE", "/state", reset),
        ("POST", "/reports", post_report),
        ("PUT", "/accounts", add_accounts),
        ("POST", "/handshake", perform_handshake),
    ]
    return [
        Route(method, prefix + pattern, _guarded(simulator, handler))
        for prefix in ("", "/phone/api")
        for method, pattern, handler in table
    ]


def _guarded(simulator: Simulator, handler: ControlHandler) -> Callable[[Request], Response]:
    def handle(request: Request) -> Response:
        try:
            return handler(simulator, request)
        except BadRequest as error:
            return json_response({"error": str(error)}, status=400)
        except NotFound as error:
            return json_response({"error": str(error)}, status=404)

    return handle


def health(simulator: Simulator, _request: Request) -> Response:
    return json_response({"status": "ok", "reports": simulator.poster.counts()})


def list_handsets(simulator: Simulator, _request: Request) -> Response:
    handsets = simulator.state.handsets(LISTED_HANDSETS)
    return json_response([{**_handset(handset), "last_message_at": _moment(at)} for handset, at in handsets])


def show_handset(simulator: Simulator, request: Request) -> Response:
    return json_response(_handset(simulator.state.handset(_phone(request))))


def change_handset(simulator: Simulator, request: Request) -> Response:
    handset = simulator.state.change_handset(_phone(request), request.json_object())
    return json_response(_handset(handset))


def list_messages(simulator: Simulator, request: Request) -> Response:
    return json_response([_message(item) for item in simulator.state.shown_messages(_phone(request))])


def show_faults(simulator: Simulator, _request: Request) -> Response:
    return json_response(asdict(simulator.state.faults))


def change_faults(simulator: Simulator, request: Request) -> Response:
    return json_response(asdict(simulator.state.change_faults(request.json_object())))


def list_sends(simulator: Simulator, request: Request) -> Response:
    for name in request.query:
        if name not in ("channel", "to", "after"):
            raise BadRequest(f"{name}: unknown; one of after, channel, to")
    channel, after = request.query.get("channel"), request.query.get("after", "0")
    if channel is not None and channel not in list(Channel):
        raise BadRequest(f"channel: must be one of {', '.join(Channel)}")
    if not after.isdigit():
        raise BadRequest("after: must be a whole number")
    to = request.query.get("to")
    if to is not None:
        to = "+" + to.lstrip("+ ")  # A plain + in a query means a space.
    sends = simulator.state.sends(channel=channel, to=to, after=int(after))
    return json_response([_send(n, send) for n, send in sends])


def reset(simulator: Simulator, _request: Request) -> Response:
    simulator.reset()
    return Response(status=204)


def post_report(simulator: Simulator, request: Request) -> Response:
    """Report a status for the last message to a handset, whatever the handset's mode says."""
    body = request.json_object()
    to, status, code = body.get("to"), body.get("status"), body.get("code")
    if body.get("channel") not in list(Channel):
        raise BadRequest(f"channel: must be one of {', '.join(Channel)}")
    channel = Channel(str(body["channel"]))
    if status not in _REPORTABLE[channel]:
        raise BadRequest(f"status: must be one of {', '.join(_REPORTABLE[channel])}")
    if code is not None and (isinstance(code, bool) or not isinstance(code, int)):
        raise BadRequest("code: must be a whole number")
    if not isinstance(to, str) or not phones.is_e164(to):
        raise BadRequest("to: must be a number like +85251234567")
    message = simulator.state.last_message(to, channel)
    if message is None:
        raise NotFound("no message has gone to that number on that channel")
    if isinstance(message, WhatsAppMessage) and status == "did_not_request_code":
        simulator.reporter.report_not_requested(message)
    else:
        simulator.reporter.report(message, str(status), code)
    return json_response({"id": message.id, "status": status}, status=202)


def add_accounts(simulator: Simulator, request: Request) -> Response:
    """Add accounts, all or none; nothing of them is ever given back."""
    body = request.json_object()
    for key in body:
        if key not in ("whatsapp", "twilio", "webhook_url"):
            raise BadRequest(f"{key}: unknown; one of twilio, webhook_url, whatsapp")
    whatsapp = [_whatsapp_account(item, path) for path, item in _items(body, "whatsapp")]
    twilio = [
        TwilioAccount(**_texts(item, path, TWILIO_TEXT_KEYS, required=("account_sid", "auth_token")))
        for path, item in _items(body, "twilio")
    ]
    if isinstance(body.get("webhook_url"), str):
        simulator.reporter.webhook_url = str(body["webhook_url"])
    for account in whatsapp:
        simulator.state.accounts = simulator.state.accounts.with_whatsapp(account)
        simulator.templates.add_account(account)
    for owner in twilio:
        simulator.state.accounts = simulator.state.accounts.with_twilio(owner)
    return Response(status=204)


def perform_handshake(simulator: Simulator, request: Request) -> Response:
    """Meta's verification of our webhook address, as when somebody enters it in the dashboard."""
    body = request.json_object() if request.body else {}
    token = body.get("verify_token", simulator.state.accounts.whatsapp[0].verify_token)
    status, verified = handshake.perform(simulator.reporter.webhook_url, verify_token=str(token))
    return json_response({"status": status, "verified": verified})


def _phone(request: Request) -> str:
    phone = unquote(request.params["phone"])
    if not phones.is_e164(phone):
        raise BadRequest("the number must be like +85251234567")
    return phone


def _items(body: dict[str, object], key: str) -> list[tuple[str, dict[str, object]]]:
    items = body.get(key, [])
    if not isinstance(items, list) or not all(isinstance(item, dict) for item in items):
        raise BadRequest(f"{key}: must be a list of objects")
    return [(f"{key}[{number}]", item) for number, item in enumerate(items)]


def _whatsapp_account(item: dict[str, object], path: str) -> WhatsAppAccount:
    languages = item.get("languages")
    if languages is not None and (
        not isinstance(languages, list) or not all(isinstance(code, str) for code in languages)
    ):
        raise BadRequest(f"{path}.languages: must be a list of language codes")
    rest = {key: value for key, value in item.items() if key != "languages"}
    required = ("phone_number_id", "business_account_id", "access_token", "app_secret")
    values: dict[str, Any] = {**_texts(rest, path, WHATSAPP_TEXT_KEYS, required=required)}
    if languages is not None:
        values["languages"] = tuple(languages)
    return WhatsAppAccount(**values)


def _texts(
    item: dict[str, object], path: str, keys: dict[str, str], *, required: tuple[str, ...]
) -> dict[str, str]:
    for key in required:
        if key not in item:
            raise BadRequest(f"{path}.{key}: is required")
    texts = {}
    for key, value in item.items():
        if key not in keys:
            raise BadRequest(f"{path}.{key}: unknown; one of {', '.join(keys)}")
        if not isinstance(value, str) or not value:
            raise BadRequest(f"{path}.{key}: must be a text")
        texts[keys[key]] = value
    return texts


def _handset(handset: Handset) -> dict[str, object]:
    return asdict(handset)


def _message(message: Message) -> dict[str, object]:
    return {
        "channel": message.channel,
        "from": message.shown_from,
        "text": message.text,
        "code": message.code,
        "button": message.button,
        "at": timestamp(message.shown_at or message.created_at),
        "id": message.id,
    }


def _send(n: int, send: Send) -> dict[str, object]:
    return {
        "n": n,
        "channel": send.channel,
        "provider": send.provider,
        "sender": send.sender,
        "to": send.to,
        "code": send.code,
        "at": timestamp(send.at),
        "id": send.id,
        "outcome": send.outcome,
        "error": send.error,
        "reference": send.reference,
    }


def _moment(at: datetime | None) -> str | None:
    return None if at is None else timestamp(at)
