"""Meta's send call: from a checked request to an accepted message and its answer."""

from simulator.accounts import WhatsAppAccount
from simulator.handsets.delivery_steps import whatsapp_steps
from simulator.handsets.handset import Channel, WhatsAppMode
from simulator.handsets.messages import Send
from simulator.meta import errors, ids
from simulator.meta.graph import GraphCall
from simulator.meta.message_checks import TemplateMessage, check_message
from simulator.meta.webhooks import WhatsAppMessage, user_id
from simulator.server.faults import Outage, outcome_of
from simulator.server.routing import Request, Response
from simulator.server.simulator import Simulator

# Faults of the account that Meta sees only once the request itself is right.
_OUTAGE_ERRORS = {Outage.TEMPLATE_PAUSED: 132015, Outage.PAYMENT: 131042}
_HANDSET_ERRORS = {
    WhatsAppMode.ERROR_500: 131000,
    WhatsAppMode.RATE_LIMITED: 130429,
    WhatsAppMode.NOT_ON_WHATSAPP_SYNC: 131026,
}
_MESSAGE_STATUSES = {Outage.HELD: "held_for_quality_assessment", Outage.PAUSED: "paused"}


def send_message(simulator: Simulator, call: GraphCall) -> Response:
    account, request = call.account, call.request
    if call.object_id != account.phone_number_id:
        raise errors.unknown_object(call.object_id)
    asked = check_message(call.json_body(), account=account, templates=simulator.templates)
    outage = simulator.state.faults.whatsapp_outage
    if outage in _OUTAGE_ERRORS:
        raise errors.graph_error(_OUTAGE_ERRORS[outage])
    handset = simulator.state.handset(asked.to)
    if handset.whatsapp is WhatsAppMode.TIMEOUT:
        return simulator.leave_unanswered(send_record(request, outcome="unanswered"))
    if handset.whatsapp in _HANDSET_ERRORS:
        raise errors.graph_error(_HANDSET_ERRORS[handset.whatsapp])
    message = _message(asked, account)
    record = send_record(request, outcome=outcome_of(outage), message_id=message.id)
    simulator.state.record_send(record)
    response = call.answer(_answer_body(message, outage))
    steps = whatsapp_steps(handset, ttl_seconds=asked.template.ttl_seconds)
    return simulator.accept(message, steps, response=response, outage=outage)


def send_record(
    request: Request, *, outcome: str, error: int | None = None, message_id: str | None = None
) -> Send:
    """The send as it was asked for, however broken the request is."""
    body = request.json_object_or_empty()
    to, reference = body.get("to"), body.get("biz_opaque_callback_data")
    return Send(
        channel=Channel.WHATSAPP,
        provider="meta",
        sender=request.params["object"],
        to=to if isinstance(to, str) else None,
        code=_code_of(body),
        id=message_id,
        outcome=outcome,
        error=error,
        reference=reference if isinstance(reference, str) else None,
    )


def _code_of(body: dict[str, object]) -> str | None:
    try:
        code = body["template"]["components"][0]["parameters"][0]["text"]  # type: ignore[index]  # anything may be there
    except (KeyError, IndexError, TypeError):
        return None
    return code if isinstance(code, str) else None


def _message(asked: TemplateMessage, account: WhatsAppAccount) -> WhatsAppMessage:
    wa_id = ids.whatsapp_id(asked.to)
    return WhatsAppMessage(
        id=ids.new_wamid(wa_id),
        channel=Channel.WHATSAPP,
        provider="meta",
        to=asked.to,
        shown_from=account.verified_name,
        text=asked.template.text(asked.code or ""),
        code=asked.code,
        button=asked.template.button if asked.template.takes_code else None,
        reference=asked.reference,
        account=account,
        wa_id=wa_id,
    )


def _answer_body(message: WhatsAppMessage, outage: Outage | None) -> dict[str, object]:
    contact = {"input": message.to, "wa_id": message.wa_id, "user_id": user_id(message)}
    status = "accepted" if outage is None else _MESSAGE_STATUSES.get(outage, "accepted")
    accepted = {"id": message.id, "message_status": status}
    return {
        "messaging_product": "whatsapp",
        "contacts": [contact],
        "messages": [] if outage is Outage.NO_ID else [accepted],
    }
