"""Meta's calls about webhooks: the app's token and address, subscriptions, addresses of single accounts."""

from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from simulator.meta.subscriptions import APP_ID
from tests.simulator.support import (
    APP_SECRET,
    BUSINESS_ID,
    NUMBER_ID,
    PHONE,
    TOKEN,
    Receiver,
    send_whatsapp,
)
from tests.simulator_client import RunningSimulator, SimulatorClient

APPS = f"/v26.0/{BUSINESS_ID}/subscribed_apps"


@pytest.fixture(autouse=True)
def _same_address(simulator: RunningSimulator) -> Iterator[None]:
    """These tests change the address of the reports."""
    url = simulator.webhook_url
    yield
    simulator.webhook_url = url


def error_of(answer: httpx.Response) -> dict[str, Any]:
    assert answer.is_error
    error: dict[str, Any] = answer.json()["error"]
    return error


def set_webhook(client: SimulatorClient, **changes: str) -> httpx.Response:
    query = {
        "access_token": f"{APP_ID}|{APP_SECRET}",
        "object": "whatsapp_business_account",
        "verify_token": "sim-verify-token",
        **changes,
    }
    return client.http.post(f"/v26.0/{APP_ID}/subscriptions", params=query)


def test_id_and_secret_of_the_app_make_its_token(client: SimulatorClient) -> None:
    query = {"client_id": APP_ID, "client_secret": APP_SECRET, "grant_type": "client_credentials"}

    answer = client.http.get("/v26.0/oauth/access_token", params=query)

    assert answer.json() == {"access_token": f"{APP_ID}|{APP_SECRET}", "token_type": "bearer"}


@pytest.mark.parametrize(
    "query", [{}, {"client_id": APP_ID}, {"client_id": "1", "client_secret": APP_SECRET}]
)
def test_a_wrong_app_gets_no_token(client: SimulatorClient, query: dict[str, str]) -> None:
    assert error_of(client.http.get("/v26.0/oauth/access_token", params=query))["code"] == 1


def test_the_address_of_the_app_is_set_once_it_is_verified(
    client: SimulatorClient, receiver: Receiver, simulator: RunningSimulator
) -> None:
    url = f"{receiver.url}/new-address"

    assert set_webhook(client, callback_url=url).json() == {"success": True}

    assert simulator.webhook_url == url
    send_whatsapp(client)
    assert {item.path for item in receiver.wait(2)} == {"/new-address"}


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"access_token": "sim-access-token"}, 190),
        ({"access_token": f"{APP_ID}|other"}, 190),
        ({"access_token": f"1|{APP_SECRET}"}, 190),
        ({"object": "page"}, 100),
        ({"object": ""}, 100),
        ({"callback_url": ""}, 100),
        ({"verify_token": ""}, 100),
        ({"verify_token": "other"}, 2200),
        ({"callback_url": "http://127.0.0.1:1/"}, 2200),
        ({"callback_url": "http://[/"}, 2200),
        ({"callback_url": "no address"}, 2200),
        ({"callback_url": "http://127.0.0.1:99999/"}, 2200),
        ({"callback_url": "https://a.example/" + "x" * 200}, 100),
    ],
    ids=str,
)
def test_a_wrong_address_of_the_app_changes_nothing(
    client: SimulatorClient,
    receiver: Receiver,
    simulator: RunningSimulator,
    changes: dict[str, str],
    code: int,
) -> None:
    before = simulator.webhook_url

    answer = set_webhook(client, **{"callback_url": f"{receiver.url}/new-address", **changes})

    assert error_of(answer)["code"] == code
    assert simulator.webhook_url == before


def override(client: SimulatorClient, url: str, verify_token: str = "sim-verify-token") -> httpx.Response:
    body = {"override_callback_uri": url, "verify_token": verify_token}
    return client.http.post(APPS, json=body, headers=TOKEN)


def override_number(client: SimulatorClient, url: str) -> httpx.Response:
    configuration = {"override_callback_uri": url, "verify_token": "sim-verify-token"}
    return client.http.post(
        f"/v26.0/{NUMBER_ID}", json={"webhook_configuration": configuration}, headers=TOKEN
    )


def test_the_number_comes_before_the_account_and_the_account_before_the_app(
    client: SimulatorClient, receiver: Receiver
) -> None:
    client.set_handset(PHONE, whatsapp="silent")
    override(client, f"{receiver.url}/account").raise_for_status()
    send_whatsapp(client)
    receiver.wait(1)
    override_number(client, f"{receiver.url}/number").raise_for_status()
    send_whatsapp(client)
    receiver.wait(2)
    override_number(client, "").raise_for_status()
    send_whatsapp(client)
    receiver.wait(3)
    override(client, "").raise_for_status()
    send_whatsapp(client)

    assert [item.path for item in receiver.wait(4)] == [
        "/account",
        "/number",
        "/account",
        "/whatsapp/webhook",
    ]


def test_addresses_of_their_own_are_shown(
    client: SimulatorClient, receiver: Receiver, simulator: RunningSimulator
) -> None:
    override(client, f"{receiver.url}/account").raise_for_status()
    override_number(client, f"{receiver.url}/number").raise_for_status()

    [app] = client.http.get(APPS, headers=TOKEN).json()["data"]
    number = client.http.get(f"/v26.0/{NUMBER_ID}?fields=webhook_configuration", headers=TOKEN).json()

    assert app["override_callback_uri"] == f"{receiver.url}/account"
    assert number["webhook_configuration"] == {
        "application": simulator.webhook_url,
        "whatsapp_business_account": f"{receiver.url}/account",
        "phone_number": f"{receiver.url}/number",
    }


@pytest.mark.parametrize(
    ("url", "code"), [("http://127.0.0.1:1/", 2200), ("https://a.example/" + "x" * 200, 100)]
)
def test_a_wrong_override_changes_nothing(client: SimulatorClient, url: str, code: int) -> None:
    assert error_of(override(client, url))["code"] == code

    assert "override_callback_uri" not in client.http.get(APPS, headers=TOKEN).json()["data"][0]


def test_a_failed_verification_names_the_status(client: SimulatorClient, receiver: Receiver) -> None:
    error = error_of(override(client, f"{receiver.url}/account", verify_token="other"))

    assert error["message"].endswith("HTTP Status Code = 403")


@pytest.mark.parametrize(
    ("path", "body", "code"),
    [
        (NUMBER_ID, {}, 100),
        (NUMBER_ID, {"webhook_configuration": "https://a.example/"}, 100),
        ("42", {"webhook_configuration": {}}, 803),
        ("42/subscribed_apps", {}, 803),
    ],
)
def test_a_change_of_an_unknown_object_or_without_values_is_refused(
    client: SimulatorClient, path: str, body: dict[str, object], code: int
) -> None:
    answer = client.http.post(f"/v26.0/{path}", json=body, headers=TOKEN)

    assert error_of(answer)["code"] == code


def test_an_account_without_an_app_hears_of_no_event(client: SimulatorClient, receiver: Receiver) -> None:
    client.http.delete(APPS, headers=TOKEN).raise_for_status()

    posted = client.account_event("account_update", {"event": "DISABLED_UPDATE"})
    client.set_template("one_time_password", "es", "PAUSED")
    client.http.post(APPS, headers=TOKEN).raise_for_status()
    again = client.account_event("account_alerts", {"entity_type": "BUSINESS"})

    assert (posted, again) == ({"posted": False}, {"posted": True})
    [entry] = receiver.wait(1)[0].json["entry"]
    assert entry["changes"][0]["field"] == "account_alerts"
    assert len(receiver.received) == 1


def test_one_subscription_does_not_serve_another_account(client: SimulatorClient, receiver: Receiver) -> None:
    own = {
        "phone_number_id": "7744",
        "business_account_id": "8844",
        "access_token": "t44",
        "app_secret": "s44",
    }
    client.add_accounts(whatsapp=[own])
    client.http.delete(
        "/v26.0/8844/subscribed_apps", headers={"Authorization": "Bearer t44"}
    ).raise_for_status()
    client.set_handset(PHONE, whatsapp="silent")

    send_whatsapp(client)

    assert receiver.statuses(1) == ["sent"]
    assert client.account_event("account_update", {}, business_account_id="8844") == {"posted": False}
