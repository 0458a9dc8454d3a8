"""Reaching a host: its addresses, connections that are kept, a full pool, TLS. D11."""

import contextlib
import os
import socket
import ssl
import threading
import time
import warnings
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from pytest_django import Settings

from core import connections
from core import http as subject
from core.errors import CallFailed, CallProblem
from tests import tls as tls_of_tests
from tests.core.calls import LATE, post
from tests.core.wire import Act, Wire, answer, answering, closed_port, serving
from tests.processes import until


def test_nobody_listens(client: subject.HttpClient) -> None:
    with pytest.raises(CallFailed) as caught:
        post(client, f"http://127.0.0.1:{closed_port()}")

    assert caught.value.problem is CallProblem.UNREACHABLE


def test_the_host_name_is_unknown(client: subject.HttpClient, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_args: object, **_kwargs: object) -> None:
        raise socket.gaierror(-2, "Name or service not known")

    monkeypatch.setattr(socket, "getaddrinfo", fail)

    with pytest.raises(CallFailed) as caught:
        post(client, "http://graph.example")

    assert caught.value.problem is CallProblem.UNREACHABLE


def test_the_connection_is_never_made(client: subject.HttpClient, monkeypatch: pytest.MonkeyPatch) -> None:
    def time_out(*_args: object, **_kwargs: object) -> None:
        raise TimeoutError("timed out")

    monkeypatch.setattr(socket, "create_connection", time_out)

    with pytest.raises(CallFailed) as caught:
        post(client, "http://127.0.0.1:9")

    assert caught.value.problem is CallProblem.UNREACHABLE


def test_all_addresses_of_a_host_share_one_limit(
    client: subject.HttpClient, monkeypatch: pytest.MonkeyPatch, settings: Settings
) -> None:
    """A host with eight dead addresses must not take eight times as long."""
    settings.AUTHSVC_OUTGOING_ALLOW = ["192.0.2.0/24"]
    tried: list[str] = []

    def time_out(address: tuple[str, int], timeout: float) -> None:
        tried.append(address[0])
        time.sleep(timeout)
        raise TimeoutError("timed out")

    monkeypatch.setattr(connections, "_addresses", lambda _host, _port: [f"192.0.2.{n}" for n in range(8)])
    monkeypatch.setattr(socket, "create_connection", time_out)
    began = time.monotonic()

    with pytest.raises(CallFailed):
        post(client, "http://many.example")

    assert time.monotonic() - began < LATE
    assert len(tried) > 1


def test_the_next_address_is_tried_when_one_is_dead(
    client: subject.HttpClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(connections, "_addresses", lambda _host, _port: ["::1", "127.0.0.1"])
    with serving(answering(200, {})) as server:
        assert post(client, server.url).status == 200


def test_a_host_without_addresses(client: subject.HttpClient, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(connections, "_addresses", lambda _host, _port: [])

    with pytest.raises(CallFailed):
        post(client, "http://none.example")


def test_connections_are_kept(client: subject.HttpClient) -> None:
    with serving(answering(200, {})) as server:
        for _ in range(5):
            post(client, server.url)

        assert (server.connections, len(server.requests)) == (1, 5)


def test_one_client_serves_many_threads() -> None:
    client = subject.HttpClient()
    with serving(lambda wire: wire.send(answer(200, {"n": 1}))) as server, ThreadPoolExecutor(16) as pool:
        got = list(pool.map(lambda _: post(client, server.url).json_object(), range(200)))
    client.close()

    assert got == [{"n": 1}] * 200
    assert len(server.requests) == 200


def test_a_full_pool_is_a_call_that_was_never_made(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(connections, "_MOST", 1)
    patient = subject.HttpClient(subject.Limits(connect=0.1, call=1.0))
    with serving(Wire.hang) as server, ThreadPoolExecutor(1) as pool:
        first = pool.submit(post, patient, server.url)
        deadline = time.monotonic() + 5
        while not server.requests and time.monotonic() < deadline:
            time.sleep(0.005)

        with pytest.raises(CallFailed) as caught:
            post(patient, server.url)

        assert isinstance(first.exception(), subject.AnswerLost)
    patient.close()
    assert (caught.value.problem, caught.value.detail) == (CallProblem.UNREACHABLE, "AllInUse")


# Kept ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize("end", [Wire.close, Wire.reset], ids=["closed", "reset"])
def test_a_connection_that_the_server_has_closed_costs_no_answer(
    client: subject.HttpClient, end: Act
) -> None:
    """It is seen before anything is written, so the call goes out on a new one, once."""

    def act(wire: Wire) -> None:
        wire.send(answer(200, {}))
        end(wire)

    with serving(act) as server:
        for number in (1, 2, 3):
            assert post(client, server.url).status == 200
            until(lambda: _is_over(client), "the end of the connection")
            assert (server.connections, len(server.requests)) == (number, number)


def _is_over(client: subject.HttpClient) -> bool:
    return not any(connection.is_silent() for connection in client._pool._idle)


def test_bytes_that_nobody_asked_for_close_the_connection(client: subject.HttpClient) -> None:
    """They would be taken for the answer to the next request."""
    more = threading.Event()

    def act(wire: Wire) -> None:
        wire.send(answer(200, {"n": 1}))
        more.wait(2)
        wire.send(answer(200, {"n": "forged"}))

    with serving(act) as server:
        assert post(client, server.url).json_object() == {"n": 1}
        more.set()
        until(lambda: _is_over(client), "the second answer")

        assert post(client, server.url).json_object() == {"n": 1}
        assert server.connections == 2


def test_a_connection_is_not_kept_for_long(
    client: subject.HttpClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    with serving(answering(200, {})) as server:
        post(client, server.url)
        monkeypatch.setattr(connections, "_KEPT_SECONDS", 0)
        post(client, server.url)

        assert server.connections == 2
        assert len(client._pool._idle) == 1


def test_the_connection_that_was_idle_longest_goes_first(
    client: subject.HttpClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As many are kept as are allowed at once, whoever they are with."""
    monkeypatch.setattr(connections, "_MOST", 2)
    with contextlib.ExitStack() as stack:
        servers = [stack.enter_context(serving(answering(200, {}))) for _ in range(3)]
        for server in servers:
            post(client, server.url)
        for server in reversed(servers):
            post(client, server.url)

        assert [server.connections for server in servers] == [2, 1, 1]


def test_each_origin_has_connections_of_its_own(client: subject.HttpClient) -> None:
    with serving(answering(200, {"n": 1})) as one, serving(answering(200, {"n": 2})) as two:
        for server, number in ((one, 1), (two, 2), (one, 1), (two, 2)):
            assert post(client, server.url).json_object() == {"n": number}
        by_name = one.url.replace("127.0.0.1", "localhost")
        assert post(client, by_name).json_object() == {"n": 1}

        assert (one.connections, two.connections) == (2, 1)


def test_a_client_that_is_closed_keeps_nothing(client: subject.HttpClient) -> None:
    with serving(answering(200, {})) as server:
        post(client, server.url)
        client.close()
        assert post(client, server.url).status == 200

        assert server.connections == 2


def test_a_call_that_fails_leaves_its_turn_to_others(
    monkeypatch: pytest.MonkeyPatch, settings: Settings
) -> None:
    """However a call ends, the next one gets its place."""
    monkeypatch.setattr(connections, "_MOST", 1)
    client = subject.HttpClient(subject.Limits(connect=0.3, call=0.3))
    settings.AUTHSVC_OUTGOING_ALLOW = ["127.0.0.0/8"]
    with serving(Wire.hang) as hanging, serving(Wire.close) as closing, serving(answering(200, {})) as server:
        for url, error in (
            (f"http://127.0.0.1:{closed_port()}", CallFailed),
            ("http://169.254.169.254/", CallFailed),
            (f"http://{'a' * 70}.example/", CallFailed),
            (hanging.url.replace("http:", "https:"), CallFailed),
            (hanging.url, subject.AnswerLost),
            (closing.url, subject.AnswerLost),
        ):
            with pytest.raises(error):
                post(client, url)
            assert post(client, server.url).status == 200
    client.close()


def test_a_forked_process_has_connections_of_its_own(
    tls: ssl.SSLContext, certificate: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """And what it does with its copy of ours leaves ours alone, the keys of TLS included."""
    monkeypatch.setenv("SSL_CERT_FILE", str(certificate))
    ours = subject.shared()
    ours.close()
    with serving(answering(200, {"n": 1}), tls) as server:
        post(ours, server.url)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of other threads, which the child does not touch
            child = os.fork()
        if not child:
            status = 1
            try:
                ours.close()
                status = int(subject.shared() is ours or not post(subject.shared(), server.url).is_taken)
            finally:
                os._exit(status)
        assert os.waitpid(child, 0)[1] == 0

        assert subject.shared() is ours
        assert post(ours, server.url).json_object() == {"n": 1}
        assert server.connections == 2
    ours.close()


# TLS ------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tls_of_tests.certificate(tmp_path_factory.mktemp("tls"))


@pytest.fixture
def tls(certificate: Path) -> ssl.SSLContext:
    return tls_of_tests.server_context(certificate)


def test_tls_with_a_trusted_certificate(
    tls: ssl.SSLContext, certificate: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", str(certificate))
    trusting = subject.HttpClient(subject.Limits(connect=2, call=2))
    with serving(answering(200, {"n": 1}), tls) as server:
        assert [post(trusting, server.url).json_object() for _ in range(3)] == [{"n": 1}] * 3
        assert server.connections == 1
    trusting.close()


def test_an_untrusted_certificate_gets_no_request(tls: ssl.SSLContext) -> None:
    wary = subject.HttpClient(subject.Limits(connect=2, call=2))
    with serving(answering(200, {}), tls) as server:
        with pytest.raises(CallFailed) as caught:
            post(wary, server.url)

        assert server.requests == []
    wary.close()
    assert caught.value.problem is CallProblem.UNREACHABLE
    assert caught.value.detail == "certificate: self-signed certificate"


def test_a_certificate_of_another_host_gets_no_request(
    tls: ssl.SSLContext, certificate: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", str(certificate))
    monkeypatch.setattr(connections, "_addresses", lambda _host, _port: ["127.0.0.1"])
    wary = subject.HttpClient(subject.Limits(connect=2, call=2))
    with serving(answering(200, {}), tls) as server:
        with pytest.raises(CallFailed) as caught:
            post(wary, server.url.replace("127.0.0.1", "graph.example"))

        assert server.requests == []
    wary.close()
    assert caught.value.detail.startswith("certificate: Hostname mismatch")


def test_the_server_is_told_which_host_is_meant(
    tls: ssl.SSLContext, certificate: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Servers of many names choose their certificate by it."""
    named: list[str | None] = []
    tls.sni_callback = lambda _sock, name, _context: named.append(name)
    monkeypatch.setenv("SSL_CERT_FILE", str(certificate))
    trusting = subject.HttpClient(subject.Limits(connect=2, call=2))
    with serving(answering(200, {}), tls) as server:
        post(trusting, server.url.replace("127.0.0.1", "localhost"))
    trusting.close()

    assert named == ["localhost"]


def test_authorities_come_from_where_the_environment_says(
    certificate: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.delenv("SSL_CERT_FILE", raising=False)
    monkeypatch.delenv("SSL_CERT_DIR", raising=False)
    usual = connections._tls()
    monkeypatch.setenv("SSL_CERT_DIR", str(tmp_path))
    empty = connections._tls()
    monkeypatch.setenv("SSL_CERT_FILE", str(certificate))
    named = connections._tls()

    assert (len(usual.get_ca_certs()) > 50, empty.get_ca_certs(), len(named.get_ca_certs())) == (True, [], 1)
    assert connections._tls() is named
    for context in (usual, empty, named):
        assert context.verify_mode is ssl.CERT_REQUIRED
        assert context.check_hostname


def test_a_large_answer_comes_in_many_records(
    tls: ssl.SSLContext, certificate: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", str(certificate))
    trusting = subject.HttpClient(subject.Limits(connect=2, call=2, answer_bytes=300_000))
    with serving(answering(200, b"x" * 250_000), tls) as server:
        assert [len(post(trusting, server.url).body) for _ in range(2)] == [250_000] * 2
        assert server.connections == 1
    trusting.close()


@pytest.mark.parametrize("more", [b"x", b"x" * 100_000])
def test_over_tls_too_bytes_that_nobody_asked_for_close_the_connection(
    more: bytes, tls: ssl.SSLContext, certificate: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Also those that wait, deciphered, between the socket and us."""
    monkeypatch.setenv("SSL_CERT_FILE", str(certificate))
    trusting = subject.HttpClient(subject.Limits(connect=2, call=2))
    with serving(lambda wire: wire.send(answer(200, {"n": 1}) + more), tls) as server:
        assert [post(trusting, server.url).json_object() for _ in range(2)] == [{"n": 1}] * 2
        assert server.connections == 2
    trusting.close()


def test_a_handshake_that_hangs_ends_with_its_limit(
    client: subject.HttpClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    began = time.monotonic()
    with serving(Wire.hang) as server, pytest.raises(CallFailed) as caught:  # it waits for a request in clear
        post(client, server.url.replace("http:", "https:"))

    assert time.monotonic() - began < LATE
    assert caught.value.problem is CallProblem.UNREACHABLE
