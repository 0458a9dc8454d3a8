"""Twilio's calls about an account: numbers that it owns, its service, where SMS is permitted."""

from typing import Any

import pytest

from tests.simulator.support import ACCOUNT_SID, SENDER, SERVICE_SID
from tests.simulator_client import SimulatorClient

BASIC = (ACCOUNT_SID, "sim-auth-token")
NUMBERS = f"/2010-04-01/Accounts/{ACCOUNT_SID}/IncomingPhoneNumbers.json"
PATHS = [
    f"/2010-04-01/Accounts/{ACCOUNT_SID}.json",
    NUMBERS,
    f"/v1/Services/{SERVICE_SID}",
    f"/v1/Services/{SERVICE_SID}/PhoneNumbers",
    "/v1/Messaging/GeoPermissions",
]


def get(client: SimulatorClient, path: str, status: int = 200, **query: str) -> dict[str, Any]:
    answer = client.http.get(path, params=query, auth=BASIC)
    assert answer.status_code == status
    body: dict[str, Any] = answer.json()
    return body


@pytest.mark.parametrize("path", PATHS)
@pytest.mark.parametrize("auth", [None, (ACCOUNT_SID, "another"), ("AC" + "f" * 32, "sim-auth-token")])
def test_each_call_needs_the_accounts_credentials(path: str, auth: Any, client: SimulatorClient) -> None:
    answer = client.http.get(path, auth=auth)

    assert (answer.status_code, answer.json()["code"]) == (401, 20003)


@pytest.mark.parametrize("path", PATHS)
def test_each_call_is_only_read(path: str, client: SimulatorClient) -> None:
    assert client.http.post(path, auth=BASIC).status_code == 405


@pytest.mark.parametrize(("number", "owned"), [(SENDER, 1), ("+15005559999", 0), ("", 0)])
def test_only_the_accounts_number_is_listed(number: str, owned: int, client: SimulatorClient) -> None:
    listed = get(client, NUMBERS, PhoneNumber=number)["incoming_phone_numbers"]

    assert [item["phone_number"] for item in listed] == [SENDER] * owned
    assert len(get(client, NUMBERS)["incoming_phone_numbers"]) == 1


def test_another_accounts_numbers_are_not_shown(client: SimulatorClient) -> None:
    other = "AC" + "e" * 32
    client.add_accounts(twilio=[{"account_sid": other, "auth_token": "another-token"}])

    assert get(client, NUMBERS.replace(ACCOUNT_SID, other), 404)["code"] == 20404


@pytest.mark.parametrize("ending", ["", "/PhoneNumbers"])
def test_a_service_of_another_account_is_not_there(ending: str, client: SimulatorClient) -> None:
    assert get(client, f"/v1/Services/MG{'f' * 32}{ending}", 404)["code"] == 20404
    assert get(client, f"/v1/Services/{SERVICE_SID}{ending}")


def test_geo_permissions(client: SimulatorClient) -> None:
    client.http.put("/facts", json={"closed_countries": ["HK"]}).raise_for_status()

    by_country = {
        item["country_code"]: item["enabled"]
        for item in get(client, "/v1/Messaging/GeoPermissions")["permissions"]
    }
    assert (by_country["HK"], by_country["US"]) == (False, True)
    (one,) = get(client, "/v1/Messaging/GeoPermissions", CountryCode="HK")["permissions"]
    assert one["enabled"] is False


def test_an_outage_comes_first(client: SimulatorClient) -> None:
    client.set_faults(sms_outage="token_expired")
    assert get(client, PATHS[0], 401)["code"] == 20003
