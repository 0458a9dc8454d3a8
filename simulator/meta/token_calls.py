"""Meta's answers about access tokens: `debug_token`, asked with the token itself or with the app's own token.

Meta, "Access Token Debugging": the app's own token is `{app id}|{app secret}`, so a wrong secret is refused here.
"""

from simulator.meta import errors
from simulator.meta.errors import GraphError
from simulator.meta.graph import graph_response
from simulator.meta.subscriptions import APP_ID, APP_NAME, is_app_secret
from simulator.server.faults import Outage
from simulator.server.routing import Request, Response
from simulator.server.simulator import Simulator

SCOPES = ("business_management", "whatsapp_business_management", "whatsapp_business_messaging")


def debug_token(simulator: Simulator, request: Request) -> Response:
    """`GET /debug_token?input_token=…`. A token that is not valid is told in the answer, not by an error."""
    _authenticate(simulator, request)
    token = request.query.get("input_token")
    if not token:
        raise errors.missing_parameter("input_token")
    accounts = [item for item in simulator.state.accounts.whatsapp if item.access_token == token]
    if not accounts:
        error = {"code": 190, "message": "Invalid OAuth access token."}
        return graph_response(request, {"data": {"error": error, "is_valid": False, "scopes": []}})
    facts = simulator.state.facts.token
    targets = sorted({item.business_account_id for item in accounts})
    scopes = facts.get("scopes", list(SCOPES))
    assert isinstance(scopes, list)  # noqa: S101 # checked where it is set
    data = {
        "app_id": APP_ID,
        "type": "SYSTEM_USER",
        "application": APP_NAME,
        "expires_at": 0,
        "is_valid": True,
        "issued_at": 1792836000,
        "granular_scopes": [
            {"scope": scope, "target_ids": targets} for scope in scopes if scope.startswith("whatsapp")
        ],
        "user_id": "880023456789012",
        **facts,
        "scopes": scopes,
    }
    return graph_response(request, {"data": data})


def _authenticate(simulator: Simulator, request: Request) -> None:
    """Raises GraphError unless it is the app's own token or one of its users'."""
    if simulator.state.faults.whatsapp_outage is Outage.TOKEN_EXPIRED:
        raise errors.token_expired()
    scheme, _, bearer = request.headers.get("authorization", "").partition(" ")
    token = bearer.strip() if scheme.lower() == "bearer" else request.query.get("access_token", "")
    if not token:
        raise errors.token_missing()
    app, is_of_app, secret = token.partition("|")
    if is_of_app:
        if app == APP_ID and is_app_secret(simulator, secret):
            return
        raise GraphError(status=400, code=190, message="Invalid OAuth access token signature.")
    if token not in {item.access_token for item in simulator.state.accounts.whatsapp}:
        raise errors.token_invalid()
