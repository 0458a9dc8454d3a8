"""Odd and incomplete answers of Twilio about a number, a service and the countries: each line, and none too many."""

from collections.abc import Iterator
from typing import Any
from urllib.parse import parse_qs

import pytest
import respx

from channels.findings import Level
from channels.providers.twilio import check as subject
from channels.setup import Surroundings
from core import http
from tests.channels import support

BASE = "https://twilio.example"
ACCOUNT = f"{BASE}/2010-04-01/Accounts/AC00000000000000000000000000000001"
SERVICE = "MG00000000000000000000000000000002"
NUMBER = "+15005550006"
OK, WARN, FAIL = Level.OK, Level.WARN, Level.FAIL


class Twilio:
    """What is not named is well."""

    def __init__(self, router: respx.MockRouter, client: http.HttpClient) -> None:
        self.client = client
        router.get(f"{ACCOUNT}.json").respond(json={"status": "active", "type": "Full"})
        self.numbers = router.get(f"{ACCOUNT}/IncomingPhoneNumbers.json")
        self.numbers.respond(json={"incoming_phone_numbers": [{"phone_number": NUMBER}]})
        self.pool = router.get(f"{BASE}/v1/Services/{SERVICE}/PhoneNumbers")
        self.pool.respond(json={"phone_numbers": [{"sid": "PN1"}]})
        self.service = router.get(f"{BASE}/v1/Services/{SERVICE}").respond(json={"sid": SERVICE})
        self.geo = router.get(f"{BASE}/v1/Messaging/GeoPermissions")
        self.geo.respond(json={"permissions": [{"country_code": "US", "enabled": True}]})

    def lines(self, begins: str, countries: tuple[str, ...] = (), **fields: Any) -> list[tuple[Level, str]]:
        around = Surroundings(countries=countries)
        findings = list(subject.connect(support.twilio_sender(**fields), around, self.client))
        assert all(bool(item.remedy) is (item.level is not OK) for item in findings)
        return [(item.level, item.text) for item in findings if item.text.startswith(begins)]

    def service_lines(self) -> list[tuple[Level, str]]:
        return self.lines("the messaging service ", from_number="", messaging_service_sid=SERVICE)


@pytest.fixture
def twilio(settings: Any) -> Iterator[Twilio]:
    settings.PROVIDER_API_URLS = {"twilio": BASE}
    client = http.HttpClient()
    with respx.mock(assert_all_called=False) as router:
        yield Twilio(router, client)
    client.close()


# The number -------------------------------------------------------------------------------------------

BELONGS = (OK, f"the number {NUMBER} belongs to the account")
NOT_OURS = (FAIL, f"the number {NUMBER} does not belong to this account")


@pytest.mark.parametrize(
    ("listed", "line"),
    [
        ([{"phone_number": NUMBER, "capabilities": {"sms": True}}], BELONGS),
        ([{"phone_number": NUMBER, "capabilities": {"sms": None}}], BELONGS),
        ([{"phone_number": NUMBER, "capabilities": "sms"}], BELONGS),
        ([None, "x", {"phone_number": "+1"}, {"phone_number": NUMBER}], BELONGS),
        (
            [{"phone_number": NUMBER, "capabilities": {"sms": False, "voice": True}}],
            (FAIL, f"the number {NUMBER} cannot send SMS"),
        ),
        ([{"phone_number": f"{NUMBER}7"}], NOT_OURS),
        ([NUMBER], NOT_OURS),
        ([], NOT_OURS),
    ],
)
def test_the_number_is_the_accounts_when_it_is_listed(
    listed: list[object], line: tuple[Level, str], twilio: Twilio
) -> None:
    twilio.numbers.respond(json={"incoming_phone_numbers": listed})

    assert twilio.lines("the number ") == [line]
    query = parse_qs(twilio.numbers.calls.last.request.url.query.decode())
    assert query["PhoneNumber"] == [NUMBER]


@pytest.mark.parametrize(
    ("status", "body", "why"),
    [
        (403, {"code": 20003, "message": "No"}, "error 20003 (No)"),
        (500, {"incoming_phone_numbers": [{"phone_number": NUMBER}]}, "HTTP 500"),
        (200, {"incoming_phone_numbers": None}, "Twilio lists none"),
        (200, {"incoming_phone_numbers": {}}, "Twilio lists none"),
        (400, {"code": 20001, "message": ""}, "error 20001"),
        (400, {"code": 20001, "message": ["x"]}, "error 20001"),
        (400, {"code": 20001, "message": "m" * 900}, f"error 20001 ({'m' * 200})"),
    ],
)
def test_a_list_that_cannot_be_read_judges_no_number(
    status: int, body: dict[str, Any], why: str, twilio: Twilio
) -> None:
    twilio.numbers.respond(status, json=body)

    assert twilio.lines("the number ") == [(WARN, f"the number {NUMBER} may be the account's or not: {why}")]
    assert twilio.geo.called


@pytest.mark.parametrize("sender_id", ["Acme", "12345"])
def test_a_name_or_a_short_code_is_not_looked_for(sender_id: str, twilio: Twilio) -> None:
    assert twilio.lines("the number ", from_number=sender_id) == []
    assert not twilio.numbers.called


# The messaging service --------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("status", "level"), [(404, FAIL), (401, WARN), (429, WARN), (500, WARN), (302, WARN)]
)
def test_only_a_service_that_does_not_exist_is_a_failure(status: int, level: Level, twilio: Twilio) -> None:
    twilio.service.respond(status)

    assert twilio.service_lines() == [
        (level, f"the messaging service {SERVICE} cannot be read: HTTP {status}")
    ]
    assert not twilio.pool.called


@pytest.mark.parametrize(
    ("status", "body", "level"),
    [
        (200, {"phone_numbers": []}, WARN),
        (200, {"phone_numbers": [{"sid": "PN1"}]}, OK),
        (200, {"phone_numbers": None}, OK),
        (200, {"x": 1}, OK),
        (500, {"phone_numbers": []}, OK),
    ],
)
def test_an_empty_pool_is_named_only_when_twilio_says_so(
    status: int, body: dict[str, Any], level: Level, twilio: Twilio
) -> None:
    twilio.pool.respond(status, json=body)

    ((found, text),) = twilio.service_lines()

    assert (found, "has no number" in text) == (level, level is WARN)


# Countries --------------------------------------------------------------------------------------------


def test_many_closed_countries_are_named_in_order_and_twenty_at_most(twilio: Twilio) -> None:
    codes = [f"{first}{second}" for first in "ZYX" for second in "ABCDEFGHIJ"]
    twilio.geo.respond(json={"permissions": [{"country_code": code, "enabled": False} for code in codes]})

    ((level, text),) = twilio.lines("SMS is not permitted", tuple(codes))

    assert level is FAIL
    assert text == f"SMS is not permitted to {', '.join(sorted(codes)[:20])}, which the login methods promise"


@pytest.mark.parametrize("enabled", [False, None, "true", 1])
def test_a_country_is_open_only_when_twilio_says_true(enabled: object, twilio: Twilio) -> None:
    twilio.geo.respond(json={"permissions": [{"country_code": "HK", "enabled": enabled}, None, "HK"]})

    assert len(twilio.lines("SMS is not permitted to HK,", ("HK",))) == 1


def test_a_country_that_is_open_in_one_of_its_rows_is_open(twilio: Twilio) -> None:
    rows = [{"country_code": "HK", "enabled": True}, {"country_code": "HK", "enabled": False}]
    twilio.geo.respond(json={"permissions": rows})

    assert twilio.lines("", ("HK",))[-1] == (OK, "geo permissions allow SMS to 1 countries")


@pytest.mark.parametrize(
    ("status", "body", "why"),
    [(404, {"code": 20404}, "error 20404"), (200, {"permissions": {}}, "Twilio lists none")],
)
def test_permissions_that_are_not_known_close_no_country(
    status: int, body: dict[str, Any], why: str, twilio: Twilio
) -> None:
    twilio.geo.respond(status, json=body)

    assert twilio.lines("", ("HK",))[-1] == (WARN, f"geo permissions are not known: {why}")
