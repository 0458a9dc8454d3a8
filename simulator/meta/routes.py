"""The routes of the Graph API under any version, and what is checked before each call: outage and token."""

import hmac
from collections.abc import Callable

from simulator.accounts import WhatsAppAccount
from simulator.meta import account_calls, errors, messages, subscriptions, template_calls, token_calls
from simulator.meta.errors import GraphError
from simulator.meta.graph import GraphCall, error_response
from simulator.server.faults import Outage, outcome_of
from simulator.server.routing import Handler, Request, Response, Route
from simulator.server.simulator import Simulator

VERSION = r"/{version:v[0-9]+\.[0-9]+}"
type GraphHandler = Callable[[Simulator, GraphCall], Response]
type AppHandler = Callable[[Simulator, Request], Response]

# These bring the app's credentials, not (or not only) a user's token.
_APP_CALLS: list[tuple[str, str, AppHandler]] = [
    ("GET", "/oauth/access_token", subscriptions.app_token),
    ("POST", "/{object}/subscriptions", subscriptions.set_app_webhook),
    ("GET", "/debug_token", token_calls.debug_token),
]


def _read_object(simulator: Simulator, call: GraphCall) -> Response:
    """A template, a business account or a phone number: ids of all kinds share one path."""
    return template_calls.get_template(simulator, call) or account_calls.read_account(simulator, call)


def _change_object(simulator: Simulator, call: GraphCall) -> Response:
    return template_calls.change_template(simulator, call) or subscriptions.change_number(simulator, call)


_CALLS: list[tuple[str, str, GraphHandler]] = [
    ("POST", "/{object}/messages", messages.send_message),
    ("GET", "/{object}/phone_numbers", account_calls.phone_numbers),
    ("GET", "/{object}/message_templates", template_calls.list_templates),
    ("POST", "/{object}/message_templates", template_calls.create_template),
    ("DELETE", "/{object}/message_templates", template_calls.delete_templates),
    ("POST", "/{object}/upsert_message_templates", template_calls.upsert_templates),
    ("GET", "/{object}/message_template_previews", template_calls.preview_templates),
    ("GET", "/{object}/subscribed_apps", subscriptions.list_apps),
    ("POST", "/{object}/subscribed_apps", subscriptions.subscribe_app),
    ("DELETE", "/{object}/subscribed_apps", subscriptions.unsubscribe_app),
    ("GET", "/{object}/?", _read_object),
    ("POST", "/{object}/?", _change_object),
]


def routes(simulator: Simulator) -> list[Route]:
    of_app = [(method, path, _app_call(simulator, handler)) for method, path, handler in _APP_CALLS]
    of_user = [(method, path, _user_call(simulator, handler)) for method, path, handler in _CALLS]
    return [Route(method, VERSION + path, handler) for method, path, handler in (*of_app, *of_user)]


def _app_call(simulator: Simulator, handler: AppHandler) -> Handler:
    def handle(request: Request) -> Response:
        try:
            return handler(simulator, request)
        except GraphError as error:
            return error_response(request, error)

    return handle


def _user_call(simulator: Simulator, handler: GraphHandler) -> Handler:
    """Outages first, then the token, then the call; a GraphError becomes the answer and a refused send."""
    sends = handler is messages.send_message

    def handle(request: Request) -> Response:
        outage = simulator.state.faults.whatsapp_outage
        send = messages.send_record(request, outcome=outcome_of(outage)) if sends else None
        response = simulator.outage_response(outage, send)
        if response is not None:
            return response
        try:
            _raise_outage(outage, sends=sends)
            return handler(simulator, GraphCall(request=request, account=_authenticate(simulator, request)))
        except GraphError as error:
            if sends:
                record = messages.send_record(request, outcome="refused", error=error.code)
                simulator.state.record_send(record)
            return error_response(request, error)

    return handle


def _raise_outage(outage: Outage | None, *, sends: bool) -> None:
    if outage is Outage.TOKEN_EXPIRED:
        raise errors.token_expired()
    if outage is Outage.ERROR_500:
        raise errors.graph_error(131000)
    if outage is Outage.RATE_LIMITED and sends:
        raise errors.graph_error(130429)


def _authenticate(simulator: Simulator, request: Request) -> WhatsAppAccount:
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
    object_id = request.params.get("object")
    named = (a for a in matching if object_id in (a.phone_number_id, a.business_account_id))
    return next(named, matching[0])
