"""What a template has to say, and what Meta is asked to make."""

import json
from collections.abc import Iterator
from typing import Any

import pytest
import respx

from channels.findings import Finding, Level
from channels.providers.meta import account
from channels.providers.meta import templates as subject
from channels.providers.meta.account import Template, Templates
from channels.setup import Surroundings
from core import http
from simulator.meta.template_texts import LANGUAGES
from tests.channels import support

BASE = "https://graph.example/v26.0"
WABA = f"{BASE}/220011223344556"
OK, WARN, FAIL = Level.OK, Level.WARN, Level.FAIL


@pytest.fixture
def graph() -> Iterator[respx.MockRouter]:
    with respx.mock(assert_all_called=False) as router:
        yield router


def found(monkeypatch: pytest.MonkeyPatch, **template: Any) -> Finding:
    known: dict[str, Any] = {
        "status": "APPROVED",
        "category": "AUTHENTICATION",
        "minutes": 10,
        "button": "COPY_CODE",
        "advice": True,
    }
    templates = Templates(by_language={"en": Template(**(known | template))})
    monkeypatch.setattr(account, "templates", lambda _sender, _client: templates)
    sender = support.whatsapp_sender(template_languages=("en",))
    (finding,) = subject.check(sender, Surroundings(), http.HttpClient())
    return finding


@pytest.mark.parametrize(
    ("template", "level", "words"),
    [
        ({}, OK, "is approved, 10 minutes"),
        ({"minutes": 5}, OK, "is approved, 5 minutes"),
        ({"button": "ONE_TAP"}, WARN, "its button is ONE_TAP, not Copy code"),
        ({"button": "ZERO_TAP"}, WARN, "its button is ZERO_TAP"),
        ({"button": None}, OK, "is approved"),
        ({"advice": False}, WARN, "it does not say to keep the code secret"),
        ({"advice": None, "minutes": None}, OK, "is approved"),
        ({"minutes": None}, WARN, "it does not say how long the code lives"),
        ({"minutes": None, "advice": False}, WARN, "secret and it does not say how long"),
        ({"status": "REJECTED", "reason": "SCAM"}, FAIL, "is REJECTED (SCAM)"),
        ({"status": "PENDING"}, FAIL, "is PENDING"),
        ({"category": "UTILITY"}, FAIL, "is UTILITY"),
    ],
)
def test_what_it_says_is_checked(
    template: dict[str, Any], level: Level, words: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    finding = found(monkeypatch, **template)

    assert (finding.level, words in finding.text) == (level, True)
    assert finding.template is not None


def test_each_state_has_a_remedy_of_its_own(monkeypatch: pytest.MonkeyPatch) -> None:
    remedies = {found(monkeypatch, status=status).remedy for status in subject._REMEDIES}

    assert len(remedies) == len(subject._REMEDIES)
    assert found(monkeypatch, status="NEW_WORD").remedy == "Wait for approval or use another."


def test_the_languages_are_metas() -> None:
    """Two lists, written by two people."""
    assert subject.LANGUAGES == LANGUAGES


def test_what_meta_is_asked_to_make(client: http.HttpClient, graph: respx.MockRouter) -> None:
    graph.get(f"{WABA}/message_templates").respond(json={"data": []})
    made = graph.post(f"{WABA}/upsert_message_templates").respond(
        json={"data": [{"id": "1", "status": "PENDING", "language": "en"}]}
    )

    findings = list(subject.create(support.whatsapp_sender(), ["en", "es"], client))

    assert [item.text for item in findings] == ["template in en: PENDING", "template in es: asked for"]
    assert json.loads(made.calls.last.request.content) == {
        "name": "login_code",
        "category": "AUTHENTICATION",
        "languages": ["en", "es"],
        "components": [
            {"type": "BODY", "add_security_recommendation": True},
            {"type": "FOOTER", "code_expiration_minutes": 10},
            {"type": "BUTTONS", "buttons": [{"type": "OTP", "otp_type": "COPY_CODE"}]},
        ],
    }


def test_what_meta_does_not_make(client: http.HttpClient, graph: respx.MockRouter) -> None:
    graph.get(f"{WABA}/message_templates").respond(json={"data": []})
    error = {"code": 200, "message": "Permissions error"}
    graph.post(f"{WABA}/upsert_message_templates").respond(403, json={"error": error})

    (finding,) = subject.create(support.whatsapp_sender(), ["en"], client)

    assert finding.level is FAIL
    assert finding.text == "Meta did not make the templates: error 200 (Permissions error)"


def test_nothing_is_asked_for_when_all_exist(client: http.HttpClient, graph: respx.MockRouter) -> None:
    item = {"name": "login_code", "language": "en", "status": "APPROVED", "category": "AUTHENTICATION"}
    graph.get(f"{WABA}/message_templates").respond(json={"data": [item]})

    assert [item.text for item in subject.create(support.whatsapp_sender(), ["en"], client)] == [
        "template in en exists: APPROVED"
    ]
    assert {call.request.method for call in graph.calls} == {"GET"}


@pytest.mark.parametrize(
    "body",
    [
        {"data": [None, {"language": "en", "buttons": None}]},
        {"data": "x"},
        {},
        [],
        {"data": [{"buttons": [5]}]},
    ],
)
def test_odd_previews_break_nothing(body: object, client: http.HttpClient, graph: respx.MockRouter) -> None:
    graph.get(url__startswith=f"{WABA}/message_template_previews").respond(json=body)

    previews = subject.previews(support.whatsapp_sender(), ["en"], client)

    assert all(item.button == "" for item in previews)
