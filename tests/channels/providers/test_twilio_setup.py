"""What Twilio says of the number, the service and the countries of a sender."""

from collections.abc import Iterator
from typing import Any

import pytest

from channels.findings import Finding, Level
from channels.providers.twilio.check import connect
from channels.providers.twilio.settings import product_url
from channels.setup import Surroundings
from core import http
from simulator.accounts import Accounts
from tests.channels import support
from tests.simulator_client import RunningSimulator, SimulatorClient
from tests.simulator_client import start as start_simulator

TWILIO = Accounts().twilio[0]
OK, WARN, FAIL = Level.OK, Level.WARN, Level.FAIL


@pytest.fixture(scope="module")
def simulator() -> Iterator[RunningSimulator]:
    with start_simulator(webhook_url="http://127.0.0.1:1/whatsapp/webhook") as running:
        yield running


@pytest.fixture
def twilio(simulator: RunningSimulator, settings: Any) -> Iterator[SimulatorClient]:
    settings.PROVIDER_API_URLS = {"twilio": simulator.url}
    with simulator.client() as client:
        yield client
        client.reset()


def checked(countries: tuple[str, ...] = (), **fields: Any) -> list[tuple[Level, str]]:
    right = {
        "account_sid": TWILIO.account_sid,
        "auth_tokens": (TWILIO.auth_token,),
        "from_number": TWILIO.from_number,
    }
    client = http.HttpClient()
    around = Surroundings(countries=countries)
    findings: list[Finding] = list(connect(support.twilio_sender(**(right | fields)), around, client))
    client.close()
    assert all(bool(item.remedy) is (item.level is not OK) for item in findings)
    return [(item.level, item.text) for item in findings]


def test_all_is_well(twilio: SimulatorClient) -> None:
    assert checked() == [
        (OK, "credentials work, the account is active"),
        (OK, f"the number {TWILIO.from_number} belongs to the account"),
        (OK, "geo permissions allow SMS to 11 countries"),
    ]


def test_a_name_as_sender_is_nobodys_number(twilio: SimulatorClient) -> None:
    assert len(checked(from_number="Acme")) == 2


@pytest.mark.parametrize(
    ("sid", "level", "words"),
    [
        (TWILIO.messaging_service_sid, OK, "belongs to the account"),
        ("MG" + "f" * 32, FAIL, "cannot be read: error 20404"),
    ],
)
def test_the_messaging_service(sid: str, level: Level, words: str, twilio: SimulatorClient) -> None:
    lines = checked(from_number="", messaging_service_sid=sid)

    assert any(found is level and words in text for found, text in lines)


def test_countries_that_are_promised_and_not_permitted(twilio: SimulatorClient) -> None:
    twilio.http.put("/facts", json={"closed_countries": ["HK", "MX"]}).raise_for_status()

    assert checked(("HK", "US"))[-1] == (FAIL, "SMS is not permitted to HK, which the login methods promise")
    assert checked(("US",))[-1] == (OK, "geo permissions allow SMS to 9 countries")
    assert checked(("ZZ",))[-1][0] is OK  # Twilio does not list it


def test_a_wrong_account_sid(twilio: SimulatorClient) -> None:
    ((level, text),) = checked(account_sid="AC" + "f" * 32)

    assert (level, "error 20003" in text) == (FAIL, True)


def test_other_products_have_hosts_of_their_own(settings: Any) -> None:
    settings.PROVIDER_API_URLS = {}
    assert product_url("messaging") == "https://messaging.twilio.com"
    settings.PROVIDER_API_URLS = {"twilio": "http://127.0.0.1:9"}
    assert product_url("accounts") == "http://127.0.0.1:9"
