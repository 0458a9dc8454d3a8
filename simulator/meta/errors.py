"""Meta's errors: codes, HTTP statuses and texts, of answers and of failed messages."""

from dataclasses import dataclass

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
    www_authenticate: bool = False


# Code → HTTP status, title, details (Meta's "Error codes" page). `{}` is filled in where it happens.
CATALOGUE: dict[int, tuple[int, str, str | None]] = {
    131000: (500, "Something went wrong", "Message failed to send due to an unknown error."),
    131008: (400, "Required parameter is missing", "{}"),
    131009: (400, "Parameter value is not valid", "{}"),
    131021: (400, "Recipient cannot be sender", "Recipient phone number is the same as the sender's."),
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
    132016: (
        400,
        "Template is Disabled",
        "Template has been paused too many times due to low quality and is now permanently disabled.",
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
    132016: ("Template is Disabled", CATALOGUE[132016][2] or ""),
    137000: (
        "Recipient identity key hash mismatch",
        "The identity key hash in the request does not match the current hash of the recipient.",
    ),
}


def graph_error(code: int, details: str = "") -> GraphError:
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
    """The error of a failed status: its shape differs from an answer's, title and message are equal."""
    title, details = FAILURES.get(code, (f"Error {code}", "Message failed to send."))
    return {
        "code": code,
        "title": title,
        "message": title,
        "error_data": {"details": details},
        "href": ERROR_CODES_HREF,
    }
