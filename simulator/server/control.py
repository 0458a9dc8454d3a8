"""The control API: its routes, and the calls about handsets, faults, sends and reports."""

from collections.abc import Callable
from dataclasses import asdict
from urllib.parse import unquote

from simulator.handsets.handset import Channel
from simulator.handsets.messages import Message, Send, timestamp
from simulator.handsets.phone_numbers import is_e164
from simulator.meta.webhooks import WhatsAppMessage
from simulator.server import control_accounts
from simulator.server.inputs import check_keys, read_choice, read_whole_number
from simulator.server.routing import (
    BadRequest,
    Handler,
    NotFound,
    Request,
    Response,
    Route,
    json_response,
    whole_number,
)
from simulator.server.simulator import Simulator

LISTED_HANDSETS = 50
_REPORTABLE = {
    Channel.WHATSAPP: ("sent", "delivered", "read", "failed", "did_not_request_code"),
    Channel.SMS: ("queued", "sent", "delivered", "undelivered", "failed"),
}
type ControlHandler = Callable[[Simulator, Request], Response]


def routes(simulator: Simulator) -> list[Route]:
    """Every control route, at the root and again below /phone/api for the phone page behind a proxy."""
    return [
        Route(method, prefix + pattern, _with_errors(simulator, handler))
        for prefix in ("", "/phone/api")
        for method, pattern, handler in _CALLS
    ]


def _with_errors(simulator: Simulator, handler: ControlHandler) -> Handler:
    def handle(request: Request) -> Response:
        try:
            return handler(simulator, request)
        except (BadRequest, NotFound) as error:
            return json_response({"error": str(error)}, status=404 if isinstance(error, NotFound) else 400)

    return handle


def health(simulator: Simulator, _request: Request) -> Response:
    return json_response({"status": "ok", "reports": simulator.poster.counts()})


def list_handsets(simulator: Simulator, _request: Request) -> Response:
    handsets = simulator.state.handsets(LISTED_HANDSETS)
    return json_response(
        [{**asdict(handset), "last_message_at": at and timestamp(at)} for handset, at in handsets]
    )


def show_handset(simulator: Simulator, request: Request) -> Response:
    return json_response(asdict(simulator.state.handset(_phone(request))))


def change_handset(simulator: Simulator, request: Request) -> Response:
    return json_response(asdict(simulator.state.change_handset(_phone(request), request.json_object())))


def show_next_handset(simulator: Simulator, _request: Request) -> Response:
    return json_response(asdict(simulator.state.next_handset))


def change_next_handset(simulator: Simulator, request: Request) -> Response:
    return json_response(asdict(simulator.state.change_next_handset(request.json_object())))


def list_messages(simulator: Simulator, request: Request) -> Response:
    return json_response([_message_json(item) for item in simulator.state.shown_messages(_phone(request))])


def show_faults(simulator: Simulator, _request: Request) -> Response:
    return json_response(asdict(simulator.state.faults))


def change_faults(simulator: Simulator, request: Request) -> Response:
    return json_response(asdict(simulator.state.change_faults(request.json_object())))


def list_sends(simulator: Simulator, request: Request) -> Response:
    query = request.query
    check_keys(query, ("after", "channel", "to"))
    channel, to, after = query.get("channel"), query.get("to"), whole_number(query.get("after", "0"))
    if channel is not None:
        read_choice(channel, tuple(Channel), "channel")
    if after is None:
        raise BadRequest("after: must be a whole number")
    if to is not None:
        to = "+" + to.lstrip("+ ")  # A plain + in a query means a space.
    sends = simulator.state.sends(channel=channel, to=to, after=after)
    return json_response([_send_json(n, send) for n, send in sends])


def reset(simulator: Simulator, _request: Request) -> Response:
    simulator.reset()
    return Response(status=204)


def post_report(simulator: Simulator, request: Request) -> Response:
    """Report a status for the last message to a handset, whatever the handset's mode says."""
    body = request.json_object()
    to, code = body.get("to"), body.get("code")
    channel = Channel(read_choice(body.get("channel"), tuple(Channel), "channel"))
    status = read_choice(body.get("status"), _REPORTABLE[channel], "status")
    error_code = None if code is None else read_whole_number(code, "code")
    if not isinstance(to, str) or not is_e164(to):
        raise BadRequest("to: must be a number like +85251234567")
    message = simulator.state.last_message(to, channel)
    if message is None:
        raise NotFound("no message has gone to that number on that channel")
    if isinstance(message, WhatsAppMessage) and status == "did_not_request_code":
        simulator.reporter.report_not_requested(message)
    else:
        simulator.reporter.report(message, status, error_code)
    return json_response({"id": message.id, "status": status}, status=202)


_CALLS: tuple[tuple[str, str, ControlHandler], ...] = (
    ("GET", "/healthz", health),
    ("GET", "/handsets", list_handsets),
    ("GET", "/handsets/next", show_next_handset),
    ("PUT", "/handsets/next", change_next_handset),
    ("GET", "/handsets/{phone}", show_handset),
    ("PUT", "/handsets/{phone}", change_handset),
    ("GET", "/handsets/{phone}/messages", list_messages),
    ("GET", "/faults", show_faults),
    ("PUT", "/faults", change_faults),
    ("GET", "/sends", list_sends),
    ("DELETE", "/state", reset),
    ("POST", "/reports", post_report),
    *control_accounts.CALLS,
)


def _phone(request: Request) -> str:
    phone = unquote(request.params["phone"])
    if not is_e164(phone):
        raise BadRequest("the number must be like +85251234567")
    return phone


def _message_json(message: Message) -> dict[str, object]:
    return {
        "channel": message.channel,
        "from": message.shown_from,
        "text": message.text,
        "code": message.code,
        "button": message.button,
        "at": timestamp(message.shown_at or message.created_at),
        "id": message.id,
    }


def _send_json(n: int, send: Send) -> dict[str, object]:
    return {"n": n, **asdict(send), "at": timestamp(send.at)}
