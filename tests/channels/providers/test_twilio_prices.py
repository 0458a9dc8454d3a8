"""Twilio's list of messages, asked for prices: what is asked, what is read of the answer, and where a next page leads."""

import json
from collections.abc import Iterator
from contextlib import nullcontext
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import httpx
import pytest
import respx
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from structlog.testing import capture_logs

from channels.errors import SendError
from channels.prices import PricePage, PriceQuery
from channels.providers import PROVIDERS
from channels.providers.twilio import prices as twilio
from channels.types import FailureReason
from core import http
from tests.channels import support
from tests.channels.providers.contract import basic
from tests.core.wire import answering, serving

BASE = "https://twilio.example"
SID = "AC00000000000000000000000000000001"
PATH = f"/2010-04-01/Accounts/{SID}/Messages.json"
MESSAGES = f"{BASE}{PATH}"
FIRST = datetime(2026, 11, 26, 9, 0, 5, 999, tzinfo=UTC)
QUERY = PriceQuery(first=FIRST, last=FIRST + timedelta(hours=1), most=1000)
NEXT = f"{PATH}?PageSize=1000&Page=1&PageToken=PASM1"


@pytest.fixture(scope="module")
def client() -> Iterator[http.HttpClient]:
    client = http.HttpClient()
    yield client
    client.close()


@pytest.fixture(autouse=True)
def _address(settings: Any) -> None:
    settings.PROVIDER_API_URLS = {"twilio": BASE}


@pytest.fixture
def api() -> Iterator[respx.Route]:
    with respx.mock() as router:
        yield router.get(url__startswith=MESSAGES)


def sid(nth: int) -> str:
    return f"SM{nth:032x}"


def message(nth: int, price: object = "-0.00790", unit: object = "USD") -> dict[str, object]:
    return {
        "sid": sid(nth),
        "price": price,
        "price_unit": unit,
        "body": "482913 is your code",
        "status": "sent",
    }


def read(client: http.HttpClient, query: PriceQuery = QUERY, **fields: Any) -> PricePage:
    return twilio.read(support.twilio_sender(**fields), query, client)


def refused(client: http.HttpClient) -> SendError:
    with pytest.raises(SendError) as error:
        read(client)
    return error.value


# What is asked ------------------------------------------------------------------------------------


def test_a_span_is_asked_for_with_the_current_token(client: http.HttpClient, api: respx.Route) -> None:
    api.respond(json={"messages": []})

    assert read(client) == PricePage(prices=())
    request = api.calls.last.request
    assert request.url.query == (
        b"DateSent%3E=2026-11-26T09%3A00%3A05Z&DateSent%3C=2026-11-26T10%3A00%3A05Z&PageSize=1000"
    )
    assert request.headers["authorization"] == basic(SID, "auth-token-of-acme")


def test_times_are_asked_in_utc(client: http.HttpClient, api: respx.Route) -> None:
    api.respond(json={"messages": []})
    there = FIRST.astimezone(timezone(timedelta(hours=8)))

    read(client, PriceQuery(first=there, last=there, most=5000))

    query = api.calls.last.request.url.query
    assert b"09%3A00%3A05Z" in query
    assert query.endswith(b"PageSize=1000")  # the most that Twilio takes


def test_a_next_page_is_asked_for_as_twilio_named_it(client: http.HttpClient, api: respx.Route) -> None:
    api.respond(json={"messages": []})

    read(client, PriceQuery(first=FIRST, last=FIRST, most=9, page="PageSize=1000&Page=1&PageToken=PASM1"))

    assert str(api.calls.last.request.url) == BASE + NEXT


def test_an_account_without_its_token_cannot_be_asked() -> None:
    assert twilio.account(support.twilio_sender()) == SID
    assert twilio.account(support.twilio_sender(auth_tokens=())) == ""
    assert twilio.account(support.twilio_sender(account_sid="")) == ""
    assert twilio.account(support.twilio_sender(account_sid="A" * 65)) == ""


def test_only_twilio_is_asked_for_prices() -> None:
    assert [name for name, item in PROVIDERS.items() if item.prices] == ["twilio"]


# What is read -------------------------------------------------------------------------------------


def test_prices_that_are_known_are_read(client: http.HttpClient, api: respx.Route) -> None:
    api.respond(
        json={
            "messages": [message(1), message(2, None, None), message(3, "-0.05", "EUR")],
            "next_page_uri": None,
        }
    )

    page = read(client)

    assert [(item.provider_message_id, item.micros, item.currency) for item in page.prices] == [
        (sid(1), 7_900, "USD"),
        (sid(3), 50_000, "EUR"),
    ]
    assert page.next_page == ""


@pytest.mark.parametrize(
    "item",
    [None, "SM1", 5, [], {}, {"sid": None, "price": "-1", "price_unit": "USD"},
     {"sid": "S M", "price": "-1", "price_unit": "USD"}, {"sid": "S" * 65, "price": "-1", "price_unit": "USD"},
     {"sid": "SM\u0000", "price": "-1", "price_unit": "USD"}, message(1, {}, []), message(1, "free")],
)  # fmt: skip
def test_an_odd_message_does_not_hide_the_others(
    item: object, client: http.HttpClient, api: respx.Route
) -> None:
    api.respond(json={"messages": [item, message(2)]})

    assert [price.provider_message_id for price in read(client).prices] == [sid(2)]


@pytest.mark.parametrize(
    ("uri", "page"),
    [
        (None, ""),
        ("", ""),
        (NEXT, "PageSize=1000&Page=1&PageToken=PASM1"),
        (f"{PATH}?Page=1#top", "Page=1"),
        (
            f"{PATH.replace('AC', 'ac')}?Page=1&PageToken=PASM1",
            "Page=1&PageToken=PASM1",
        ),  # SIDs in either case
    ],
)
def test_of_a_next_page_only_its_query_is_taken(
    uri: object, page: str, client: http.HttpClient, api: respx.Route
) -> None:
    api.respond(json={"messages": [], "next_page_uri": uri})

    assert read(client).next_page == page


@pytest.mark.parametrize(
    "uri",
    [
        f"https://attacker.example{PATH}?Page=1",
        f"//attacker.example{PATH}?Page=1",
        f"@attacker.example{PATH}?Page=1",
        f"http://169.254.169.254{PATH}?Page=1",
        f"/2010-04-01/Accounts/AC{'f' * 32}/Messages.json?Page=1",
        f"/2010-04-01/Accounts/{SID}/Calls.json?Page=1",
        f"{PATH}/../../../Keys.json?Page=1",
        PATH,
        "?Page=1",
        f"{PATH}?{'a' * 1000}",
        f"{PATH}?Page=1\r\nHost: attacker.example",
        f"{PATH}?Page=é",
        "http://[/?Page=1",
        7,
        {"Page": 1},
        True,
    ],
)
def test_an_answer_leads_nowhere_else(uri: object, client: http.HttpClient, api: respx.Route) -> None:
    """Not to another host, account or resource, whoever answers in Twilio's place."""
    api.respond(json={"messages": [message(1)], "next_page_uri": uri})

    assert refused(client).reason is FailureReason.UNAVAILABLE
    assert api.call_count == 1


# What is refused ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("status", "body", "reason", "code"),
    [
        (401, {"code": 20003, "message": "Authenticate"}, FailureReason.MISCONFIGURED, "20003"),
        (429, {"code": 20429}, FailureReason.RATE_LIMITED, "20429"),
        (400, {"code": 20007}, FailureReason.UNKNOWN, "20007"),
        (404, {"code": 20404}, FailureReason.MISCONFIGURED, "20404"),
        (500, {"code": 20500}, FailureReason.UNAVAILABLE, "20500"),
        (503, None, FailureReason.UNAVAILABLE, "http-503"),
        (403, {"code": True}, FailureReason.MISCONFIGURED, "http-403"),
        (302, None, FailureReason.MISCONFIGURED, "http-302"),
        (429, {"messages": [message(1)]}, FailureReason.RATE_LIMITED, "http-429"),
    ],
)
def test_a_refusal_has_its_reason(
    status: int, body: Any, reason: FailureReason, code: str, client: http.HttpClient, api: respx.Route
) -> None:
    text = "<html>" if body is None else json.dumps(body)
    api.respond(status, text=text, headers={"Location": "https://attacker.example/"})

    error = refused(client)

    assert (error.reason, error.provider_code) == (reason, code)


@pytest.mark.parametrize(
    "text", ["", "<html>", "[]", "null", "{}", '{"messages": {}}', '{"messages": [', "[" * 9999]
)
def test_what_is_no_list_is_refused(text: str, client: http.HttpClient, api: respx.Route) -> None:
    api.respond(text=text)

    assert refused(client).reason is FailureReason.UNAVAILABLE


def test_an_answer_that_is_too_long_is_refused(client: http.HttpClient, settings: Any) -> None:
    """It is cut off, so it is no JSON any more."""
    with serving(answering(200, {"messages": [{"sid": "x" * 100_000}]})) as server:
        settings.PROVIDER_API_URLS = {"twilio": server.url}

        assert refused(client).reason is FailureReason.UNAVAILABLE


def test_a_full_page_is_not_too_long() -> None:
    """A thousand messages of four kilobytes."""
    assert http.lists()._limits.answer_bytes >= 1000 * 4096
    assert http.lists() is http.lists() is not http.shared()


def test_a_lost_answer_is_told_apart(client: http.HttpClient, api: respx.Route) -> None:
    api.side_effect = httpx.ReadTimeout("")

    with pytest.raises(http.AnswerLost):
        read(client)


def test_a_host_that_is_away_is_unavailable(client: http.HttpClient, api: respx.Route) -> None:
    api.side_effect = httpx.ConnectError("")

    assert refused(client).reason is FailureReason.UNAVAILABLE


def test_neither_token_nor_answer_is_in_an_error_or_the_log(
    client: http.HttpClient, api: respx.Route
) -> None:
    api.respond(401, json={"code": 20003, "message": f"{support.PHONE} {support.CODE}"})

    with capture_logs() as logs:
        text = str(refused(client))

    for secret in (*support.SECRETS, support.PHONE, support.CODE, SID):
        assert secret not in text + repr(logs)


_JSON = st.recursive(
    st.none() | st.booleans() | st.floats(allow_nan=False) | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=9), inner, max_size=3),
    max_leaves=12,
)


@settings(deadline=None, suppress_health_check=list(HealthCheck), max_examples=150)
@given(messages=_JSON, uri=_JSON)
def test_whatever_is_answered_is_a_page_or_a_refusal(
    messages: object, uri: object, client: http.HttpClient, api: respx.Route
) -> None:
    api.respond(text=json.dumps({"messages": messages, "next_page_uri": uri}))

    is_list = isinstance(messages, list) and uri in (None, "")
    with nullcontext() if is_list else pytest.raises(SendError):
        assert read(client).next_page == ""
