"""Requests as WSGI sees them."""

from collections.abc import Iterable
from typing import Any

import pytest

from ops.webserver import environ
from ops.webserver.environ import StartResponse, answer, build_environ
from tests.ops.webserver.support import Chunks, Exchange, Scope


def test_a_request_becomes_an_environ() -> None:
    scope = Scope(
        path="/lögin/",
        method="POST",
        pairs=[("host", "login.example"), ("content-type", "text/plain"), ("content-length", "999")],
        query_string="a=1&b=%20",
    )

    result = build_environ(scope, b"body")

    assert result["PATH_INFO"] == "/lögin/".encode().decode("latin-1")
    assert result["QUERY_STRING"] == "a=1&b=%20"
    assert result["REQUEST_METHOD"] == "POST"
    assert result["CONTENT_TYPE"] == "text/plain"
    assert result["CONTENT_LENGTH"] == "4"  # what was read, not what was announced
    assert result["wsgi.input"].read() == b"body"
    assert result["REMOTE_ADDR"] == "192.0.2.7"
    assert (result["SERVER_NAME"], result["SERVER_PORT"]) == ("127.0.0.1", "8000")
    assert result["HTTP_HOST"] == "login.example"
    assert "HTTP_CONTENT_LENGTH" not in result


def test_an_ipv6_peer_is_a_bare_address() -> None:
    result = build_environ(Scope(client="[2001:db8::1]:5123", server="[::1]:8000"), b"")

    assert (result["REMOTE_ADDR"], result["SERVER_NAME"]) == ("2001:db8::1", "::1")


@pytest.mark.parametrize(
    "name",
    ["x_forwarded_for", "x_forwarded_proto", "x-forwarded_for", "content_length", "content_type", "host_"],
)
def test_d3_a_header_with_an_underscore_never_arrives(name: str) -> None:
    scope = Scope(pairs=[("host", "a.example"), (name, "203.0.113.9"), ("x-forwarded-for", "198.51.100.1")])

    result = build_environ(scope, b"")

    assert "203.0.113.9" not in result.values()
    assert result["HTTP_X_FORWARDED_FOR"] == "198.51.100.1"


def test_repeated_headers_are_one_list_and_cookies_one_line() -> None:
    scope = Scope(
        pairs=[
            ("x-forwarded-for", "203.0.113.1"), ("x-forwarded-for", "198.51.100.1"),
            ("cookie", "a=1"), ("cookie", "b=2"),
        ]
    )  # fmt: skip

    result = build_environ(scope, b"")

    assert result["HTTP_X_FORWARDED_FOR"] == "203.0.113.1,198.51.100.1"
    assert result["HTTP_COOKIE"] == "a=1; b=2"


def test_an_absolute_request_line_outranks_the_host_header() -> None:
    scope = Scope(pairs=[("host", "login.example")], authority="evil.example")

    assert build_environ(scope, b"")["HTTP_HOST"] == "evil.example"


def test_names_of_headers_are_remembered_up_to_a_bound(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(environ, "_KEYS", {})

    for number in range(2000):
        build_environ(Scope(pairs=[(f"x-{number}", "v")]), b"")

    assert len(environ._KEYS) == 500


def _application(chunks: Chunks, status: str = "201 Created") -> environ.Application:
    def application(_environ: dict[str, Any], start_response: StartResponse) -> Iterable[bytes]:
        start_response(status, [("x-a", "b")])
        return chunks

    return application


def test_an_answer_is_given_whole_and_closed() -> None:
    chunks, exchange = Chunks([b"a", b"b"]), Exchange()

    answer(_application(chunks), Scope(), b"", exchange)

    assert (exchange.status, exchange.body, exchange.fields) == (201, b"ab", [("x-a", "b")])
    assert chunks.is_closed


def test_a_streamed_answer_is_given_in_chunks_and_closed() -> None:
    chunks, exchange = Chunks([b"a", b"b"], streaming=True), Exchange()

    answer(_application(chunks), Scope(), b"", exchange)

    assert (exchange.status, exchange.body) == (201, b"ab")
    assert chunks.is_closed


def test_what_breaks_is_closed_all_the_same() -> None:
    class Breaking(Chunks):
        def __iter__(self) -> Any:
            raise OSError("gone")

    chunks = Breaking([])

    with pytest.raises(OSError, match="gone"):
        answer(_application(chunks), Scope(), b"", Exchange())
    assert chunks.is_closed
