"""Twilio's list of messages: filters, pages and their addresses.
https://www.twilio.com/docs/messaging/api/message-resource#read-multiple-message-resources
"""

import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from urllib.parse import urlencode

from simulator.accounts import TwilioAccount
from simulator.server.routing import Response, json_response, whole_number
from simulator.server.simulator import Simulator
from simulator.twilio.callbacks import TwilioMessage
from simulator.twilio.calls import TwilioCall
from simulator.twilio.errors import TwilioError, response_headers
from simulator.twilio.message_resource import date_sent, resource

_USUAL_PAGE, _LONGEST_PAGE = 50, 1000
_DAY = re.compile(r"\d{4}-\d\d-\d\d\Z")
_MOMENT = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ\Z")
_NO_DATE = "Invalid date value."
_TOKEN = re.compile(r"PA(SM[0-9a-f]{32})\Z")


@dataclass(frozen=True, slots=True, kw_only=True)
class _Page:
    """What is asked for: so many messages after `after`, the last one of the page before."""

    number: int
    size: int
    after: str | None


def list_messages(simulator: Simulator, call: TwilioCall, account: TwilioAccount) -> Response:
    """The newest first. A page tells the address of the next one, with the same filters in it."""
    query = dict(call.request.query)
    page, wanted = _page(query), _filter(query)
    messages = [
        message
        for message in simulator.state.messages()
        if isinstance(message, TwilioMessage)
        and message.account.account_sid == account.account_sid
        and wanted(message)
    ]
    messages.sort(key=lambda message: (date_sent(message) or message.created_at, message.id), reverse=True)
    start = _place(messages, page.after)
    shown = messages[start : start + page.size]
    has_more = len(messages) > start + page.size
    price = simulator.state.facts.sms_price
    path = f"/2010-04-01/Accounts/{account.account_sid}/Messages.json"

    def uri(number: int, token: str = "") -> str:
        place = {"Page": number} | ({"PageToken": token} if token else {})
        kept = {name: value for name, value in query.items() if name not in ("Page", "PageToken")}
        return f"{path}?{urlencode(kept | {'PageSize': page.size} | place)}"

    body = {
        "messages": [resource(message, price) for message in shown],
        "page": page.number,
        "page_size": page.size,
        "start": start,
        "end": start + max(len(shown) - 1, 0),
        "first_page_uri": uri(0),
        "next_page_uri": uri(page.number + 1, f"PA{shown[-1].id}") if has_more else None,
        "previous_page_uri": None,
        "uri": uri(page.number),
    }
    return json_response(body, headers=response_headers())


def _page(query: dict[str, str]) -> _Page:
    """Raises TwilioError. Pages after the first one are known by their token only."""
    size = whole_number(query.get("PageSize", str(_USUAL_PAGE)))
    number = whole_number(query.get("Page", "0"))
    token = query.get("PageToken")
    match = _TOKEN.match(token) if token else None
    if size is not None and size > _LONGEST_PAGE:
        raise TwilioError(20007)
    if not size or number is None or bool(number) is not bool(match) or (token and not match):
        raise TwilioError(20422)
    return _Page(number=number, size=size, after=match[1] if match else None)


def _place(messages: list[TwilioMessage], after: str | None) -> int:
    """Where the messages after that one begin. Raises TwilioError when it is not among them."""
    if after is None:
        return 0
    for place, message in enumerate(messages, 1):
        if message.id == after:
            return place
    raise TwilioError(20404)


def _filter(query: dict[str, str]) -> Callable[[TwilioMessage], bool]:
    """Raises TwilioError. `DateSent>=2026-11-26` has the name `DateSent>`, as it arrives."""
    first, last = datetime.min.replace(tzinfo=UTC), datetime.max.replace(tzinfo=UTC)
    if "DateSent" in query:
        first, last = _span(query["DateSent"])
    if "DateSent>" in query:
        first = max(first, _span(query["DateSent>"])[0])
    if "DateSent<" in query:
        last = min(last, _span(query["DateSent<"])[1])
    dated = bool({"DateSent", "DateSent>", "DateSent<"} & query.keys())

    def wanted(message: TwilioMessage) -> bool:
        sent_at = date_sent(message)
        if dated and (sent_at is None or not first <= sent_at <= last):
            return False
        number = message.from_number or message.account.from_number
        return query.get("To", message.to) == message.to and query.get("From", number) == number

    return wanted


def _span(text: str) -> tuple[datetime, datetime]:
    """The first and the last second of a day, or a moment twice. Raises TwilioError."""
    if not _DAY.match(text) and not _MOMENT.match(text):
        raise TwilioError(20001, _NO_DATE)
    try:
        moment = datetime.fromisoformat(text)
    except ValueError as error:
        raise TwilioError(20001, _NO_DATE) from error
    if moment.tzinfo:
        return moment, moment
    first = moment.replace(tzinfo=UTC)
    return first, first + timedelta(days=1, seconds=-1)
