"""The Graph API below every question: where it goes, with which token, and what an answer says."""

import json
from collections.abc import Iterator
from typing import Any
from urllib.parse import parse_qs

import httpx
import pytest
import respx
from hypothesis import given, settings
from hypothesis import strategies as st

from channels.errors import SendError
from channels.providers.meta import graph
from channels.providers.meta.graph import Reply
from channels.types import FailureReason
from core import http
from tests.channels import support

BASE = "https://graph.example/v26.0"


@pytest.fixture
def meta() -> Iterator[respx.Route]:
    with respx.mock(assert_all_called=False) as router:
        yield router.route(host="graph.example").respond(json={"success": True})


def get(client: http.HttpClient, **fields: Any) -> Reply:
    return graph.get(client, support.whatsapp_sender(**fields), "123", {})


# What is asked ----------------------------------------------------------------------------------------


def test_a_question_carries_its_query_and_no_token_in_its_address(
    client: http.HttpClient, meta: respx.Route
) -> None:
    """Addresses are logged on the way."""
    graph.get(client, support.whatsapp_sender(), "123/things", {"name": "a&b=c d", "limit": "2"})

    url = meta.calls.last.request.url
    assert (url.path, parse_qs(url.query.decode())) == (
        "/v26.0/123/things",
        {"name": ["a&b=c d"], "limit": ["2"]},
    )
    assert "token" not in str(url)


def test_without_a_query_there_is_no_question_mark(client: http.HttpClient, meta: respx.Route) -> None:
    get(client)

    assert meta.calls.last.request.url.raw_path == b"/v26.0/123"


def test_another_token_stands_in_for_the_senders(client: http.HttpClient, meta: respx.Route) -> None:
    graph.get(client, support.whatsapp_sender(access_token=""), "123", {}, token="77|secret")

    assert meta.calls.last.request.headers["authorization"] == "Bearer 77|secret"


def test_a_change_is_json_with_the_senders_token(client: http.HttpClient, meta: respx.Route) -> None:
    reply = graph.post(client, support.whatsapp_sender(phone_number_id=""), "5/x", {"name": "é"})

    request = meta.calls.last.request
    assert (request.method, json.loads(request.content)) == ("POST", {"name": "é"})
    assert request.headers["authorization"] == "Bearer access-token-of-acme"
    assert request.headers["content-type"] == "application/json"
    assert reply.problem == ""


def test_without_a_token_nothing_is_changed(client: http.HttpClient, meta: respx.Route) -> None:
    reply = graph.post(client, support.whatsapp_sender(access_token=""), "5/x", {})

    assert reply.problem == "phone number ID or access token is empty"
    assert not meta.called


def test_a_meta_that_is_away_is_no_answer(client: http.HttpClient, meta: respx.Route) -> None:
    meta.side_effect = httpx.ConnectError("refused")
    with pytest.raises(SendError) as caught:
        get(client)
    meta.side_effect = httpx.ReadTimeout("late")
    with pytest.raises(http.AnswerLost):
        graph.post(client, support.whatsapp_sender(), "5", {})

    assert caught.value.reason is FailureReason.UNAVAILABLE


# What is answered -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("error", "is_token_refused", "is_not_there"),
    [
        ({"code": 190, "error_subcode": 463}, True, False),
        ({"code": "190"}, True, False),
        ({"code": 0}, True, False),
        ({"code": 803}, False, True),
        ({"code": 100, "error_subcode": 33}, False, True),
        ({"code": 100, "error_subcode": "33"}, False, False),
        ({"code": 100, "error_subcode": 34}, False, False),
        ({"code": 100}, False, False),
        ({"code": 33, "error_subcode": 100}, False, False),
        ({"code": 200, "error_subcode": 33}, False, False),
        ({}, False, False),
    ],
)
def test_what_a_refusal_is_about(
    error: dict[str, Any],
    is_token_refused: bool,
    is_not_there: bool,
    client: http.HttpClient,
    meta: respx.Route,
) -> None:
    """A wrong token and a wrong id have different remedies."""
    meta.respond(400, json={"error": error})

    reply = get(client)

    assert (reply.is_token_refused, reply.is_not_there) == (is_token_refused, is_not_there)
    assert reply.problem


def test_an_answer_of_a_clean_status_alone_refuses_nothing(
    client: http.HttpClient, meta: respx.Route
) -> None:
    reply = get(client)

    assert (reply.problem, reply.code, reply.status) == ("", None, 200)
    assert not reply.is_token_refused
    assert not reply.is_not_there


def test_an_error_keeps_its_status_and_its_date(client: http.HttpClient, meta: respx.Route) -> None:
    date = "Thu, 26 Nov 2026 12:00:00 GMT"
    meta.respond(403, json={"error": {"code": 10, "message": "No."}}, headers={"Date": date})

    reply = get(client)

    assert (reply.status, reply.date, reply.why) == (403, date, "error 10 (No.)")


def test_a_problem_without_a_sentence_has_no_brackets(client: http.HttpClient, meta: respx.Route) -> None:
    meta.respond(503, content=b"<html>")

    assert get(client).why == "HTTP 503"


@pytest.mark.parametrize(
    ("data", "kept"),
    [([{"id": "1"}, None, "x", [], {"id": "2"}], 2), ({"id": "1"}, 0), ("x", 0), (None, 0), ([], 0)],
)
def test_only_objects_of_a_list_are_items(data: object, kept: int) -> None:
    assert len(Reply(body={"data": data}).items) == kept


def test_an_answer_is_not_printed() -> None:
    """A token's facts, a number's name: nothing for a log."""
    assert "secret-of-meta" not in repr(Reply(body={"data": "secret-of-meta"}))


# Sentences --------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["access_token", "app_secret", "app_secret_previous", "verify_token"])
def test_no_secret_of_the_sender_is_repeated(name: str) -> None:
    sender = support.whatsapp_sender(**{name: "s3cret+(.*)"})
    error = {"message": "Got s3cret+(.*) twice: s3cret+(.*)", "error_data": {"details": "s3cret+(.*)!"}}

    assert graph.sentence(error, sender) == "Got ••• twice: ••• •••!"


def test_a_secret_that_is_cut_off_at_the_end_is_left_out_whole() -> None:
    sender = support.whatsapp_sender(access_token="EAAB-the-token")

    said = graph.sentence({"message": "x" * 235 + "EAAB-the-token"}, sender)

    assert said == "x" * 235 + "•••"


@given(
    st.text(max_size=40),
    st.text(st.characters(exclude_characters="•"), min_size=4, max_size=12),
    st.text(max_size=40),
)
@settings(max_examples=150, deadline=None)
def test_whatever_stands_around_it_a_secret_is_gone(before: str, secret: str, after: str) -> None:
    assert secret not in graph.without_secrets(f"{before}{secret}{after}", [secret])
