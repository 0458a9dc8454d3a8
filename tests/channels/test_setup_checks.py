"""What a check of a set-up keeps, so that the page asks nobody: cut to size, the last one of each step, by sender."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import httpx
import pytest
import respx
import time_machine

from channels import setup_checks
from channels.findings import Finding, Level, TemplateSeen, fail, ok, warn
from channels.models import Sender, SenderCheck
from channels.senders import config_of
from channels.setup import StepName, Surroundings
from channels.setup_checks import Checked
from channels.types import FailureReason
from core import http
from tests import factories

pytestmark = pytest.mark.django_db
OK, WARN, FAIL = Level.OK, Level.WARN, Level.FAIL
NOW = datetime(2026, 11, 26, 12, 0, tzinfo=UTC)
GATEWAY: dict[str, Any] = {
    "url": "https://93.184.216.34/messages",
    "signing_secret": "signing-secret-of-acme",
}


@pytest.fixture
def client(settings: Any) -> Iterator[http.HttpClient]:
    settings.PROVIDER_API_URLS = {"vonage": "https://vonage.example"}
    client = http.HttpClient()
    yield client
    client.close()


@pytest.fixture
def sender() -> Sender:
    return make_vonage()


def make_vonage() -> Sender:
    return factories.make_sender(
        "sms", provider="vonage", api_key="abcd1234", api_secret="api-secret-of-acme", from_number="Acme"
    )


def check(sender: Sender, client: http.HttpClient, *names: str) -> dict[StepName, list[Finding]]:
    return setup_checks.check(config_of(sender), Surroundings(), names, client=client)


def kept(sender: Sender) -> dict[str, Checked]:
    return setup_checks.kept(sender.id)


def texts(checked: Checked) -> list[str]:
    return [item.text for item in checked.findings]


# Asked ------------------------------------------------------------------------------------------------


def test_a_step_is_asked_and_kept_as_it_was_found(sender: Sender, client: http.HttpClient) -> None:
    with respx.mock, time_machine.travel(NOW, tick=False):
        respx.get(url__startswith="https://vonage.example/").respond(401)
        found = check(sender, client, "connect")

    (finding,) = found[StepName.CONNECT]
    assert finding.text == "Vonage refuses it: HTTP 401"
    assert kept(sender) == {"connect": Checked(findings=(finding,), languages={}, at=NOW)}


@pytest.mark.parametrize("error", [httpx.ConnectError("refused"), httpx.ReadTimeout("late")])
def test_a_provider_that_is_away_is_kept_as_a_finding_and_the_next_step_is_asked(
    error: httpx.TransportError, sender: Sender, client: http.HttpClient
) -> None:
    with respx.mock:
        respx.route().mock(side_effect=error)
        check(sender, client, "connect", "reports")

    checks = kept(sender)
    assert checks["connect"].level is FAIL
    assert texts(checks["connect"])[0].startswith("the provider cannot be reached: ")
    assert set(checks) == {"connect", "reports"}


@pytest.mark.parametrize("name", ["try", "templates", "", "no such step", "CONNECT"])
def test_a_step_without_a_check_asks_nobody_and_keeps_nothing(
    name: str, sender: Sender, client: http.HttpClient
) -> None:
    with respx.mock:
        assert check(sender, client, name) == {}
    assert not SenderCheck.objects.exists()


def test_a_provider_without_a_set_up_has_nothing_to_check(client: http.HttpClient) -> None:
    sender = factories.make_sender("sms", provider="console")

    assert check(sender, client, "connect", "reports") == {}
    assert kept(sender) == {}


def test_the_client_of_the_process_is_used_unless_another_is_given(
    sender: Sender, client: http.HttpClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(http, "shared", lambda: client)
    with respx.mock:
        route = respx.get(url__startswith="https://vonage.example/").respond(200, json={})
        setup_checks.check(config_of(sender), Surroundings(), ["connect"])

    assert route.called


def test_a_step_is_told_our_own_address(client: http.HttpClient) -> None:
    sender = factories.make_sender("sms", provider="http", **GATEWAY)
    with respx.mock:
        respx.get("https://93.184.216.34/sms/http/status").respond(405)
        around = Surroundings(public_url="https://93.184.216.34")
        setup_checks.check(config_of(sender), around, ["reports"], client=client)

    assert kept(sender)["reports"].level is OK


# Kept -------------------------------------------------------------------------------------------------


def test_the_last_check_of_a_step_replaces_the_one_before(sender: Sender) -> None:
    setup_checks.keep(sender.id, StepName.CONNECT, [fail("bad", "mend it")])
    setup_checks.keep(sender.id, StepName.REPORTS, [warn("odd", "look")])
    with time_machine.travel(NOW, tick=False):
        setup_checks.keep(sender.id, StepName.CONNECT, [ok("well")])

    checks = kept(sender)
    assert texts(checks["connect"]) == ["well"]
    assert checks["connect"].at == NOW
    assert texts(checks["reports"]) == ["odd"]
    assert SenderCheck.objects.count() == 2


def test_another_senders_checks_are_its_own(sender: Sender) -> None:
    other = make_vonage()
    setup_checks.keep(other.id, StepName.CONNECT, [fail("bad", "mend it")])
    setup_checks.keep(sender.id, StepName.CONNECT, [ok("well")])

    assert texts(kept(sender)["connect"]) == ["well"]
    assert texts(kept(other)["connect"]) == ["bad"]


def test_checks_go_with_their_sender(sender: Sender) -> None:
    setup_checks.keep(sender.id, StepName.CONNECT, [ok("well")])

    sender.delete()

    assert not SenderCheck.objects.exists()


def test_long_texts_and_long_lists_are_cut(sender: Sender) -> None:
    """A provider's sentence must not fill the table."""
    setup_checks.keep(sender.id, StepName.CONNECT, (fail("t" * 900, "r" * 900) for _nth in range(300)))

    findings = kept(sender)["connect"].findings
    assert len(findings) == 200
    assert findings[0] == fail("t" * 600, "r" * 600)


def test_what_a_finding_is_about_and_its_reason_are_not_kept(sender: Sender) -> None:
    seen = TemplateSeen(language="es", reason=FailureReason.TEMPLATE_PAUSED, word="PAUSED", minutes=5)
    finding = replace(fail("paused", "wait"), subject="Acme", template=seen)

    setup_checks.keep(sender.id, StepName.TEMPLATES, [finding])

    assert kept(sender)["templates"].findings == (fail("paused", "wait"),)


def test_the_word_of_each_language_is_kept(sender: Sender) -> None:
    """Empty for one that can be sent; a finding about no language says nothing of any."""

    def about(language: str, word: str) -> Finding:
        return replace(ok(language), template=TemplateSeen(language=language, reason=None, word=word))

    findings = [about("en", ""), warn("no language", "look"), about("es", "PAUSED")]
    setup_checks.keep(sender.id, StepName.TEMPLATES, findings)

    assert kept(sender)["templates"].languages == {"en": "", "es": "PAUSED"}


@pytest.mark.parametrize(
    ("levels", "worst"),
    [([], OK), ([OK], OK), ([OK, WARN, OK], WARN), ([WARN, FAIL, OK], FAIL), ([FAIL], FAIL)],
)
def test_a_check_is_as_good_as_its_worst_line(levels: list[Level], worst: Level, sender: Sender) -> None:
    findings = [Finding(level=level, text="x", remedy="y") for level in levels]

    setup_checks.keep(sender.id, StepName.CONNECT, findings)

    assert kept(sender)["connect"].level is worst
