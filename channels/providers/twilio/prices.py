"""What messages of an account cost. Twilio knows it some minutes after it sent them, and reports it nowhere: it stands
in the list of messages only. https://www.twilio.com/docs/messaging/api/message-resource#read-multiple-message-resources
"""

from collections.abc import Iterator
from datetime import UTC, datetime
from urllib.parse import quote, urlencode, urlsplit

from channels import calls
from channels.base import SenderConfig
from channels.errors import SendError
from channels.prices import PricePage, PriceQuery, ReportedPrice, reported
from channels.providers.twilio.codes import REASONS
from channels.providers.twilio.settings import API, TwilioSettings, basic_auth
from channels.types import FailureReason
from core.http import Answer, HttpClient

LONGEST_PAGE = 1000  # messages: the most that Twilio gives
_LONGEST_ID = 64
_LONGEST_QUERY = 1000


def account(sender: SenderConfig[TwilioSettings]) -> str:
    sid = sender.settings.account_sid
    return sid if sender.settings.auth_tokens and len(sid) <= _LONGEST_ID else ""


def read(sender: SenderConfig[TwilioSettings], query: PriceQuery, client: HttpClient) -> PricePage:
    """One page of the account's messages. Raises SendError and AnswerLost."""
    path = f"/2010-04-01/Accounts/{quote(sender.settings.account_sid, safe='')}/Messages.json"
    url = f"{API}{path}?{query.page or _filter(query)}"
    answer = calls.get(client, url, headers={"Authorization": basic_auth(sender.settings)})
    body = answer.json_object()
    if not answer.is_taken:
        raise _refusal(answer, (body or {}).get("code"))
    listed = (body or {}).get("messages")
    if body is None or not isinstance(listed, list):
        # Not Twilio's, or longer than we read.
        raise SendError(FailureReason.UNAVAILABLE, detail="no list of messages")
    return PricePage(prices=tuple(_prices(listed)), next_page=_next_page(body.get("next_page_uri"), path))


def _filter(query: PriceQuery) -> str:
    values = {
        "DateSent>": _time(query.first),
        "DateSent<": _time(query.last),
        "PageSize": min(query.most, LONGEST_PAGE),
    }
    return urlencode(values)  # a name that ends in > and the = behind it: at or after


def _time(moment: datetime) -> str:
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def _refusal(answer: Answer, code: object) -> SendError:
    if isinstance(code, bool) or not isinstance(code, int):
        return calls.refusal(answer)
    return calls.refusal(answer, REASONS.get(code), code)


def _prices(listed: list[object]) -> Iterator[ReportedPrice]:
    for item in listed:
        if isinstance(item, dict):
            message_id = calls.message_id(item.get("sid"), longest=_LONGEST_ID)
            price = reported(message_id, item.get("price"), item.get("price_unit"))
            if message_id and price:
                yield price


def _next_page(uri: object, path: str) -> str:
    """The query of the next page. Nothing else is taken of the address, so an answer leads to no other host, account or
    resource. Raises SendError."""
    if uri is None or uri == "":
        return ""
    odd = SendError(FailureReason.UNAVAILABLE, detail="odd next page")
    if not isinstance(uri, str) or len(uri) > _LONGEST_QUERY or not uri.isascii() or not uri.isprintable():
        raise odd
    try:
        parts = urlsplit(uri)
    except ValueError:
        raise odd from None
    if parts.scheme or parts.netloc or parts.path.lower() != path.lower() or not parts.query:
        raise odd
    return parts.query
