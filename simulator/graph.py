"""Meta's Graph API: who may call, the send call, and the account calls, under any version prefix."""

import hmac
from collections.abc import Callable

from simulator import errors, graph_account, graph_send, phones
from simulator.accounts import WhatsAppAccount
from simulator.behaviour import Channel, Outage, WhatsAppMode
from simulator.core import Simulator, half
from simulator.errors import GraphError
from simulator.graph_account import GraphCall
from simulator.messages import Send, WhatsAppMessage
from simulator.plans import whatsapp_steps
from simulator.web import BadRequest, Request, Response, Route, no_answer

type GraphHandler = Callable[[Simulator, GraphCall], Response]


def routes(simulator: Simulator) -> list[Route]:
    table: list[tuple[str, str, GraphHandler]] = [
        ("POST", r"/{version:v\d+\.\d+}/{object}/messages", send_message),
        ("GET", r"/{version:v\d+\.\d+}/debug_token", graph_account.debug_token),
        ("GET", r"/{version:v\d+\.\d+}/{object}/phone_numbers", graph_account.phone_numbers),
        ("GET", r"/{version:v\d+\.\d+}/{object}/message_templates", graph_account.list_templates),
        ("POST", r"/{version:v\d+\.\d+}/{object}/message_templates", graph_account.create_template),
        ("POST", r"/{version:v\d+\.\d+}/{object}/upsert_message_templates", graph_account.upsert_templates),
        ("GET", r"/{version:v\d+\.\d+}/{object}/message_template_previews", graph_account.preview_templates),
        ("GET", r"/{version:v\d+\.\d+}/{object}/subscribed_apps", graph_account.subscribed_apps),
        ("POST", r"/{version:v\d+\.\d+}/{object}/subscribed_apps", graph_account.subscribe_app),
        ("DELETE", r"/{version:v\d+\.\d+}/{object}/subscribed_apps", graph_account.unsubscribe_app),
        ("GET", r"/{version:v\d+\.\d+}/{object}", graph_account.phone_number),
    ]
    return [Route(method, pattern, _guarded(simulator, handler)) for method, pattern, handler in table]


def _guarded(simulator: Simulator, handler: GraphHandler) -> Callable[[Request], Response]:
    """Outages first, then the token, then the call; a GraphError becomes the answer and a refused send."""

    def handle(request: Request) -> Response:
        version = request.params["version"]
        sending = handler is send_message
        outage = simulator.outage(Channel.WHATSAPP)
        answer = simulator.silence(outage, _send_of(request, outcome=_outcome(outage)) if sending else None)
        if answer is not None:
            return answer
        try:
            _raise_outage(outage, sending=sending)
            account = _authenticated(simulator, request)
            return handler(simulator, GraphCall(request=request, account=account, version=version))
        except GraphError as error:
            if sending:
                simulator.state.record_send(_send_of(request, outcome="refused", error=error.code))
            return errors.error_response(error, version=version)

    return handle


def send_message(simulator: Simulator, call: GraphCall) -> Response:
    account, request = call.account, call.request
    if request.params["object"] != account.phone_number_id:
        raise errors.unknown_object(request.params["object"])
    order = graph_send.check_order(call.json_body(), account=account, templates=simulator.templates)
    outage = simulator.outage(Channel.WHATSAPP)
    _raise_late_outage(outage)
    handset = simulator.state.handset(order.to)
    if handset.whatsapp is WhatsAppMode.TIMEOUT:
        simulator.state.record_send(_send_of(request, outcome="unanswered"))
        simulator.state.hang(simulator.state.faults.hang_seconds)
        return no_answer()
    _raise_handset_error(handset.whatsapp)
    message = _message(order, account)
    simulator.state.record_send(_send_of(request, outcome=_outcome(outage), message_id=message.id))
    answer = _answer(order, message, outage=outage, version=call.version)
    if outage in (Outage.HALF_JSON, Outage.NO_ID, Outage.HELD, Outage.PAUSED):
        return half(answer) if outage is Outage.HALF_JSON else answer
    if outage is Outage.ACCEPT_THEN_CLOSE:
        answer = no_answer()
    steps = whatsapp_steps(handset, ttl_seconds=order.template.ttl_seconds)
    return simulator.accept(message, steps, answer=answer)


def _answer(
    order: graph_send.Order, message: WhatsAppMessage, *, outage: Outage | None, version: str
) -> Response:
    status = "held_for_quality_assessment" if outage is Outage.HELD else "accepted"
    body = graph_send.answer_body(
        order,
        wa_id=message.wa_id,
        wamid=None if outage is Outage.NO_ID else message.id,
        status="paused" if outage is Outage.PAUSED else status,
        user_id=phones.business_scoped_user_id(
            business_account_id=message.account.business_account_id, wa_id=message.wa_id
        ),
    )
    return errors.graph_response(body, version=version)


def _message(order: graph_send.Order, account: WhatsAppAccount) -> WhatsAppMessage:
    wa_id = phones.whatsapp_id(order.to)
    return WhatsAppMessage(
        id=phones.new_wamid(wa_id),
        channel=Channel.WHATSAPP,
        provider="meta",
        to=order.to,
        shown_from=account.verified_name,
        text=order.template.text(order.code or ""),
        code=order.code,
        button=order.template.button if order.template.takes_code else None,
        reference=order.reference,
        account=account,
        wa_id=wa_id,
    )


def _outcome(outage: Outage | None) -> str:
    """The word for a send that no GraphError refused."""
    match outage:
        case Outage.REFUSE | Outage.HANG:
            return "unanswered"
        case Outage.ERROR_503_HTML:
            return "refused"
        case Outage.NOT_JSON | Outage.HALF_JSON | Outage.NO_ID:
            return "garbled"
        case Outage.HELD | Outage.PAUSED:
            return outage.value
        case _:
            return "accepted"


def _raise_outage(outage: Outage | None, *, sending: bool) -> None:
    if outage is Outage.TOKEN_EXPIRED:
        raise errors.token_expired()
    if outage is Outage.ERROR_500:
        raise errors.catalogued(131000)
    if outage is Outage.RATE_LIMITED and sending:
        raise errors.catalogued(130429)


def _raise_late_outage(outage: Outage | None) -> None:
    """Faults of the account, found only once the request itself is right."""
    if outage is Outage.TEMPLATE_PAUSED:
        raise errors.catalogued(132015)
    if outage is Outage.PAYMENT:
        raise errors.catalogued(131042)


def _raise_handset_error(mode: WhatsAppMode) -> None:
    codes = {
        WhatsAppMode.ERROR_500: 131000,
        WhatsAppMode.RATE_LIMITED: 130429,
        WhatsAppMode.NOT_ON_WHATSAPP_SYNC: 131026,
    }
    if mode in codes:
        raise errors.catalogued(codes[mode])


def _authenticated(simulator: Simulator, request: Request) -> WhatsAppAccount:
    """The account that the token belongs to; with several of one token, the one that the path names."""
    scheme, _, token = request.headers.get("authorization", "").partition(" ")
    token = token.strip() if scheme.lower() == "bearer" else request.query.get("access_token", "")
    if not token:
        raise errors.token_missing()
    matching = [
        account
        for account in simulator.state.accounts.whatsapp
        if hmac.compare_digest(account.access_token.encode(), token.encode())
    ]
    if not matching:
        raise errors.token_invalid()
    wanted = request.params.get("object")
    named = (a for a in matching if wanted in (a.phone_number_id, a.business_account_id))
    return next(named, matching[0])


def _send_of(
    request: Request, *, outcome: str, error: int | None = None, message_id: str | None = None
) -> Send:
    """The send as it was asked for, however broken the request is."""
    body: dict[str, object] = {}
    try:
        body = request.json_object()
    except BadRequest:
        pass  # What is not JSON names no recipient; the send is recorded all the same.
    to, reference = body.get("to"), body.get("biz_opaque_callback_data")
    return Send(
        channel=Channel.WHATSAPP,
        provider="meta",
        sender=request.params["object"],
        to=to if isinstance(to, str) else None,
        code=_asked_code(body),
        id=message_id,
        outcome=outcome,
        error=error,
        reference=reference if isinstance(reference, str) else None,
    )


def _asked_code(body: dict[str, object]) -> str | None:
    try:
        code = body["template"]["components"][0]["parameters"][0]["text"]  # type: ignore[index]  # anything may be there
    except (KeyError, IndexError, TypeError):
        return None
    return code if isinstance(code, str) else None
