"""What Meta answers about a number, its templates and its subscriptions, in all the shapes that an answer can have."""

import json
from collections.abc import Callable, Iterator
from typing import Any
from urllib.parse import parse_qs

import httpx
import pytest
import respx

from channels.providers.meta import account
from channels.providers.meta.account import Number, Subscriptions, Template, Templates
from core import http
from tests.channels import support
from tests.fixtures.load import load

BASE = "https://graph.example/v26.0"
NUMBER, WABA = "330022114455667", "220011223344556"
ADDRESS = {
    "number": f"{BASE}/{NUMBER}",
    "templates": f"{BASE}/{WABA}/message_templates",
    "subscriptions": f"{BASE}/{WABA}/subscribed_apps",
}
QUESTIONS: dict[str, Callable[..., Any]] = {
    "number": account.phone_number,
    "templates": account.templates,
    "subscriptions": account.subscriptions,
}


@pytest.fixture
def graph() -> Iterator[respx.MockRouter]:
    with respx.mock(assert_all_called=False) as router:
        yield router


def ask(question: str, client: http.HttpClient, **fields: Any) -> Any:
    return QUESTIONS[question](support.whatsapp_sender(**fields), client)


# What is the same for each question -------------------------------------------------------------------


@pytest.mark.parametrize("question", QUESTIONS)
def test_a_question_is_asked_with_the_senders_token(
    question: str, client: http.HttpClient, graph: respx.MockRouter
) -> None:
    route = graph.get(ADDRESS[question]).respond(json={"id": "1"})

    ask(question, client)

    assert route.call_count == 1
    assert route.calls.last.request.headers["authorization"] == "Bearer access-token-of-acme"


@pytest.mark.parametrize("question", QUESTIONS)
@pytest.mark.parametrize(
    ("status", "body", "problem"),
    [
        (401, {"error": {"code": 190, "message": "Session has expired"}}, "error 190"),
        (200, {"error": {"code": 10}}, "error 10"),
        (400, {"error": {"code": 0}}, "error 0"),
        (400, {"error": {"code": True}}, "HTTP 400"),
        (500, {"error": "down"}, "HTTP 500"),
        (302, b"", "HTTP 302"),
        (200, b"", "HTTP 200"),
        (200, [], "HTTP 200"),
        (200, {}, "HTTP 200"),
    ],
)
def test_what_meta_has_against_a_question(
    question: str, status: int, body: object, problem: str, client: http.HttpClient, graph: respx.MockRouter
) -> None:
    content = body if isinstance(body, bytes) else json.dumps(body).encode()
    graph.get(ADDRESS[question]).respond(status, content=content)

    assert ask(question, client).problem == problem


@pytest.mark.parametrize("question", QUESTIONS)
@pytest.mark.parametrize("fields", [{"access_token": ""}, {"phone_number_id": ""}])
def test_without_token_or_number_meta_is_not_asked(
    question: str, fields: dict[str, str], client: http.HttpClient, graph: respx.MockRouter
) -> None:
    answer = ask(question, client, **fields)

    assert answer.problem == "phone number ID or access token is empty"
    assert graph.calls.call_count == 0


def test_an_id_cannot_lead_to_another_object(client: http.HttpClient, graph: respx.MockRouter) -> None:
    route = graph.route(host="graph.example").respond(404)

    ask("number", client, phone_number_id="me?fields=id#")
    ask("templates", client, business_account_id="me?fields=id#")

    for call in route.calls:
        assert b"?fields=id" not in call.request.url.raw_path
        assert not call.request.url.fragment


# The number -------------------------------------------------------------------------------------------


def test_the_captured_number(client: http.HttpClient, graph: respx.MockRouter) -> None:
    date = "Thu, 26 Nov 2026 12:00:00 GMT"
    route = graph.get(ADDRESS["number"])
    route.respond(json=load("account/phone-number.json"), headers={"Date": date})

    assert ask("number", client) == Number(
        name="Ejemplo",
        display="+1 555-010-0999",
        status="CONNECTED",
        quality="GREEN",
        code_verification="VERIFIED",
        name_status="APPROVED",
        limit="TIER_2K",
        throughput="STANDARD",
        date=date,
    )
    fields = parse_qs(route.calls.last.request.url.query.decode())["fields"]
    assert fields == [account._NUMBER_FIELDS]


@pytest.mark.parametrize(
    ("health", "word"),
    [
        ({"can_send_message": "BLOCKED", "entities": []}, "BLOCKED"),
        ({"can_send_message": None}, ""),
        ({"can_send_message": ["BLOCKED"]}, ""),
        ({}, ""),
        ([], ""),
        ("BLOCKED", ""),
        (None, ""),
    ],
)
def test_whether_it_can_send(
    health: object, word: str, client: http.HttpClient, graph: respx.MockRouter
) -> None:
    graph.get(ADDRESS["number"]).respond(json={"id": "1", "health_status": health})

    assert ask("number", client).can_send == word


@pytest.mark.parametrize("value", [None, 5, True, [], {}, 1.5])
def test_words_of_other_types_are_no_words(
    value: object, client: http.HttpClient, graph: respx.MockRouter
) -> None:
    names = ("verified_name", "status", "quality_rating")
    graph.get(ADDRESS["number"]).respond(json={"id": "1", **dict.fromkeys(names, value)})

    number = ask("number", client)

    assert (number.name, number.status, number.quality) == ("", "", "")


# Templates --------------------------------------------------------------------------------------------


def page(*items: object, after: object = None, more: object = "https://graph.example/next") -> dict[str, Any]:
    paging = {"paging": {"cursors": {"after": after}, "next": more}} if after is not None else {}
    return {"data": list(items), **paging}


def template(language: str, **fields: Any) -> dict[str, Any]:
    known = {"name": "login_code", "language": language, "status": "APPROVED", "category": "AUTHENTICATION"}
    return known | fields


def read(client: http.HttpClient, graph: respx.MockRouter, *pages: dict[str, Any]) -> Templates:
    route = graph.get(ADDRESS["templates"])
    route.side_effect = [httpx.Response(200, json=item) for item in pages]
    templates: Templates = ask("templates", client)
    assert route.call_count == len(pages)
    return templates


def test_the_captured_pages(client: http.HttpClient, graph: respx.MockRouter) -> None:
    pages = load("templates/list-response.json"), load("templates/list-response-last-page.json")
    alike: dict[str, Any] = {
        "category": "AUTHENTICATION",
        "minutes": 10,
        "button": "COPY_CODE",
        "advice": True,
    }

    assert read(client, graph, *pages) == Templates(
        by_language={
            "es_MX": Template(status="APPROVED", **alike),
            "en_US": Template(status="PAUSED", **alike),
            "es_UY": Template(status="REJECTED", **alike, reason="INVALID_FORMAT"),
        }
    )


def test_each_page_is_asked_for_by_the_cursor_of_the_one_before(
    client: http.HttpClient, graph: respx.MockRouter
) -> None:
    read(client, graph, page(after="one&two"), page(after="three"), page())

    queries = [parse_qs(call.request.url.query.decode()) for call in graph.calls]
    assert [query.get("after") for query in queries] == [None, ["one&two"], ["three"]]
    assert {query["name"][0] for query in queries} == {"login_code"}
    assert {query["limit"][0] for query in queries} == {"20"}


def test_the_cursor_counts_and_not_the_address_that_meta_names(
    client: http.HttpClient, graph: respx.MockRouter
) -> None:
    """The address holds the token, and could name any host."""
    read(client, graph, page(after="two", more="https://elsewhere.example/?access_token=x"), page())

    assert {call.request.url.host for call in graph.calls} == {"graph.example"}


@pytest.mark.parametrize(
    "paging",
    [
        None, [], "next", {}, {"next": ""}, {"next": None, "cursors": {"after": "x"}}, {"cursors": {"after": "x"}},
        {"next": "https://graph.example/x"}, {"next": "x", "cursors": []}, {"next": "x", "cursors": {"after": 5}},
        {"next": "x", "cursors": {"after": ""}},
    ],
)  # fmt: skip
def test_without_a_cursor_and_an_address_it_was_the_last_page(
    paging: object, client: http.HttpClient, graph: respx.MockRouter
) -> None:
    assert read(client, graph, {"data": [template("en")], "paging": paging}).is_complete


def test_a_page_that_fails_leaves_no_half_answer(client: http.HttpClient, graph: respx.MockRouter) -> None:
    """Half of the templates would make the others missing."""
    route = graph.get(ADDRESS["templates"])
    route.side_effect = [httpx.Response(200, json=page(template("en"), after="two")), httpx.Response(500)]

    assert ask("templates", client) == Templates(problem="HTTP 500")


@pytest.mark.parametrize("data", [None, "x", {}, 5, [None, 5, "x", [], True]])
def test_what_is_no_template_is_passed_by(
    data: object, client: http.HttpClient, graph: respx.MockRouter
) -> None:
    assert read(client, graph, {"data": data, "id": "1"}) == Templates()


def test_of_templates_whose_names_are_alike_only_the_senders_own_counts(
    client: http.HttpClient, graph: respx.MockRouter
) -> None:
    """Meta's filter finds parts of names."""
    alike = [template("es", name=name) for name in ("login_code_2", "my_login_code", "LOGIN_CODE", "", 5)]

    assert set(read(client, graph, page(template("en"), *alike)).by_language) == {"en"}


@pytest.mark.parametrize(
    ("button", "minutes"),
    [
        ({"url": "https://w.example/?code_expiration_minutes=9"}, 9),
        ({"url": "https://w.example/?a=b&code_expiration_minutes=90#x"}, 90),
        ({"url": "https://w.example/?code_expiration_minutes=٥"}, None),
        ({"url": "https://w.example/?code_expiration_minutes=-5"}, None),
        ({"url": "https://w.example/?code_expiration_minutes="}, None),
        ({"url": "https://[w.example/?code_expiration_minutes=5"}, 5),
        ({"url": "//[::1"}, None),
        ({"url": ""}, None),
    ],
)
def test_the_minutes_of_a_button(
    button: object, minutes: int | None, client: http.HttpClient, graph: respx.MockRouter
) -> None:
    templates = read(
        client, graph, page(template("en", components=[{"type": "BUTTONS", "buttons": [button]}]))
    )

    assert templates.by_language["en"].minutes == minutes


def test_the_footer_counts_before_the_button(client: http.HttpClient, graph: respx.MockRouter) -> None:
    footer = {"type": "FOOTER", "code_expiration_minutes": 5}
    button = {"type": "BUTTONS", "buttons": [{"url": "https://w.example/?code_expiration_minutes=9"}]}

    templates = read(client, graph, page(template("en", components=[{"type": "BODY"}, footer, button])))

    assert templates.by_language["en"].minutes == 5


# Subscriptions ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        (load("account/subscribed-apps.json")["data"], Subscriptions(apps=1)),
        ([], Subscriptions(apps=0)),
        (None, Subscriptions(apps=0)),
        (["app", None], Subscriptions(apps=0)),
        ([{}, {"override_callback_uri": ""}], Subscriptions(apps=2)),
        ([{}, {"override_callback_uri": "https://a.example/x"}], Subscriptions(apps=2, override="https://a.example/x")),
        ([{"override_callback_uri": 5}], Subscriptions(apps=1)),
    ],
)  # fmt: skip
def test_which_apps_get_the_reports(
    data: object, expected: Subscriptions, client: http.HttpClient, graph: respx.MockRouter
) -> None:
    graph.get(ADDRESS["subscriptions"]).respond(json={"data": data})

    assert ask("subscriptions", client) == expected
