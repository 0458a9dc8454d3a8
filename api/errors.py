"""The one error of the API, and every code that it can carry (docs/contract.md, section 6).

Texts are English and fixed: programs read `code`, developers read the rest. No text repeats what was sent.
"""

from collections.abc import Mapping

# code → status, title, default `detail`
CODES: Mapping[str, tuple[int, str, str]] = {
    "invalid_request": (400, "Invalid request", "The request cannot be understood."),
    "invalid_phone": (400, "Invalid phone number", "This is not a number that can receive a code."),
    "wrong_code": (400, "Wrong code", "The code is not right."),
    "invalid_client": (401, "Invalid client", "Unknown client, or client authentication failed."),
    "invalid_token": (
        401,
        "Invalid token",
        "There is no valid statistics token in the Authorization header.",
    ),
    "country_not_allowed": (
        403,
        "Country not allowed",
        "Numbers of this country receive no codes from this project.",
    ),
    "channel_not_allowed": (
        403,
        "Channel not allowed",
        "This project does not send codes over this channel.",
    ),
    "user_blocked": (403, "User blocked", "This user may not sign in."),
    "challenge_not_found": (404, "No such challenge", "This client has no such challenge."),
    "not_found": (404, "Not found", "There is nothing at this path."),
    "method_not_allowed": (405, "Method not allowed", "See the Allow header."),
    "not_acceptable": (406, "Not acceptable", "Answers are application/json."),
    "challenge_consumed": (409, "Challenge consumed", "The code was used: tokens are given once."),
    "challenge_expired": (410, "Challenge expired", "The code is too old, or was withdrawn. Start again."),
    "too_large": (413, "Request too large", "The request body exceeds 16 KiB."),
    "unsupported_media_type": (415, "Unsupported media type", "The body must be application/json."),
    "misdirected": (421, "Misdirected request", "This is not the address of the service: see its issuer."),
    "challenge_locked": (423, "Challenge locked", "Too many wrong codes. Start again."),
    "rate_limited": (429, "Too many requests", "See the Retry-After header."),
    "internal_error": (500, "Internal error", "Something went wrong on our side."),
    "unavailable": (
        503,
        "Unavailable",
        "No code can be sent or checked at the moment. Try again in a minute.",
    ),
}


class Problem(Exception):
    """An error answer. `more`: extension members (RFC 9457 3.2)."""

    def __init__(
        self, code: str, detail: str = "", *, headers: Mapping[str, str] | None = None, **more: object
    ) -> None:
        super().__init__(code)
        self.code = code
        self.status, self.title, default = CODES[code]
        self.detail = detail or default
        self.headers = headers or {}
        self.more = more

    def body(self) -> dict[str, object]:
        return {
            "type": f"urn:authsvc:problem:{self.code}",
            "title": self.title,
            "status": self.status,
            "detail": self.detail,
            "code": self.code,
            **self.more,
        }
