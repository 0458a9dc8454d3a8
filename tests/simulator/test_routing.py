"""Requests, routes and answers, without sockets."""

import json

import pytest

from simulator.server.routing import (
    BadRequest,
    Request,
    Response,
    Route,
    Router,
    first_half,
    html_response,
    json_response,
    make_request,
    no_answer,
    whole_number,
)


def request(method: str = "GET", target: str = "/", body: bytes = b"") -> Request:
    return make_request(method=method, target=target, headers={}, body=body)


def named(name: str) -> Route:
    """A route that answers with its own name and the parameters of the path."""
    method, _, pattern = name.partition(" ")
    return Route(method, pattern, lambda asked: json_response({"route": name, **asked.params}))


ROUTER = Router(
    [
        named("GET /handsets/next"),
        named("GET /handsets/{phone}"),
        named("PUT /handsets/{phone}"),
        named("GET /handsets/{phone}/messages"),
        named(r"GET /{version:v[0-9]+}/{object}/?"),
        named(r"GET /accounts/{sid:[^/.]+}.json"),
    ]
)


@pytest.mark.parametrize(
    ("target", "expected"),
    [
        ("/handsets/next", {"route": "GET /handsets/next"}),
        ("/handsets/+852", {"route": "GET /handsets/{phone}", "phone": "+852"}),
        ("/handsets/%2B852", {"route": "GET /handsets/{phone}", "phone": "+852"}),
        ("/handsets/1/messages?x=1", {"route": "GET /handsets/{phone}/messages", "phone": "1"}),
        ("/v26/7/", {"route": r"GET /{version:v[0-9]+}/{object}/?", "version": "v26", "object": "7"}),
        ("/accounts/AC1.json", {"route": r"GET /accounts/{sid:[^/.]+}.json", "sid": "AC1"}),
    ],
)
def test_the_first_route_that_matches_wins(target: str, expected: dict[str, str]) -> None:
    assert json.loads(ROUTER.handle(request(target=target)).body) == expected


@pytest.mark.parametrize(
    "target", ["/", "/handsets", "/handsets/1/", "/v26/7/8", "/accounts/.json", "/HANDSETS/1"]
)
def test_an_unknown_path_is_not_found(target: str) -> None:
    answer = ROUTER.handle(request(target=target))

    assert (answer.status, json.loads(answer.body)) == (404, {"error": "no such path"})


def test_another_method_is_told_the_allowed_ones() -> None:
    answer = ROUTER.handle(request("DELETE", "/handsets/1"))

    assert answer.status == 405
    assert answer.headers == {"Allow": "GET, PUT"}


@pytest.mark.parametrize(
    ("target", "path", "query"),
    [
        ("/a", "/a", {}),
        ("/a?b=1&b=2&c=", "/a", {"b": "2", "c": ""}),
        ("/a%20b?c=d%20e", "/a b", {"c": "d e"}),
        ("/a?b=c?d", "/a", {"b": "c?d"}),
        ("http://simulator:9009/a?b=1", "/a", {"b": "1"}),
        ("http://[/a", "/a", {}),
    ],
)
def test_a_target_is_a_path_and_a_query(target: str, path: str, query: dict[str, str]) -> None:
    asked = request(target=target)

    assert (asked.path, asked.query) == (path, query)


@pytest.mark.parametrize("body", [b'{"a": 1}', b'"{\\"a\\": 1}"', b' {"a":1} ', '{"a": 1}'.encode("utf-16")])
def test_a_json_object_is_read(body: bytes) -> None:
    assert request(body=body).json_object() == {"a": 1}


@pytest.mark.parametrize(
    ("body", "problem"),
    [
        (b"", "the body is not JSON"),
        (b"{", "the body is not JSON"),
        (b"\xff\xff\xff", "the body is not JSON"),
        (b'"text"', "the body is not JSON"),
        (b"[" * 100_000, "the body is not JSON"),
        (b"1" * 5000, "the body is not JSON"),
        (b"[]", "the body must be a JSON object"),
        (b"null", "the body must be a JSON object"),
        (b'"[]"', "the body must be a JSON object"),
    ],
    ids=lambda value: value[:20],
)
def test_anything_else_is_a_bad_request(body: bytes, problem: str) -> None:
    with pytest.raises(BadRequest, match=problem):
        request(body=body).json_object()
    assert request(body=body).json_object_or_empty() == {}


@pytest.mark.parametrize(("text", "number"), [("0", 0), ("007", 7), ("9" * 15, 10**15 - 1)])
def test_a_whole_number_is_read(text: str, number: int) -> None:
    assert whole_number(text) == number


@pytest.mark.parametrize("text", ["", "-1", "+1", " 1", "1.0", "1_0", "²", "٣", "x", "1" * 16, "1" * 5000])
def test_other_texts_are_no_whole_number(text: str) -> None:
    assert whole_number(text) is None


def test_answers_are_compact_ascii() -> None:
    answer = json_response({"text": "你好\ud800", "n": [1, 2]}, status=202, headers={"X": "y"})

    assert answer.body == b'{"text":"\\u4f60\\u597d\\ud800","n":[1,2]}'
    assert (answer.status, answer.headers, answer.answered) == (202, {"X": "y"}, True)


def test_html_is_utf_8() -> None:
    answer = html_response("<p>ä", status=503)

    assert (answer.status, answer.body, answer.content_type) == (
        503,
        "<p>ä".encode(),
        "text/html; charset=utf-8",
    )


def test_an_answer_is_cut_in_the_middle() -> None:
    whole = Response(status=201, body=b"12345", headers={"X": "y"})

    assert first_half(whole) == Response(status=201, body=b"12", headers={"X": "y"})


def test_no_answer_is_no_answer() -> None:
    assert not no_answer().answered
