"""Twelve faults of a set-up, each made at a provider that is played strictly over real HTTP: the page names it, says
what to do, and keeps nobody from looking at the other steps."""

import time
from collections.abc import Iterator
from typing import Any

import pytest
from django.test import Client
from pytest_django import Settings

from tests.console.sender_setup.conftest import META, SetupPage, make_meta, make_twilio
from tests.console.sender_setup.front import Front, tls_front
from tests.simulator.support import Receiver
from tests.simulator_client import RunningSimulator, SimulatorClient

pytestmark = pytest.mark.django_db
SECONDS = 30


def checked(page: SetupPage) -> None:
    """All steps, in the time that people wait."""
    started = time.monotonic()
    page.press("check")
    assert time.monotonic() - started < SECONDS


def named(page: SetupPage, step: str, *words: str) -> None:
    """The step fails with these words, in finding or remedy."""
    text = page.lines(step, "fail")
    missing = [word for word in words if word not in text]
    assert not missing, (missing, text)


@pytest.fixture
def change(meta: SetupPage) -> Any:
    """The sender with other settings."""

    def changed(**fields: object) -> SetupPage:
        meta.sender.values = meta.sender.values | fields
        meta.sender.save()
        return meta

    return changed


def test_a_sender_that_is_well_has_no_fault(meta: SetupPage) -> None:
    """What the twelve others are compared with."""
    checked(meta)

    assert [meta.lines(step, "fail") for step in ("connect", "templates", "reports")] == ["", "", ""]
    ok = meta.lines("connect", "ok")
    for words in (
        "token works for the number of Acme, +1 555-010-0300",
        "quality GREEN, daily limit TIER_2K, throughput STANDARD",
        "whatsapp_business_management and whatsapp_business_messaging",
        "the token does not expire",
        "the app secret belongs to the app Simulated app",
        f"the number belongs to the account {META.business_account_id}",
    ):
        assert words in ok
    assert meta.level("connect") == meta.level("templates") == "ok"
    assert "template one_time_password in es is approved, 10 minutes" in meta.lines("templates", "ok")
    assert "Meta posts its reports to our address" in meta.lines("reports", "ok")


def test_1_wrong_token(change: Any) -> None:
    page = change(access_token="a-token-of-nobody")
    checked(page)

    named(
        page, "connect", "refuses the access token: error 190", "Invalid OAuth", "token for the system user"
    )
    named(page, "templates", "error 190", "see Connect")
    assert "a-token-of-nobody" not in page.text()


def test_2_wrong_number_id(change: Any) -> None:
    page = change(phone_number_id="999000111222333")
    checked(page)

    named(
        page,
        "connect",
        "does not know the phone number ID 999000111222333",
        META.phone_number_id,
        "+1 555-010-0300",
    )
    assert "the token does not expire" in page.lines("connect", "ok")
    assert page.level("templates") == "ok"  # a failing step keeps nobody from the others


def test_3_wrong_account_id(change: Any) -> None:
    page = change(business_account_id="111222333444555")
    checked(page)

    named(page, "connect", "Business Account ID 111222333444555", f"may use: {META.business_account_id}")
    named(page, "templates", "templates cannot be read", "right WhatsApp Business Account ID")
    assert "token works for the number of Acme" in page.lines("connect", "ok")


def test_4_wrong_app_secret_is_found_before_any_report(change: Any) -> None:
    page = change(app_secret="the-secret-of-another-app")
    checked(page)

    named(page, "connect", "the app secret does not belong to the app Simulated app", "App settings, Basic")
    assert "the-secret-of-another-app" not in page.text()


def test_4_wrong_app_secret_is_named_by_the_reports_that_it_refuses(
    change: Any, provider: SimulatorClient, receiver: Receiver
) -> None:
    page = change(app_secret="the-secret-of-another-app")
    page.press("hello", phone="+85251234567")
    for item in receiver.wait(1):
        headers = {"X-Hub-Signature-256": item.headers["x-hub-signature-256"]}
        answer = Client().post(item.path, item.body, content_type="application/json", headers=headers)
        assert answer.status_code == 401

    named(page, "reports", "carry a signature that this app secret does not match", "Store the app secret")


def test_5_not_subscribed(meta: SetupPage, provider: SimulatorClient) -> None:
    account = f"/v26.0/{META.business_account_id}/subscribed_apps"
    provider.http.delete(account, headers={"Authorization": f"Bearer {META.access_token}"}).raise_for_status()
    checked(meta)

    named(meta, "reports", "no app is subscribed to this account", "Press Subscribe")

    meta.press("subscribe")
    assert meta.lines("reports", "fail") == ""
    assert "an app is subscribed" in meta.lines("reports", "ok")


def test_6_template_missing(change: Any) -> None:
    page = change(template_name="another_name")
    checked(page)

    named(page, "templates", "template another_name does not exist in en, nor in any other", "Create it here")
    assert page.level("connect") == "ok"


def test_7_template_paused(meta: SetupPage, provider: SimulatorClient) -> None:
    provider.set_template(META.template, "es", "PAUSED", report=False)
    checked(meta)

    named(meta, "templates", "template one_time_password in es is PAUSED", "low quality")
    assert "in en is approved" in meta.lines("templates", "ok")


def test_8_language_missing(change: Any) -> None:
    page = change(template_languages=["en", "nb"])
    checked(page)

    named(page, "templates", "template one_time_password does not exist in nb", "It exists in:")
    assert "in en is approved" in page.lines("templates", "ok")


def test_9_unreachable_address(meta: SetupPage, settings: Settings) -> None:
    """Nothing listens there."""
    settings.AUTHSVC_PUBLIC_URL = "https://127.0.0.1:1"
    checked(meta)

    named(meta, "reports", "https://127.0.0.1:1 cannot be reached", "DNS, firewall and proxy")
    assert meta.level("connect") == "ok"


@pytest.fixture
def front() -> Iterator[Front]:
    with tls_front() as front:
        yield front


def test_10_bad_certificate(meta: SetupPage, front: Front, settings: Settings) -> None:
    settings.AUTHSVC_PUBLIC_URL = front.url
    checked(meta)

    named(meta, "reports", "the certificate of 127.0.0.1 is not valid: self", "public authority")
    assert front.requests == 0


def test_11_twilio_token(twilio: SetupPage) -> None:
    twilio.sender.values = twilio.sender.values | {"auth_token": "an-auth-token-of-nobody"}
    twilio.sender.save()
    checked(twilio)

    named(twilio, "connect", "Twilio refuses it: error 20003 (Authenticate)", "current auth token")
    assert "an-auth-token-of-nobody" not in twilio.text()


def test_12_foreign_from_number(staff: Client, project: Any, simulator: RunningSimulator) -> None:
    page = SetupPage(staff, make_twilio(from_number="+15005559999"))
    checked(page)

    named(page, "connect", "the number +15005559999 does not belong to this account", "Active numbers")
    assert "credentials work" in page.lines("connect", "ok")


def test_the_address_of_a_name_inside_is_not_said_to_be_wrong(meta: SetupPage, settings: Settings) -> None:
    """This server may not call it, so it cannot know."""
    settings.AUTHSVC_OUTGOING_ALLOW = ()
    settings.AUTHSVC_PUBLIC_URL = "https://10.20.30.40"
    checked(meta)

    assert "whether 10.20.30.40 can be reached from outside is not known" in meta.lines("reports", "warn")


def test_a_provider_that_hangs_costs_seconds_and_not_the_page(
    meta: SetupPage, provider: SimulatorClient
) -> None:
    provider.set_faults(whatsapp_outage="hang", hang_seconds=60)
    try:
        checked(meta)
    finally:
        provider.reset()

    named(meta, "connect", "the provider cannot be reached")


def test_what_a_wrong_token_is_called_does_not_depend_on_the_order(
    meta: SetupPage, provider: SimulatorClient
) -> None:
    """Green, broken, green again: the last check counts."""
    checked(meta)
    provider.add_accounts(whatsapp=[_account(access_token="a-new-token-at-meta")])
    checked(meta)
    assert meta.level("connect") == "fail"

    provider.add_accounts(whatsapp=[_account()])
    checked(meta)
    assert meta.level("connect") == "ok"


def _account(**fields: str) -> dict[str, str]:
    names = ("phone_number_id", "business_account_id", "access_token", "app_secret", "verify_token")
    return {name: getattr(META, name) for name in names} | fields


def test_an_own_sender_and_a_shared_one_are_checked_each_by_itself(
    meta: SetupPage, staff: Client, project: Any
) -> None:
    other = SetupPage(staff, make_meta(project_id=project.id, access_token="another-token-of-nobody"))
    checked(other)

    assert other.level("connect") == "fail"
    assert meta.level("connect") == ""
