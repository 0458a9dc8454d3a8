"""What Twilio's error codes mean for a message of ours. Titles of the "Error and warning dictionary" in the comments.

What comes of a reason is decided in `channels.errors`. Whole blocks come first, single codes override them: a code that
is newer than this table is taken for what the rest of its block is about. What is in no block is `unknown`.
"""

from collections.abc import Mapping
from types import MappingProxyType

from channels.types import FailureReason

_ACCOUNT = {
    10001: FailureReason.ACCOUNT_BLOCKED,  # account is not active
    11200: FailureReason.MISCONFIGURED,  # Twilio could not fetch our callback URL
    14101: FailureReason.INVALID_NUMBER,  # invalid To
    14102: FailureReason.MISCONFIGURED,  # invalid From
    14107: FailureReason.RATE_LIMITED,  # SMS send rate limit exceeded
    14108: FailureReason.MISCONFIGURED,  # From not SMS-capable
    14111: FailureReason.MISCONFIGURED,  # trial account: To not verified
    **dict.fromkeys(range(20100, 20200), FailureReason.MISCONFIGURED),  # access tokens and their claims
    20001: FailureReason.BAD_REQUEST,  # unknown or invalid parameters
    20003: FailureReason.MISCONFIGURED,  # authentication
    20004: FailureReason.MISCONFIGURED,  # method not allowed: not Twilio's address
    20005: FailureReason.ACCOUNT_BLOCKED,  # account not active
    20006: FailureReason.MISCONFIGURED,  # access denied
    20008: FailureReason.MISCONFIGURED,  # not accessible with test credentials
    20010: FailureReason.ACCOUNT_BLOCKED,  # action disabled for the account
    20403: FailureReason.MISCONFIGURED,  # forbidden
    20404: FailureReason.MISCONFIGURED,  # not found: wrong account SID or path
    20409: FailureReason.UNAVAILABLE,  # conflict
    20410: FailureReason.MISCONFIGURED,  # gone
    20413: FailureReason.BAD_REQUEST,  # request too large
    20422: FailureReason.BAD_REQUEST,  # invalid parameter
    20423: FailureReason.MISCONFIGURED,  # invalid SID
    20426: FailureReason.MISCONFIGURED,  # upgrade required
    20429: FailureReason.RATE_LIMITED,  # too many requests
    **dict.fromkeys(range(20500, 20600), FailureReason.UNAVAILABLE),  # internal error, service unavailable
}
_NUMBERS = {
    21210: FailureReason.MISCONFIGURED,  # From not verified
    21211: FailureReason.INVALID_NUMBER,  # invalid To
    21212: FailureReason.MISCONFIGURED,  # invalid From
    21213: FailureReason.MISCONFIGURED,  # From missing
    21214: FailureReason.UNREACHABLE,  # To cannot be reached
    21215: FailureReason.REFUSED,  # geo permission: one country, the others go on
    21216: FailureReason.REFUSED,  # To is on Twilio's blocklist
    21217: FailureReason.INVALID_NUMBER,  # not a phone number
    21219: FailureReason.MISCONFIGURED,  # trial account: To not verified
    21264: FailureReason.MISCONFIGURED,  # From not verified
    21265: FailureReason.INVALID_NUMBER,  # To is a short code
    21266: FailureReason.INVALID_NUMBER,  # To and From are the same
    21267: FailureReason.MISCONFIGURED,  # alphanumeric sender on a trial account
    21401: FailureReason.INVALID_NUMBER,  # invalid phone number
    21407: FailureReason.MISCONFIGURED,  # this type of number does not support SMS
    21408: FailureReason.REFUSED,  # geo permission not enabled: one country, the others go on
    21421: FailureReason.INVALID_NUMBER,  # phone number is invalid
}
# Messages, senders and what their registration lacks.
_MESSAGES = {
    **dict.fromkeys(range(21600, 21700), FailureReason.MISCONFIGURED),
    21602: FailureReason.BAD_REQUEST,  # Body missing
    21603: FailureReason.BAD_REQUEST,  # From or Messaging Service missing
    21604: FailureReason.BAD_REQUEST,  # To missing
    21605: FailureReason.BAD_REQUEST,  # Body too long (old address)
    21610: FailureReason.BLOCKED_BY_USER,  # recipient opted out by STOP
    21611: FailureReason.RATE_LIMITED,  # queue of this From is full
    21612: FailureReason.REFUSED,  # To and From do not go together
    21614: FailureReason.NOT_ON_CHANNEL,  # To is not a mobile number
    21617: FailureReason.BAD_REQUEST,  # Body too long
    21618: FailureReason.BAD_REQUEST,  # Body cannot be sent
    21619: FailureReason.BAD_REQUEST,  # neither Body nor media
    21620: FailureReason.BAD_REQUEST,  # invalid media URL
    21623: FailureReason.BAD_REQUEST,  # too many media files
    21624: FailureReason.BAD_REQUEST,  # invalid ValidityPeriod
    21626: FailureReason.BAD_REQUEST,  # invalid StatusCallbackEvent
    21627: FailureReason.BAD_REQUEST,  # invalid MaxPrice
    21635: FailureReason.NOT_ON_CHANNEL,  # To is a landline
    21652: FailureReason.BAD_REQUEST,  # subject too long
    21653: FailureReason.BAD_REQUEST,  # too many recipients
    21654: FailureReason.BAD_REQUEST,  # ContentSid missing
    21655: FailureReason.BAD_REQUEST,  # ContentSid invalid
    21656: FailureReason.BAD_REQUEST,  # ContentVariables invalid
    21658: FailureReason.BAD_REQUEST,  # parameter too long
    # 21601, 21606, 21607, 21621, 21622: From not capable. 21608: trial account. 21609: our callback URL is not valid.
    # 21613, 21615, 21628 to 21631, 21649 to 21651: From lacks a certificate, an address, a bundle, an identity.
    # 21616, 21657, 21659, 21660, 21661: From is ambiguous, invalid, not Twilio's, of another account, not for SMS.
}
# Messaging Services: without a usable number (21702, 21703), empty (21704), invalid (21701, 21705), sender or brand not
# registered with it (21709 to 21719).
_SERVICES = dict.fromkeys(range(21700, 21800), FailureReason.MISCONFIGURED)
_DELIVERY = {
    30001: FailureReason.HELD,  # queue overflow, or waited longer than the code lives
    30002: FailureReason.ACCOUNT_BLOCKED,  # account suspended
    30003: FailureReason.UNREACHABLE,  # handset unreachable
    30004: FailureReason.BLOCKED_BY_USER,  # message blocked: do-not-disturb registry, earlier STOP
    30005: FailureReason.INVALID_NUMBER,  # unknown destination handset
    30006: FailureReason.NOT_ON_CHANNEL,  # landline or unreachable carrier
    30007: FailureReason.REFUSED,  # filtered by Twilio or the carrier
    30008: FailureReason.UNREACHABLE,  # unknown error from the carrier
    30009: FailureReason.UNREACHABLE,  # a segment was lost
    30010: FailureReason.MISCONFIGURED,  # price above MaxPrice
    30011: FailureReason.BAD_REQUEST,  # MMS not supported in this region
    30012: FailureReason.BAD_REQUEST,  # ValidityPeriod too small
    30013: FailureReason.BAD_REQUEST,  # ValidityPeriod too big
    30014: FailureReason.INVALID_NUMBER,  # attributes of To are invalid
    30015: FailureReason.MISCONFIGURED,  # type of channel not supported
    30016: FailureReason.MISCONFIGURED,  # channels of To and From do not fit
    30017: FailureReason.UNREACHABLE,  # carrier congestion
    # From here on senders and their registration: 30018, 30024, 30040 to 30042: sender id to be registered with the
    # carrier or the country; 30032: toll-free number not verified; 30034, 30035: US A2P 10DLC, number not registered or
    # still being configured.
    **dict.fromkeys(range(30018, 30200), FailureReason.MISCONFIGURED),
    30019: FailureReason.BAD_REQUEST,  # content too large for the carrier
    30020: FailureReason.UNAVAILABLE,  # internal failure: scheduling
    30021: FailureReason.UNAVAILABLE,  # internal failure: messaging service
    30022: FailureReason.RATE_LIMITED,  # US A2P 10DLC: rate exceeded
    30023: FailureReason.ACCOUNT_BLOCKED,  # US A2P 10DLC: daily cap
    30025: FailureReason.RATE_LIMITED,  # US A2P 10DLC: half of T-Mobile's daily limit is used
    30026: FailureReason.RATE_LIMITED,  # US A2P 10DLC: 70 % of it
    30027: FailureReason.ACCOUNT_BLOCKED,  # US A2P 10DLC: T-Mobile daily limit
    30028: FailureReason.BAD_REQUEST,  # invalid API version
    30029: FailureReason.BAD_REQUEST,  # invalid ContentRetention
    30030: FailureReason.BAD_REQUEST,  # invalid AddressRetention
    30033: FailureReason.ACCOUNT_BLOCKED,  # US A2P 10DLC: campaign suspended
    30036: FailureReason.HELD,  # ValidityPeriod over before it was sent
    30037: FailureReason.ACCOUNT_BLOCKED,  # outbound messaging disabled
    30038: FailureReason.REFUSED,  # text of a one-time code filtered
    30039: FailureReason.REFUSED,  # message loop
    30410: FailureReason.UNREACHABLE,  # provider timeout; not tried again by Twilio, to avoid duplicates
    **dict.fromkeys(range(30450, 30460), FailureReason.FRAUD_BLOCKED),  # SMS Pumping Protection
    30500: FailureReason.UNAVAILABLE,  # Twilio internal error
    # Registration of brands and campaigns (US A2P 10DLC) and of businesses.
    **dict.fromkeys(range(30700, 31000), FailureReason.MISCONFIGURED),
}
REASONS: Mapping[int, FailureReason] = MappingProxyType(
    _ACCOUNT | _NUMBERS | _MESSAGES | _SERVICES | _DELIVERY
)
