"""How a Graph API request and its answers look: the call with its account, JSON answers, error answers."""

import secrets
from collections.abc import Iterable
from dataclasses import dataclass

from simulator.accounts import WhatsAppAccount
from simulator.meta import errors
from simulator.meta.errors import GraphError
from simulator.server.routing import BadRequest, Request, Response, json_response


@dataclass(frozen=True, slots=True, kw_only=True)
class GraphCall:
    """An authenticated request."""

    request: Request
    account: WhatsAppAccount

    @property
    def object_id(self) -> str:
        """The phone number, business account or template that the path names."""
        return self.request.params["object"]

    def business_account_id(self) -> str:
        """The business account that the path names. Raises GraphError 803 when the token does not see it."""
        if self.object_id != self.account.business_account_id:
            raise errors.unknown_object(self.object_id)
        return self.object_id

    def json_body(self) -> dict[str, object]:
        """The body as a JSON object. Raises GraphError 100."""
        try:
            return self.request.json_object()
        except BadRequest as error:
            raise errors.invalid_parameter(f"The request body is not valid: {error}") from error

    def answer(self, value: object) -> Response:
        return graph_response(self.request, value)

    def answer_fields(self, value: dict[str, object], default: Iterable[str] | None = None) -> Response:
        """The fields that the query asks for, else the default ones, else all; the id always."""
        asked = self.request.query.get("fields")
        return self.answer(selected(value, asked.split(",") if asked else default))


def selected(value: dict[str, object], fields: Iterable[str] | None) -> dict[str, object]:
    return value if fields is None else {name: value[name] for name in [*fields, "id"] if name in value}


def graph_response(request: Request, value: object) -> Response:
    return json_response(value, headers=_headers(request, trace=_new_trace()))


def error_response(request: Request, error: GraphError) -> Response:
    trace = _new_trace()
    body: dict[str, object] = {"message": error.message, "type": error.type, "code": error.code}
    if error.subcode is not None:
        body["error_subcode"] = error.subcode
    if error.details is not None:
        body["error_data"] = {"messaging_product": "whatsapp", "details": error.details}
    body["fbtrace_id"] = trace
    reason = "invalid_token" if error.www_authenticate else "invalid_request"
    # The message may repeat a part of the path, which may hold line breaks.
    text = error.message.encode("unicode_escape").decode()
    headers = {
        **_headers(request, trace=trace),
        "WWW-Authenticate": f'OAuth "Facebook Platform" "{reason}" "{text}"',
    }
    return json_response({"error": body}, status=error.status, headers=headers)


def _headers(request: Request, *, trace: str) -> dict[str, str]:
    return {
        "facebook-api-version": request.params["version"],
        "x-fb-trace-id": trace,
        "x-fb-request-id": secrets.token_hex(12),
        "x-fb-rev": "1029384756",
    }


def _new_trace() -> str:
    return "A" + secrets.token_hex(11)
