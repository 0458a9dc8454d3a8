"""What Meta's error codes mean for a message of ours. Titles in the comments.

What comes of a reason is decided in `channels.errors`.
"""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

from channels.types import FailureReason

# Meta, "Error codes".
REASONS: Mapping[int, FailureReason] = MappingProxyType(
    {
        # Authorisation and integrity
        0: FailureReason.MISCONFIGURED,  # AuthException
        3: FailureReason.MISCONFIGURED,  # API Method: capability or permission missing
        10: FailureReason.MISCONFIGURED,  # Permission Denied
        102: FailureReason.MISCONFIGURED,  # API Session: the login behind the token is over
        104: FailureReason.MISCONFIGURED,  # access token missing
        190: FailureReason.MISCONFIGURED,  # access token expired or invalid
        **dict.fromkeys(range(200, 300), FailureReason.MISCONFIGURED),  # API Permission
        368: FailureReason.ACCOUNT_BLOCKED,  # temporarily blocked for policy violations
        803: FailureReason.MISCONFIGURED,  # object does not exist, or is not visible to this token
        130497: FailureReason.REFUSED,  # business restricted from messaging this country: others go on
        131031: FailureReason.ACCOUNT_BLOCKED,  # account locked
        # Throttling
        4: FailureReason.RATE_LIMITED,  # API Too Many Calls
        17: FailureReason.RATE_LIMITED,  # user request limit reached
        32: FailureReason.RATE_LIMITED,  # page request limit reached
        341: FailureReason.RATE_LIMITED,  # application limit reached
        613: FailureReason.RATE_LIMITED,  # custom rate limit
        80007: FailureReason.RATE_LIMITED,  # rate limit of the business account
        130429: FailureReason.RATE_LIMITED,  # throughput: messages per second
        131048: FailureReason.ACCOUNT_BLOCKED,  # spam rate limit: the number's quality is restricted
        131056: FailureReason.PAIR_LIMITED,  # pair rate limit: too many messages to this recipient
        131064: FailureReason.ACCOUNT_BLOCKED,  # messaging limited: template classification violations
        # Message and recipient
        1: FailureReason.UNAVAILABLE,  # API Unknown
        2: FailureReason.UNAVAILABLE,  # API Service: downtime or overload
        33: FailureReason.MISCONFIGURED,  # business number deleted
        100: FailureReason.BAD_REQUEST,  # Invalid parameter
        130403: FailureReason.BLOCKED_BY_USER,  # user blocked the business
        130472: FailureReason.REFUSED,  # user is part of an experiment
        131000: FailureReason.UNAVAILABLE,  # Something went wrong
        131005: FailureReason.MISCONFIGURED,  # Access denied
        131008: FailureReason.BAD_REQUEST,  # required parameter missing
        131009: FailureReason.BAD_REQUEST,  # parameter value not valid
        131016: FailureReason.UNAVAILABLE,  # Service unavailable
        131021: FailureReason.INVALID_NUMBER,  # recipient cannot be sender
        131026: FailureReason.NOT_ON_CHANNEL,  # Message undeliverable: no WhatsApp, old client, terms not accepted
        131030: FailureReason.MISCONFIGURED,  # recipient not in allowed list: still a test number
        131037: FailureReason.MISCONFIGURED,  # display name approval needed
        131042: FailureReason.PAYMENT,  # payment problem
        131045: FailureReason.MISCONFIGURED,  # incorrect certificate: number not registered
        131047: FailureReason.BAD_REQUEST,  # Re-engagement: free-form text outside the 24 hours
        131049: FailureReason.REFUSED,  # Meta chose not to deliver, to keep the ecosystem healthy
        131050: FailureReason.BLOCKED_BY_USER,  # user stopped marketing messages
        131051: FailureReason.BAD_REQUEST,  # unsupported message type
        131052: FailureReason.BAD_REQUEST,  # media download error
        131053: FailureReason.BAD_REQUEST,  # media upload error
        131055: FailureReason.BAD_REQUEST,  # method not allowed
        131058: FailureReason.TEMPLATE_UNFIT,  # hello_world goes from public test numbers only
        131057: FailureReason.UNAVAILABLE,  # account in maintenance mode, a minute at most
        131059: FailureReason.BAD_REQUEST,  # invalid paging cursor
        131060: FailureReason.MISCONFIGURED,  # onboarding is not finished
        131062: FailureReason.BAD_REQUEST,  # business-scoped user id as recipient
        131063: FailureReason.TEMPLATE_UNFIT,  # marketing disabled: the template has the wrong category
        135000: FailureReason.UNAVAILABLE,  # Generic user error
        137000: FailureReason.IDENTITY_CHANGED,  # recipient identity key hash mismatch
        # Templates and flows: a number of this block that we do not know is a template's trouble, too
        **dict.fromkeys(range(132000, 133000), FailureReason.TEMPLATE_UNFIT),
        132001: FailureReason.TEMPLATE_MISSING,  # does not exist in that language, or is not approved
        132015: FailureReason.TEMPLATE_PAUSED,  # paused for low quality; also what becomes of held messages
        132016: FailureReason.TEMPLATE_PAUSED,  # disabled for good
        132068: FailureReason.BAD_REQUEST,  # flow blocked
        132069: FailureReason.BAD_REQUEST,  # flow throttled
        134011: FailureReason.PAYMENT,  # payments terms not accepted
        134100: FailureReason.TEMPLATE_UNFIT,  # only marketing templates are sent by this call
        134101: FailureReason.TEMPLATE_MISSING,  # template is still being synchronised
        134102: FailureReason.TEMPLATE_MISSING,  # template is not available
        # Registration of our number; the rest of this block is about nothing else
        **dict.fromkeys(range(133000, 134000), FailureReason.MISCONFIGURED),
        133004: FailureReason.UNAVAILABLE,  # server temporarily unavailable
    }
)
# Meta's other way to say that the object of a request is not there, or not for this token ("Unsupported post request"):
# the general code, and this subcode.
NO_SUCH_OBJECT = (100, 33)


def error_code(error: Mapping[str, Any]) -> int | None:
    """The number of a Graph error, whether it is written as one or as digits."""
    code = error.get("code")
    if isinstance(code, str) and code.isascii() and code.isdigit() and len(code) < 10:
        return int(code)
    return code if isinstance(code, int) and not isinstance(code, bool) else None
