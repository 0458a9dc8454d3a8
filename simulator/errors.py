"""Meta's errors as Graph writes them: the texts, the envelope, the headers that come with every answer."""

import json
import secrets
from dataclasses import dataclass

from simulator.web import Response

ERROR_CODES_HREF = "https://developers.facebook.com/docs/whatsapp/cloud-api/support/error-codes/"


@dataclass(frozen=True, slots=True, kw_only=True)
class GraphError(Exception):
    """An error answer. `details` is None where Meta sends no error_data."""

    status: int
    code: int
    message: str
    details: str | None = None
    subcode: int | None = None
    type: str = "OAuthException"
    is_transient: bool = False
    www_authenticate: bool = False


# Code → HTTP status, title, details (Meta's "Error codes" page). `{}` is filled in where it happens.
CATALOGUE: dict[int, tuple[int, str, str | None]] = {
    131000: (500, "Something went wrong", "Message failed to send due to an unknown error."),
    131008: (400, "Required parameter is missing", "{}"),
    131009: (400, "Parameter value is not valid", "{}"),
    131026: (400, "Receiver is incapable of receiving this message", "Message Undeliverable."),
    131042: (
        400,
        "Business eligibility payment issue",
        "Message failed to send because there were one or more errors related to your payment method.",
    ),
    131047: (
        400,
        "Re-engagement message",
        "Message failed to send because more than 24 hours have passed since the customer last replied to this number.",
    ),
    131059: (400, "Invalid paging cursor", "{}"),
    131062: (
        400,
        "Business-scoped User ID (BSUID) recipients are not supported for this message.",
        "Business-scoped User ID (BSUID) recipients are not supported for this message.",
    ),
    130429: (400, "Rate limit hit", "Cloud API message throughput has been reached."),
    132000: (400, "Number of parameters does not match the expected number of params", "{}"),
    132001: (404, "Template name does not exist in the translation", "{}"),
    132005: (400, "Translated text too long", "{}"),
    132015: (
        400,
        "Template is Paused",
        "Template is paused due to low quality so it cannot be sent in a template message.",
    ),
    132018: (400, "There's an issue with the parameters in your template", "{}"),
}

# Code → title and details of a failed status; other codes get a plain title.
FAILURES: dict[int, tuple[str, str]] = {
    131026: ("Message undeliverable", "Message Undeliverable."),
    131049: (
        "This message was not delivered to maintain healthy ecosystem engagement.",
        "In order to maintain a healthy ecosystem engagement, the message failed to be delivered.",
    ),
    132015: ("Template is Paused", CATALOGUE[132015][2] or ""),
    137000: (
        "Recipient identity key hash mismatch",
        "The identity key hash in the request does not match the current hash of the recipient.",
    ),
}


def catalogued(code: int, details: str = "") -> GraphError:
    status, title, template = CATALOGUE[code]
    filled = None if template is None else template.format(details)
    return GraphError(status=status, code=code, message=f"(#{code}) {title}", details=filled)


def missing_parameter(name: str) -> GraphError:
    return GraphError(status=400, code=100, message=f"(#100) The parameter {name} is required.")


def invalid_parameter(details: str) -> GraphError:
    return GraphError(status=400, code=100, message="(#100) Invalid parameter", details=details)


def token_missing() -> GraphError:
    message = "An access token is required to request this resource."
    return GraphError(status=401, code=104, message=message, www_authenticate=True)


def token_invalid() -> GraphError:
    message = "Invalid OAuth access token - Cannot parse access token"
    return GraphError(status=401, code=190, message=message, www_authenticate=True)


def token_expired() -> GraphError:
    message = (
        "Error validating access token: Session has expired on Sunday, 22-Nov-26 14:00:00 PST. "
        "The current time is Monday, 23-Nov-26 02:00:01 PST."
    )
    return GraphError(status=401, code=190, subcode=463, message=message, www_authenticate=True)


def unknown_object(name: str) -> GraphError:
    message = f"(#803) Some of the aliases you requested do not exist: {name}"
    return GraphError(status=404, code=803, message=message, type="GraphMethodException")


def failure(code: int) -> dict[str, object]:
    """The error of a failed status: another shape than an answer's, title and message are equal."""
    title, details = FAILURES.get(code, (f"Error {code}", "Message failed to send."))
    return {
        "code": code,
        "title": title,
        "message": title,
        "error_data": {"details": details},
        "href": ERROR_CODES_HREF,
    }


def error_response(error: GraphError, *, version: str) -> Response:
    trace = "A" + secrets.token_hex(11)
    body: dict[str, object] = {"message": error.message, "type": error.type, "code": error.code}
    if error.subcode is not None:
        body["error_subcode"] = error.subcode
    if error.is_transient:
        body["is_transient"] = True
    if error.details is not None:
        body["error_data"] = {"messaging_product": "whatsapp", "details": error.details}
    body["fbtrace_id"] = trace
    headers = graph_headers(version, trace=trace)
    reason = "invalid_token" if error.www_authenticate else "invalid_request"
    headers["WWW-Authenticate"] = f'OAuth "Facebook Platform" "{reason}" "{error.message}"'
    return Response(status=error.status, body=_dumps({"error": body}), headers=headers)


def graph_response(value: object, *, version: str) -> Response:
    return Response(body=_dumps(value), headers=graph_headers(version, trace="A" + secrets.token_hex(11)))


def graph_headers(version: str, *, trace: str) -> dict[str, str]:
    return {
        "facebook-api-version": version,
        "x-fb-trace-id": trace,
        "x-fb-request-id": secrets.token_hex(12),
        "x-fb-rev": "1029384756",
    }


def _dumps(value: object) -> bytes:
    """Compact and ASCII-escaped, as Meta writes."""
    return json.dumps(value, separators=(",", ":")).encode()
