"""What is written to another server, and what never is. D15."""

import math
import time
from collections.abc import Mapping

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core import http as subject
from core.connections import Origin
from core.errors import CallFailed, CallProblem
from tests.core.calls import post
from tests.core.wire import Server, Wire, answering, serving

PLAIN = (
    b"Connection: keep-alive",
    b"Accept: application/json",
    b"Accept-Encoding: identity",
    b"User-Agent: authsvc",
)


def asked(server: Server) -> tuple[bytes, set[bytes], bytes]:
    """First line, header lines and body of the last request."""
    head, _, body = server.requests[-1].partition(b"\r\n\r\n")
    first, *lines = head.split(b"\r\n")
    assert len(lines) == len(set(lines))
    return first, set(lines), body


def test_a_post(client: subject.HttpClient) -> None:
    with serving(answering(200, {})) as server:
        client.post(f"{server.url}/v1/messages?a=b%20c", content=b"x=1", headers={"X-One": "1"})

        host = b"Host: " + server.url.removeprefix("http://").encode()
        assert asked(server) == (
            b"POST /v1/messages?a=b%20c HTTP/1.1",
            {host, *PLAIN, b"Content-Length: 3", b"X-One: 1"},
            b"x=1",
        )


def test_a_get_has_no_body(client: subject.HttpClient) -> None:
    with serving(answering(200, {})) as server:
        client.get(f"{server.url}?page=2#part", headers={})

        first, lines, body = asked(server)
    assert (first, body) == (b"GET /?page=2 HTTP/1.1", b"")
    assert not any(line.startswith(b"Content-Length") for line in lines)


def test_a_post_without_content_says_so(client: subject.HttpClient) -> None:
    with serving(answering(200, {})) as server:
        client.post(server.url, content=b"", headers={})

        assert b"Content-Length: 0" in asked(server)[1]


def test_the_callers_header_replaces_ours(client: subject.HttpClient) -> None:
    """Twilio's SDK says who it is."""
    with serving(answering(200, {})) as server:
        client.post(server.url, content=b"", headers={"user-agent": "twilio-python", "ACCEPT": "text/plain"})

        _, lines, _ = asked(server)
    assert {b"user-agent: twilio-python", b"ACCEPT: text/plain"} < lines
    assert not lines & {b"User-Agent: authsvc", b"Accept: application/json"}


@pytest.mark.parametrize(
    ("url", "origin", "host", "target"),
    [
        ("https://Graph.Example/v1", ("https", "graph.example", 443), "graph.example", "/v1"),
        ("https://graph.example:443", ("https", "graph.example", 443), "graph.example", "/"),
        ("https://graph.example:8443/?", ("https", "graph.example", 8443), "graph.example:8443", "/"),
        ("http://graph.example:443/", ("http", "graph.example", 443), "graph.example:443", "/"),
        ("http://[::1]:80/a", ("http", "::1", 80), "[::1]", "/a"),
        ("http://[2001:DB8::1]:81/a", ("http", "2001:db8::1", 81), "[2001:db8::1]:81", "/a"),
        ("https://xn--bcher-kva.example/%C3%BC", ("https", "xn--bcher-kva.example", 443),
         "xn--bcher-kva.example", "/%C3%BC"),
    ],
)  # fmt: skip
def test_whom_a_url_names(url: str, origin: tuple[str, str, int], host: str, target: str) -> None:
    assert subject._parts(url) == (Origin(*origin), host, target)


def test_an_address_of_version_6_is_called(client: subject.HttpClient) -> None:
    with serving(answering(200, {"n": 6}), host="::1") as server:
        assert post(client, server.url).json_object() == {"n": 6}
        assert b"Host: " + server.url.removeprefix("http://").encode() in asked(server)[1]


@pytest.mark.parametrize(
    "headers",
    [
        {"A": "b\r\nX-Injected: c"},
        {"A": "b\nc"},
        {"A": "b\rc"},
        {"A": "b\r\n folded"},
        {"A": "b\0c"},
        {"A": "b\x7f"},
        {"A": "naïve"},
        {"A": " b"},
        {"A": "b "},
        {"": "b"},
        {"A B": "c"},
        {"A:": "c"},
        {"A\r\nB": "c"},
        {"Ä": "c"},
        {"Host": "elsewhere.example"},
        {"content-length": "3"},
        {"Transfer-Encoding": "chunked"},
        {"Connection": "close"},
    ],
)
def test_a_header_that_would_be_read_as_something_else_is_not_sent(
    headers: Mapping[str, str], client: subject.HttpClient
) -> None:
    with serving(answering(200, {})) as server:
        with pytest.raises(CallFailed) as caught:
            client.post(server.url, content=b"", headers=headers)

        assert server.connections == 0
    assert caught.value.problem is CallProblem.UNUSABLE
    assert (
        caught.value.detail == "a header that cannot be sent"
    )  # and not what it holds, which may be a token


@given(name=st.text(max_size=8), value=st.text(max_size=20), content=st.binary(max_size=20))
def test_any_header_is_one_line_or_nothing(name: str, value: str, content: bytes) -> None:
    try:
        request = subject._request("POST", "/", "x.example", {name: value}, content)
    except CallFailed:
        return
    head, _, body = request.partition(b"\r\n\r\n")

    assert body == content
    assert head.count(b"\r\n") == head.count(b"\n") == head.count(b"\r")
    assert f"{name}: {value}".encode("ascii") in head.split(b"\r\n")


def test_a_host_with_a_label_that_is_too_long_is_not_looked_up(client: subject.HttpClient) -> None:
    with pytest.raises(CallFailed) as caught:
        post(client, f"https://{'a' * 70}.example/")

    assert caught.value.problem is CallProblem.UNUSABLE


# When -----------------------------------------------------------------------------------------------


def test_a_call_ends_when_its_caller_must_go_on() -> None:
    client = subject.HttpClient(subject.Limits(connect=2, call=20))
    began = time.monotonic()
    with serving(Wire.hang) as server, pytest.raises(subject.AnswerLost):
        client.post(server.url, content=b"", headers={}, until=began + 0.2)

    client.close()
    assert 0.2 <= time.monotonic() - began < 1.5


@pytest.mark.parametrize("is_kept", [False, True])
@pytest.mark.parametrize("until", [0.0, -math.inf])
def test_a_call_whose_time_is_over_is_not_made(
    until: float, is_kept: bool, client: subject.HttpClient
) -> None:
    """Nothing was written, so nobody need fear that it was acted upon."""
    with serving(answering(200, {})) as server:
        if is_kept:
            post(client, server.url)
        with pytest.raises(CallFailed) as caught:
            client.post(server.url, content=b"", headers={}, until=until)

        assert len(server.requests) == int(is_kept)
        assert post(client, server.url).status == 200
    assert caught.value.problem is CallProblem.UNREACHABLE
