"""One call to a provider: bounded in time and size, made once, followed nowhere. D11, D15."""

import time

import pytest

from core import http as subject
from core.errors import CallFailed, CallProblem
from tests.core.calls import LATE, post
from tests.core.wire import QUICK, Act, Wire, answer, answering, closed_port, half_answer, serving


def test_an_answer_comes_back_whatever_its_status(client: subject.HttpClient) -> None:
    with serving(answering(418, {"tea": True})) as server:
        got = post(client, server.url + "/v1/messages")

    assert (got.status, got.json_object()) == (418, {"tea": True})
    assert server.requests[0].startswith(b"POST /v1/messages HTTP/1.1\r\n")
    assert server.requests[0].endswith(b'\r\n\r\n{"a": 1}')


@pytest.mark.parametrize("end", [Wire.close, Wire.reset, Wire.hang], ids=["closed", "reset", "hanging"])
def test_an_answer_that_does_not_come_is_lost_not_refused(client: subject.HttpClient, end: Act) -> None:
    """D11: the request was written, so it may have been acted upon, and it is not repeated."""
    began = time.monotonic()
    with serving(end) as server, pytest.raises(subject.AnswerLost):
        post(client, server.url)

    assert len(server.requests) == 1
    assert time.monotonic() - began < LATE


def test_dripped_headers_end_with_the_call(client: subject.HttpClient) -> None:
    """Each read is quick; the whole call is not."""
    began = time.monotonic()
    with serving(lambda wire: wire.drip(answer(200, {}, headers="X-Slow: " + "z" * 200 + "\r\n"))) as server:
        with pytest.raises(subject.AnswerLost):
            post(client, server.url)

        assert time.monotonic() - began < LATE


def test_a_dripped_body_ends_with_the_call_and_the_status_counts(client: subject.HttpClient) -> None:
    def act(wire: Wire) -> None:
        wire.send(b"HTTP/1.1 500 Oops\r\nContent-Length: 500\r\n\r\n")
        wire.drip(b"x" * 500)

    began = time.monotonic()
    with serving(act) as server:
        got = post(client, server.url)

        assert time.monotonic() - began < LATE
    assert (got.status, got.json_object()) == (500, None)


def test_half_a_body_is_not_json(client: subject.HttpClient) -> None:
    with serving(half_answer) as server:
        got = post(client, server.url)

    assert (got.status, got.is_taken, got.json_object()) == (200, True, None)


def test_what_is_not_http_is_a_lost_answer(client: subject.HttpClient) -> None:
    with (
        serving(lambda wire: wire.send(b"220 smtp ready\r\n\r\n")) as server,
        pytest.raises(subject.AnswerLost),
    ):
        post(client, server.url)


def test_a_body_is_read_to_its_limit_and_no_further(client: subject.HttpClient) -> None:
    with serving(answering(200, b"[" * 300_000)) as server:
        got = post(client, server.url)

    assert len(got.body) == QUICK.answer_bytes
    assert got.json_object() is None


@pytest.mark.parametrize("body", [b"", b"null", b"[1]", b'"text"', b"{", b"\xff\xfe", b"[" * 60_000])
def test_what_is_no_json_object(body: bytes) -> None:
    assert subject.Answer(status=200, body=body).json_object() is None


def test_a_redirect_leads_nowhere(client: subject.HttpClient) -> None:
    """D15: neither the token nor the code goes to an address that an answer names."""
    with serving(answering(200, {})) as elsewhere:
        with serving(answering(307, headers=f"Location: {elsewhere.url}/\r\n")) as server:
            got = post(client, server.url)

        assert got.status == 307
        assert elsewhere.requests == []


def test_proxies_of_the_environment_are_not_used(
    client: subject.HttpClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    """D15."""
    for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy"):
        monkeypatch.setenv(name, f"http://127.0.0.1:{closed_port()}")
    fresh = subject.HttpClient(QUICK)
    with serving(answering(200, {})) as server:
        assert post(fresh, server.url).status == 200
    fresh.close()


def test_senders_share_no_cookies(client: subject.HttpClient) -> None:
    with serving(answering(200, {}, headers="Set-Cookie: a=b; Path=/\r\n")) as server:
        post(client, server.url)
        post(client, server.url)

    assert b"cookie" not in server.requests[1].lower()


@pytest.mark.parametrize(
    ("url", "token", "problem"),
    [
        ("graph.example/v1", "token", CallProblem.REFUSED),
        ("ftp://graph.example", "token", CallProblem.REFUSED),
        ("http://", "token", CallProblem.REFUSED),
        ("http://[::1", "token", CallProblem.REFUSED),
        ("http://127.0.0.1:9", "to\r\nken", CallProblem.UNUSABLE),
        ("http://127.0.0.1:9", "tök€n", CallProblem.UNUSABLE),
    ],
)
def test_what_cannot_be_put_on_the_wire_is_never_sent(
    client: subject.HttpClient, url: str, token: str, problem: CallProblem
) -> None:
    with serving(answering(200, {})) as server:
        target = server.url if url.endswith(":9") else url
        with pytest.raises(CallFailed) as caught:
            client.post(target, content=b"", headers={"Authorization": token})

    assert caught.value.problem is problem
    assert server.requests == []


def test_a_process_has_one_client_and_a_forked_one_makes_its_own() -> None:
    assert subject.shared() is subject.shared()


def test_an_answer_is_not_shown_with_its_body() -> None:
    assert "secret" not in repr(subject.Answer(status=200, body=b"secret"))


def test_the_shared_limits_are_the_promised_ones() -> None:
    """D11: 2 seconds to connect, 5 for the whole call."""
    limits = subject.Limits()

    assert (limits.connect, limits.call, limits.answer_bytes) == (2.0, 5.0, 65536)


def test_the_deadline_belongs_to_its_call_alone(client: subject.HttpClient) -> None:
    """A call that ran out of time leaves nothing behind for the next on the same thread."""
    with serving(Wire.hang) as server, pytest.raises(subject.AnswerLost):
        post(client, server.url)
    with serving(answering(200, {})) as server:
        assert post(client, server.url).status == 200
