"""Twilio's errors: the texts and the answer."""

import re
import secrets

from simulator.server.routing import Response, json_response

# Code → HTTP status and text; {to} is masked as in the newer answers.
_ERRORS = {
    20001: (400, "Invalid parameter: ValidityPeriod must be between 1 and 36000"),
    20003: (401, "Authenticate"),
    20007: (400, "Page size too large"),
    20404: (404, "The requested resource {path} was not found"),
    20422: (400, "Invalid Parameter"),
    20429: (429, "Too Many Requests"),
    20500: (500, "An internal server error has occurred"),
    21211: (400, "Invalid 'To' Phone Number: {to}"),
    21212: (400, "The 'From' number {sender} is not a valid phone number"),
    21408: (
        400,
        "Permission to send an SMS has not been enabled for the region indicated by the 'To' number: {to}",
    ),
    21602: (400, "Message body is required."),
    21603: (400, "A 'From' phone number is required."),
    21604: (400, "A 'To' phone number is required."),
    21606: (
        400,
        (
            "The 'From' phone number {sender} is not a valid, SMS-capable inbound phone number or short code "
            "for your account."
        ),
    ),
    21609: (400, "Invalid 'StatusCallback' URL"),
    21610: (400, "Attempt to send to unsubscribed recipient"),
    21611: (400, "This 'From' number has exceeded the maximum number of queued messages"),
    21612: (
        400,
        "Message cannot be sent with the current combination of 'To' ({to}) and/or 'From' ({sender}) parameters",
    ),
    21614: (400, "'To' number is not a valid mobile number"),
    21617: (400, "The concatenated message body exceeds the 1600 character limit"),
    21705: (400, "The 'MessagingServiceSid' is invalid"),
}


class TwilioError(Exception):
    """An error answer of Twilio's. `text`: where the code has several."""

    def __init__(self, code: int, text: str = "") -> None:
        super().__init__(code)
        self.code = code
        self.text = text


def response_headers() -> dict[str, str]:
    return {
        "Twilio-Request-Id": "RQ" + secrets.token_hex(16),
        "Twilio-Request-Duration": "0.012",
        "Twilio-Concurrent-Requests": "1",
    }


def error_response(code: int, *, to: str, sender: str | None, path: str, text: str = "") -> Response:
    status, usual = _ERRORS[code]
    message = (text or usual).format(to=re.sub(r"\d{4}$", "XXXX", to), sender=sender, path=path)
    more_info = f"https://www.twilio.com/docs/errors/{code}"
    body = {"code": code, "message": message, "more_info": more_info, "status": status}
    headers = response_headers()
    if status == 401:
        headers["WWW-Authenticate"] = 'Basic realm="Twilio API"'
    return json_response(body, status=status, headers=headers)
