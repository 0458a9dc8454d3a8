"""What the doctor finds of a WhatsApp sender: every line, in its order, with its remedy."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
import respx

from channels.findings import Finding, Level, TemplateSeen
from channels.providers import PROVIDERS
from channels.providers.meta import account, reports, tokens
from channels.providers.meta import check as subject
from channels.types import FailureReason
from core import http
from tests.channels import support

BASE = "https://graph.example/v26.0"
ORIGIN = "https://login.acme.example"
META = PROVIDERS["meta"]
OK, WARN, FAIL = Level.OK, Level.WARN, Level.FAIL
F = FailureReason


@dataclass
class Graph:
    """Meta's side. What is not named is well."""

    client: http.HttpClient
    number: dict[str, Any] = field(default_factory=dict)
    templates: list[dict[str, Any]] = field(default_factory=lambda: [template()])
    apps: list[dict[str, Any]] = field(default_factory=lambda: [{}])
    statuses: dict[str, int] = field(default_factory=dict)
    asked: list[str] = field(default_factory=list)

    def check(self, public_url: str = ORIGIN, **fields: Any) -> list[Finding]:
        sender = support.whatsapp_sender(**({"template_languages": ("en",)} | fields))
        bodies: dict[str, dict[str, Any]] = {
            "330022114455667": {"id": "1", "verified_name": "Acme", "status": "CONNECTED", **self.number},
            "220011223344556/message_templates": {"data": self.templates},
            "220011223344556/phone_numbers": {"data": [{"id": "330022114455667"}]},
            "debug_token": {"data": {"is_valid": True, "scopes": list(tokens._SCOPES), "expires_at": 0}},
            "220011223344556/subscribed_apps": {"data": self.apps},
        }
        with respx.mock(assert_all_called=False) as router:
            for path, body in bodies.items():
                status = self.statuses.get(path.rpartition("/")[2], 200)
                router.get(f"{BASE}/{path}").respond(status, json=body)
            findings = list(subject.check(sender, public_url, self.client))
            asked = [call.request.url.path.rpartition("/")[2] for call in router.calls]
            self.asked = [name for name in asked if name not in ("debug_token", "phone_numbers")]
        return findings


@pytest.fixture
def graph(settings: Any) -> Iterator[Graph]:
    settings.PROVIDER_API_URLS = {"whatsapp": BASE}
    client = http.HttpClient()
    yield Graph(client)
    client.close()


def template(language: str = "en", **fields: Any) -> dict[str, Any]:
    known = {"name": "login_code", "language": language, "status": "APPROVED", "category": "AUTHENTICATION"}
    return known | fields


def lines(findings: list[Finding]) -> list[tuple[Level, str]]:
    assert all(bool(item.remedy) is (item.level is not OK) for item in findings)
    return [(item.level, item.text) for item in findings if not item.text.startswith(_OF_THE_TOKEN)]


# What tests/channels/providers/test_meta_connect.py is about.
_OF_THE_TOKEN = (
    "the token ",
    "the app secret",
    "no app secret",
    "the number belongs",
    "quality ",
    "throughput ",
)
WELL = [
    (OK, "token works for the number of Acme"),
    (OK, "template login_code in en is approved"),
    (OK, "an app is subscribed to delivery reports"),
]


def test_a_sender_that_works_is_three_lines(graph: Graph) -> None:
    assert lines(graph.check()) == WELL
    assert graph.asked == ["330022114455667", "message_templates", "subscribed_apps"]


def test_a_token_that_does_not_work_ends_it(graph: Graph) -> None:
    """What follows from it is not listed as trouble of its own."""
    graph.statuses = {"330022114455667": 401}

    assert lines(graph.check()) == [(FAIL, "Meta refuses it: HTTP 401")]
    assert graph.asked == ["330022114455667"]


@pytest.mark.parametrize(
    ("number", "expected"),
    [
        ({"verified_name": ""}, [(OK, "token works for the number of this account")]),
        ({"status": "PENDING"}, [(FAIL, "the number is PENDING")]),
        ({"status": "BANNED"}, [(FAIL, "the number is BANNED")]),
        ({"status": ""}, []),
        ({"status": None}, []),
        ({"quality_rating": "RED"}, [(WARN, "the quality rating is RED")]),
        ({"quality_rating": "YELLOW"}, []),
        ({"quality_rating": "UNKNOWN"}, []),
        ({"health_status": {"can_send_message": "BLOCKED"}}, [(FAIL, "Meta says it is BLOCKED in sending")]),
        ({"health_status": {"can_send_message": "LIMITED"}}, [(WARN, "Meta says it is LIMITED in sending")]),
        ({"health_status": {"can_send_message": "AVAILABLE"}}, []),
        (
            {
                "status": "FLAGGED",
                "quality_rating": "RED",
                "health_status": {"can_send_message": "LIMITED"},
            },
            [
                (FAIL, "the number is FLAGGED"),
                (WARN, "Meta says it is LIMITED in sending"),
                (WARN, "the quality rating is RED"),
            ],
        ),
    ],
)
def test_the_number(number: dict[str, Any], expected: list[tuple[Level, str]], graph: Graph) -> None:
    graph.number = number

    named = [line for line in lines(graph.check()) if line not in WELL]

    assert named == expected


# Templates --------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("status", "reason"),
    [
        ("PAUSED", F.TEMPLATE_PAUSED),
        ("DISABLED", F.TEMPLATE_PAUSED),
        ("LIMIT_EXCEEDED", F.TEMPLATE_PAUSED),
        ("REJECTED", F.TEMPLATE_MISSING),
        ("PENDING", F.TEMPLATE_MISSING),
        ("IN_APPEAL", F.TEMPLATE_MISSING),
        ("SOMETHING_NEW", F.TEMPLATE_MISSING),
        ("", F.TEMPLATE_MISSING),
    ],
)
def test_a_template_that_cannot_be_sent(status: str, reason: FailureReason, graph: Graph) -> None:
    graph.templates = [template(status=status)]

    (finding,) = [item for item in graph.check() if item.template]

    assert (finding.level, finding.text) == (FAIL, f"template login_code in en is {status}")
    assert finding.template == TemplateSeen(language="en", reason=reason, word=status)


def test_a_template_of_another_category_is_sent_and_named(graph: Graph) -> None:
    """Meta charges it otherwise and may stop it; a login still works."""
    graph.templates = [template(category="UTILITY")]

    (finding,) = [item for item in graph.check() if item.template]

    assert (finding.level, finding.text) == (FAIL, "template login_code in en is UTILITY")
    assert finding.template == TemplateSeen(language="en", reason=None)


def test_each_language_of_the_sender_is_a_line_in_its_order(graph: Graph) -> None:
    graph.templates = [template("en"), template("de", status="PAUSED"), template("fr")]

    findings = [item for item in graph.check(template_languages=("es", "de", "en")) if item.template]

    assert lines(findings) == [
        (FAIL, "template login_code does not exist in es"),
        (FAIL, "template login_code in de is PAUSED"),
        (OK, "template login_code in en is approved"),
    ]
    assert [item.template.word for item in findings if item.template] == ["MISSING", "PAUSED", ""]


def test_the_minutes_that_a_template_says_are_kept(graph: Graph) -> None:
    graph.templates = [template(components=[{"type": "FOOTER", "code_expiration_minutes": 5}])]

    (seen,) = [item.template for item in graph.check() if item.template]

    assert seen.minutes == 5


def test_a_template_that_may_stand_on_an_unread_page_is_not_remembered_as_missing(
    graph: Graph, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It would stop the language for everybody, for a quarter of an hour."""
    unread = account.Templates(by_language={}, is_complete=False)
    monkeypatch.setattr(account, "templates", lambda _sender, _client: unread)

    findings = graph.check()

    assert (FAIL, "template login_code does not exist in en") in lines(findings)
    assert [item.template for item in findings if item.template] == []


def test_templates_that_cannot_be_read_say_nothing_of_languages(graph: Graph) -> None:
    graph.statuses = {"message_templates": 403}

    findings = graph.check()

    assert lines(findings)[1:] == [(FAIL, "templates cannot be read: HTTP 403"), WELL[2]]
    assert [item.template for item in findings if item.template] == []


def test_without_the_account_only_the_number_is_checked(graph: Graph) -> None:
    findings = graph.check(business_account_id="")

    assert [level for level, _text in lines(findings)] == [OK, WARN]
    assert graph.asked == ["330022114455667"]


# Subscription -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("apps", "public_url", "level"),
    [
        ([{}], ORIGIN, OK),
        ([{}, {}], "", OK),
        ([], ORIGIN, FAIL),
        ([{"override_callback_uri": f"{ORIGIN}/whatsapp/webhook"}], ORIGIN, OK),
        ([{"override_callback_uri": f"{ORIGIN}:443/other/path"}], ORIGIN, OK),
        ([{"override_callback_uri": "https://other.example/x"}], ORIGIN, FAIL),
        ([{"override_callback_uri": "http://login.acme.example/x"}], ORIGIN, FAIL),
        ([{"override_callback_uri": "not an address"}], ORIGIN, FAIL),
        ([{"override_callback_uri": "https://[broken"}], ORIGIN, FAIL),
        ([{"override_callback_uri": "https://other.example/x"}], "", OK),  # nothing to compare it with
    ],
)
def test_where_the_reports_go(
    apps: list[dict[str, Any]], public_url: str, level: Level, graph: Graph
) -> None:
    graph.apps = apps

    assert graph.check(public_url)[-1].level is level


def test_a_subscription_that_cannot_be_read(graph: Graph) -> None:
    graph.statuses = {"subscribed_apps": 403}

    assert lines(graph.check())[-1] == (FAIL, "the webhook's subscription cannot be read: HTTP 403")


# Our own webhook --------------------------------------------------------------------------------------


def answered(status: int, text: str, **fields: Any) -> tuple[list[tuple[Level, str]], list[str]]:
    asked: list[str] = []

    def ask(path: str) -> tuple[int, str]:
        asked.append(path)
        return status, text

    known = {"verify_token": "v&rify token", "app_secrets": ("secret",)}
    sender = support.whatsapp_sender(**(known | fields))
    return lines(list(reports.callback(sender, ask))), asked


@pytest.mark.parametrize(
    ("status", "text", "line"),
    [
        (200, "doctor", (OK, "/whatsapp/webhook answers Meta's verification")),
        (200, "Doctor", (FAIL, "/whatsapp/webhook answers 200")),
        (200, "", (FAIL, "/whatsapp/webhook answers 200")),
        (403, "doctor", (FAIL, "/whatsapp/webhook answers 403")),
        (0, "", (FAIL, "/whatsapp/webhook answers 0")),
    ],
)
def test_our_webhook_is_asked_as_meta_asks_it(status: int, text: str, line: tuple[Level, str]) -> None:
    found, (path,) = answered(status, text)

    assert found == [line]
    assert urlsplit(path).path == META.reports.path if META.reports else False
    assert parse_qs(urlsplit(path).query) == {
        "hub.mode": ["subscribe"],
        "hub.verify_token": ["v&rify token"],
        "hub.challenge": ["doctor"],
    }


@pytest.mark.parametrize("fields", [{"verify_token": ""}, {"app_secrets": ()}])
def test_without_its_secrets_the_webhook_is_not_asked(fields: dict[str, Any]) -> None:
    found, asked = answered(200, "doctor", **fields)

    assert [level for level, _ in found] == [FAIL]
    assert asked == []


def test_during_a_rotation_the_secret_before_is_enough() -> None:
    assert answered(200, "doctor", app_secrets=("", "the one before"))[0][0][0] is OK
