"""The webhook's step: what is entered at Meta, which app is subscribed, and what our own address says to it."""

from collections.abc import Iterator
from typing import Any

import httpx
import pytest
import respx

from channels.findings import Finding, Level
from channels.providers.meta import reports
from channels.setup import Surroundings
from core import http
from tests.channels import support

BASE = "https://graph.example/v26.0"
ORIGIN = "https://93.184.216.34"  # public, and no name to be asked for
OURS = f"{ORIGIN}/whatsapp/webhook"
OTHER = "https://other.example/hook"
OK, WARN, FAIL = Level.OK, Level.WARN, Level.FAIL
SECRETS = {"verify_token": "verify-me", "app_secret": "the-app-secret"}


class Meta:
    """Meta's side and our own. What is not named is well."""

    def __init__(self, router: respx.MockRouter) -> None:
        self.subscribed = router.get(f"{BASE}/220011223344556/subscribed_apps").respond(json={"data": [{}]})
        self.number = router.get(f"{BASE}/330022114455667")
        self.own = router.get(url__startswith=OURS).respond(200, text="doctor")
        self.configured({"application": OURS})

    def configured(self, urls: object) -> None:
        self.number.respond(json={"id": "1", "webhook_configuration": urls})


@pytest.fixture
def meta() -> Iterator[Meta]:
    with respx.mock(assert_all_called=False) as router:
        yield Meta(router)


def lines(findings: Iterator[Finding]) -> list[tuple[Level, str]]:
    listed = list(findings)
    assert all(bool(item.remedy) is (item.level is not OK) for item in listed)
    return [(item.level, item.text) for item in listed]


def check(client: http.HttpClient, public_url: str = ORIGIN, **fields: Any) -> list[tuple[Level, str]]:
    sender = support.whatsapp_sender(**(SECRETS | fields))
    return lines(reports.check(sender, Surroundings(public_url=public_url), client))


WELL = [
    (OK, "/whatsapp/webhook answers Meta's verification"),
    (OK, "an app is subscribed to delivery reports"),
    (OK, "Meta posts its reports to our address"),
]


def test_all_is_well_and_our_own_address_comes_first(client: http.HttpClient, meta: Meta) -> None:
    assert check(client) == WELL


def test_our_own_address_is_asked_without_any_token_of_meta(client: http.HttpClient, meta: Meta) -> None:
    check(client)

    assert "authorization" not in meta.own.calls.last.request.headers


@pytest.mark.parametrize("fields", [{"verify_token": ""}, {"app_secret": ""}])
def test_without_its_secrets_the_rest_is_asked_all_the_same(
    fields: dict[str, str], client: http.HttpClient, meta: Meta
) -> None:
    first, *rest = check(client, **fields)

    assert first == (FAIL, "a WhatsApp sender has no verify token or app secret")
    assert rest == WELL[1:]
    assert not meta.own.called


def test_an_address_of_ours_that_is_away_hides_nothing_of_meta(client: http.HttpClient, meta: Meta) -> None:
    meta.own.mock(side_effect=httpx.ConnectError("refused"))

    first, *rest = check(client)

    assert first == (FAIL, f"{ORIGIN} cannot be reached: ConnectError")
    assert rest == WELL[1:]


def test_without_the_account_only_our_address_is_asked(client: http.HttpClient, meta: Meta) -> None:
    assert check(client, business_account_id="") == [
        WELL[0],
        (WARN, "no WhatsApp Business Account ID: the subscription cannot be checked"),
    ]
    assert not meta.subscribed.called
    assert not meta.number.called


def test_without_a_public_url_no_address_is_compared(client: http.HttpClient, meta: Meta) -> None:
    meta.configured({"application": OTHER})

    found = check(client, "")

    assert [level for level, _ in found] == [WARN, OK]
    assert not meta.own.called


# The address that was entered at Meta -----------------------------------------------------------------


@pytest.mark.parametrize(
    ("urls", "line"),
    [
        ({"application": f"{OURS}/"}, WELL[2]),
        ({"application": OTHER, "phone_number": OURS}, WELL[2]),
        ({"application": OTHER, "whatsapp_business_account": OURS}, WELL[2]),
        ({"application": OTHER, "phone_number": "", "whatsapp_business_account": OURS}, WELL[2]),
        (
            {"application": OURS, "phone_number": OTHER},
            (FAIL, f"Meta posts its reports to {OTHER}, and not to {OURS}"),
        ),
        (
            {"application": OURS, "phone_number": OTHER, "whatsapp_business_account": OURS},
            (FAIL, f"Meta posts its reports to {OTHER}, and not to {OURS}"),
        ),
        (
            {"application": f"{OURS}?x=1"},
            (FAIL, f"Meta posts its reports to {OURS}?x=1, and not to {OURS}"),
        ),
        (
            {"application": "https://x.example/" + "a" * 300},
            (FAIL, f"Meta posts its reports to https://x.example/{'a' * 182}, and not to {OURS}"),
        ),
        ({"application": ""}, (FAIL, "no callback URL is entered at Meta")),
        ({"application": 5}, (FAIL, "no callback URL is entered at Meta")),
    ],
)
def test_the_nearest_address_counts(
    urls: dict[str, object], line: tuple[Level, str], client: http.HttpClient, meta: Meta
) -> None:
    """That of the number before the account's, and that before the app's."""
    meta.configured(urls)

    assert check(client)[-1] == line


@pytest.mark.parametrize("urls", [None, [], "x", {}, {"phone_number": OTHER}])
def test_where_meta_does_not_tell_nothing_is_said(urls: object, client: http.HttpClient, meta: Meta) -> None:
    meta.configured(urls)

    assert check(client) == WELL[:2]


def test_an_address_that_cannot_be_read_says_nothing(client: http.HttpClient, meta: Meta) -> None:
    meta.number.respond(400, json={"error": {"code": 100}, "webhook_configuration": {"application": OTHER}})

    assert check(client) == WELL[:2]


# Subscribing ------------------------------------------------------------------------------------------


def subscribe(client: http.HttpClient, status: int, body: object) -> tuple[list[tuple[Level, str]], int]:
    with respx.mock:
        route = respx.post(f"{BASE}/220011223344556/subscribed_apps").respond(status, json=body)
        found = lines(reports.subscribe(support.whatsapp_sender(), client))
    return found, route.call_count


def test_the_app_is_subscribed_by_one_call(client: http.HttpClient) -> None:
    assert subscribe(client, 200, {"success": True}) == ([(OK, "the app is subscribed to this account")], 1)


@pytest.mark.parametrize(
    ("status", "body", "why"),
    [
        (403, {"error": {"code": 200, "message": "No permission"}}, "error 200 (No permission)"),
        (200, {"error": {"code": 1}}, "error 1"),
        (500, {}, "HTTP 500"),
        (200, [], "HTTP 200"),
    ],
)
def test_what_is_not_subscribed_says_why(
    status: int, body: object, why: str, client: http.HttpClient
) -> None:
    assert subscribe(client, status, body) == ([(FAIL, f"Meta did not subscribe the app: {why}")], 1)
