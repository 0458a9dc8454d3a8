"""Meta's calls about webhooks: the app's own token and address, subscriptions, addresses of single accounts."""

import hmac

from simulator.accounts import WhatsAppAccount
from simulator.meta import errors, handshake
from simulator.meta.errors import GraphError
from simulator.meta.graph import GraphCall, graph_response
from simulator.server.routing import Request, Response
from simulator.server.simulator import Simulator

APP_ID = "770012345678901"
APP_NAME = "Simulated app"
CALLBACK_MAX_LENGTH = 200


def app_token(simulator: Simulator, request: Request) -> Response:
    """`GET /oauth/access_token?grant_type=client_credentials`: id and secret of the app make its token."""
    query = request.query
    if query.get("client_id") != APP_ID or not is_app_secret(simulator, query.get("client_secret", "")):
        raise GraphError(status=400, code=1, message="Error validating client secret.")
    token = f"{APP_ID}|{query['client_secret']}"
    return graph_response(request, {"access_token": token, "token_type": "bearer"})


def set_app_webhook(simulator: Simulator, request: Request) -> Response:
    """`POST /{app}/subscriptions`: where the app's webhooks go. Meta verifies the address first."""
    query = request.query
    app, _, secret = query.get("access_token", "").partition("|")
    if app != APP_ID or not is_app_secret(simulator, secret):
        raise errors.token_invalid()
    if query.get("object") != "whatsapp_business_account":
        raise errors.invalid_parameter("object: must be whatsapp_business_account")
    _verify(query.get("callback_url", ""), query.get("verify_token", ""))
    simulator.reporter.webhook_url = query["callback_url"]
    return graph_response(request, {"success": True})


def list_apps(simulator: Simulator, call: GraphCall) -> Response:
    return call.answer(subscribed_apps(simulator, call.business_account_id()))


def subscribe_app(simulator: Simulator, call: GraphCall) -> Response:
    """`POST /{business account}/subscribed_apps`, with `override_callback_uri` to an address of its own."""
    account_id = call.business_account_id()
    _override(simulator, account_id, call.json_body() if call.request.body else {})
    simulator.state.unsubscribed.discard(account_id)
    return call.answer({"success": True})


def unsubscribe_app(simulator: Simulator, call: GraphCall) -> Response:
    simulator.state.unsubscribed.add(call.business_account_id())
    return call.answer({"success": True})


def change_number(simulator: Simulator, call: GraphCall) -> Response:
    """`POST /{phone number}/`: the `webhook_configuration` of one number."""
    if call.object_id != call.account.phone_number_id:
        raise errors.unknown_object(call.object_id)
    configuration = call.json_body().get("webhook_configuration")
    if not isinstance(configuration, dict):
        raise errors.invalid_parameter("webhook_configuration: must be an object")
    _override(simulator, call.account.phone_number_id, configuration)
    return call.answer({"success": True})


def subscribed_apps(simulator: Simulator, account_id: str) -> dict[str, object]:
    link = f"https://www.facebook.com/games/?app_id={APP_ID}"
    app: dict[str, object] = {"whatsapp_business_api_data": {"id": APP_ID, "link": link, "name": APP_NAME}}
    if url := simulator.state.callbacks.get(account_id):
        app["override_callback_uri"] = url
    unsubscribed = simulator.state.faults.reports.unsubscribed or account_id in simulator.state.unsubscribed
    return {"data": [] if unsubscribed else [app]}


def webhook_configuration(simulator: Simulator, account: WhatsAppAccount) -> dict[str, str]:
    """The address of the app, and those of the account and the number where they have one of their own."""
    callbacks = simulator.state.callbacks
    overrides = {
        "whatsapp_business_account": callbacks.get(account.business_account_id),
        "phone_number": callbacks.get(account.phone_number_id),
    }
    own = {name: url for name, url in overrides.items() if url}
    return {"application": simulator.reporter.webhook_url, **own}


def _override(simulator: Simulator, object_id: str, configuration: dict[str, object]) -> None:
    """Give a number or business account an address of its own; an empty or missing one takes it back."""
    url = str(configuration.get("override_callback_uri") or "")
    if url:
        _verify(url, str(configuration.get("verify_token") or ""))
        simulator.state.callbacks[object_id] = url
    else:
        simulator.state.callbacks.pop(object_id, None)


def _verify(url: str, verify_token: str) -> None:
    if not url or not verify_token:
        raise errors.missing_parameter("verify_token" if url else "callback_url")
    if len(url) > CALLBACK_MAX_LENGTH:
        raise errors.invalid_parameter(f"The address has more than {CALLBACK_MAX_LENGTH} characters.")
    status, is_verified = handshake.perform(url, verify_token=verify_token)
    if not is_verified:
        details = f"HTTP Status Code = {status}" if status else "the address does not answer"
        message = f"(#2200) Callback verification failed with the following errors: {details}"
        raise GraphError(status=400, code=2200, message=message)


def is_app_secret(simulator: Simulator, secret: str) -> bool:
    return any(
        hmac.compare_digest(account.app_secret.encode(), secret.encode())
        for account in simulator.state.accounts.whatsapp
    )
