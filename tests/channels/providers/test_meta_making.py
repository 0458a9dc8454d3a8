"""Making templates: what is refused before anything is overwritten, and what is shown of Meta's wording."""

import json
from collections.abc import Iterator
from typing import Any
from urllib.parse import parse_qs

import httpx
import pytest
import respx

from channels.findings import Finding, Level
from channels.providers.meta import account
from channels.providers.meta import templates as subject
from channels.setup import Preview, Surroundings
from core import http
from tests.channels import support

WABA = "https://graph.example/v26.0/220011223344556"
OK, WARN, FAIL = Level.OK, Level.WARN, Level.FAIL


class Meta:
    def __init__(self, router: respx.MockRouter, client: http.HttpClient) -> None:
        self.client = client
        self.listed = router.get(f"{WABA}/message_templates").respond(json={"data": []})
        self.upsert = router.post(f"{WABA}/upsert_message_templates").respond(json={"data": []})
        self.previews = router.get(f"{WABA}/message_template_previews")

    def create(self, *languages: str) -> list[Finding]:
        return list(subject.create(support.whatsapp_sender(), languages, self.client))

    def check(self, *languages: str, **fields: Any) -> list[Finding]:
        sender = support.whatsapp_sender(template_languages=languages, **fields)
        return list(subject.check(sender, Surroundings(), self.client))


@pytest.fixture
def meta(settings: Any) -> Iterator[Meta]:
    settings.PROVIDER_API_URLS = {"whatsapp": "https://graph.example/v26.0"}
    client = http.HttpClient()
    with respx.mock(assert_all_called=False) as router:
        yield Meta(router, client)
    client.close()


def template(language: str, **fields: Any) -> dict[str, Any]:
    known = {"name": "login_code", "language": language, "status": "APPROVED", "category": "AUTHENTICATION"}
    return known | fields


# Refused before anything is made ----------------------------------------------------------------------


@pytest.mark.parametrize(
    ("status", "error", "remedy"),
    [
        (401, {"code": 190, "message": "Expired"}, "Store a valid access token: see Connect."),
        (400, {"code": 803}, "Store the right WhatsApp Business Account ID: see Connect."),
        (400, {"code": 100, "error_subcode": 33}, "Store the right WhatsApp Business Account ID: see Connect."),
        (403, {"code": 200}, "Give the token whatsapp_business_management."),
        (500, {}, "Give the token whatsapp_business_management."),
    ],
)  # fmt: skip
def test_templates_that_cannot_be_read_are_neither_judged_nor_made(
    status: int, error: dict[str, Any], remedy: str, meta: Meta
) -> None:
    """One that exists would be overwritten."""
    meta.listed.respond(status, json={"error": error})

    for findings in (meta.create("en"), meta.check("en", "es")):
        (finding,) = findings
        assert (finding.level, finding.remedy) == (FAIL, remedy)
        assert finding.text.startswith("templates cannot be read: ")
        assert finding.template is None
    assert not meta.upsert.called


def test_a_list_without_an_end_makes_nothing(meta: Meta) -> None:
    paging = {"next": "x", "cursors": {"after": "y"}}
    meta.listed.respond(json={"data": [template("es")], "paging": paging})

    (finding,) = meta.create("en")

    assert (finding.level, finding.text.startswith("Meta lists more templates")) == (FAIL, True)
    assert meta.listed.call_count == account._MOST_PAGES
    assert not meta.upsert.called


def test_without_the_account_templates_are_not_asked_for(meta: Meta) -> None:
    (finding,) = meta.check("en", business_account_id="")

    assert (finding.level, finding.remedy) == (WARN, "Store the ID.")
    assert not meta.listed.called


# Made -------------------------------------------------------------------------------------------------


def test_only_what_is_missing_is_made(meta: Meta) -> None:
    """Whatever became of the others: a rejected one is corrected by hand."""
    meta.listed.respond(json={"data": [template("en"), template("de", status="REJECTED")]})
    meta.upsert.respond(json={"data": [{"language": "es", "status": "PENDING"}]})

    texts = [item.text for item in meta.create("es", "en", "de")]

    assert texts == [
        "template in en exists: APPROVED",
        "template in de exists: REJECTED",
        "template in es: PENDING",
    ]
    assert json.loads(meta.upsert.calls.last.request.content)["languages"] == ["es"]


@pytest.mark.parametrize(
    "data", [[], None, "x", [{"language": "de", "status": "APPROVED"}], [{"language": "en", "status": 5}]]
)
def test_a_yes_without_a_word_for_a_language_is_asked_for(data: object, meta: Meta) -> None:
    meta.upsert.respond(json={"success": True, "data": data})

    assert [(item.level, item.text) for item in meta.create("en")] == [(OK, "template in en: asked for")]


def test_what_exists_already_is_named_when_the_others_are_refused(meta: Meta) -> None:
    meta.listed.respond(json={"data": [template("en")]})
    meta.upsert.respond(400, json={"error": {"code": 100, "error_user_msg": "Limit reached"}})

    findings = meta.create("en", "es")

    assert [item.level for item in findings] == [OK, FAIL]
    assert findings[1].text == "Meta did not make the templates: error 100 (Limit reached)"
    assert meta.upsert.call_count == 1


def test_an_answer_that_is_lost_is_not_taken_for_a_yes(meta: Meta) -> None:
    meta.upsert.mock(side_effect=httpx.ReadTimeout("late"))

    with pytest.raises(http.AnswerLost):
        meta.create("en")
    assert meta.upsert.call_count == 1


# Missing ----------------------------------------------------------------------------------------------


def test_of_a_missing_language_the_others_are_named(meta: Meta) -> None:
    meta.listed.respond(json={"data": [template(name) for name in ("it", "de", "fr", "en", "nl", "sv")]})

    (finding,) = meta.check("es")

    assert finding.text == "template login_code does not exist in es"
    assert finding.remedy.endswith("It exists in: de, en, fr, it, nl.")


def test_a_template_that_exists_nowhere_may_have_another_name(meta: Meta) -> None:
    meta.listed.respond(json={"data": [template("es", name="login_code_2")]})

    (finding,) = meta.check("es")

    assert finding.text == "template login_code does not exist in es, nor in any other"
    assert "store the name" in finding.remedy
    assert finding.template is not None
    assert finding.template.word == "MISSING"


# Wording ----------------------------------------------------------------------------------------------


def test_metas_wording_is_asked_for_as_the_template_is_made(meta: Meta) -> None:
    item = {
        "language": "es",
        "body": "*{{1}}*",
        "footer": "10",
        "buttons": [None, {"text": "Copiar"}, {"text": "b"}],
    }
    meta.previews.respond(json={"data": [item]})

    previews = subject.previews(support.whatsapp_sender(), ["en", "es"], meta.client)

    assert previews == [Preview(language="es", body="*{{1}}*", footer="10", button="Copiar")]
    query = parse_qs(meta.previews.calls.last.request.url.query.decode())
    assert (query["languages"], query["language"]) == (["en,es"], ["en,es"])
    assert (query["add_security_recommendation"], query["code_expiration_minutes"]) == (["true"], ["10"])


def test_a_refusal_shows_no_wording(meta: Meta) -> None:
    meta.previews.respond(400, json={"error": {"code": 100}})

    assert subject.previews(support.whatsapp_sender(), ["en"], meta.client) == []


@pytest.mark.parametrize("status", ["REJECTED", "DISABLED", "PAUSED", "LIMIT_EXCEEDED"])
def test_what_meta_refuses_at_once_is_no_success(status: str, meta: Meta) -> None:
    meta.upsert.respond(json={"data": [{"language": "en", "status": status}]})

    (finding,) = meta.create("en")

    assert (finding.level, finding.text) == (FAIL, f"template in en: {status}")
    assert finding.remedy


@pytest.mark.parametrize("buttons", [5, True, 1.5, "text", {"text": "Copy"}, [5], None, []])
def test_odd_buttons_are_none(buttons: object, meta: Meta) -> None:
    meta.previews.respond(json={"data": [{"language": "en", "body": "b", "buttons": buttons}]})

    (preview,) = subject.previews(support.whatsapp_sender(), ["en"], meta.client)

    assert (preview.body, preview.button) == ("b", "")
