"""Reaching a host: its addresses, connections that are kept, a full pool, TLS. D11."""

import socket
import ssl
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import httpcore
import pytest
from pytest_django import Settings

from core import http as subject
from core.errors import CallFailed, CallProblem
from tests import tls as tls_of_tests
from tests.core.calls import LATE, post
from tests.core.wire import Wire, answer, answering, closed_port, serving


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
        raise httpcore.ConnectTimeout("timed out")

    monkeypatch.setattr(httpcore.SyncBackend, "connect_tcp", time_out)

    with pytest.raises(CallFailed) as caught:
        post(client, "http://127.0.0.1:9")

    assert caught.value.problem is CallProblem.UNREACHABLE


def test_all_addresses_of_a_host_share_one_limit(
    client: subject.HttpClient, monkeypatch: pytest.MonkeyPatch, settings: Settings
) -> None:
    """A host with eight dead addresses must not take eight times as long."""
    settings.AUTHSVC_OUTGOING_ALLOW = ["192.0.2.0/24"]
    tried: list[str] = []

    def time_out(_self: object, host: str, _port: int, timeout: float, *_args: object) -> None:
        tried.append(host)
        time.sleep(timeout)
        raise httpcore.ConnectTimeout("timed out")

    monkeypatch.setattr(subject, "_addresses", lambda _host, _port: [f"192.0.2.{n}" for n in range(8)])
    monkeypatch.setattr(httpcore.SyncBackend, "connect_tcp", time_out)
    began = time.monotonic()

    with pytest.raises(CallFailed):
        post(client, "http://many.example")

    assert time.monotonic() - began < LATE
    assert len(tried) > 1


def test_the_next_address_is_tried_when_one_is_dead(
    client: subject.HttpClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(subject, "_addresses", lambda _host, _port: ["::1", "127.0.0.1"])
    with serving(answering(200, {})) as server:
        assert post(client, server.url).status == 200


def test_a_host_without_addresses(client: subject.HttpClient, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(subject, "_addresses", lambda _host, _port: [])

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
    monkeypatch.setattr(subject, "_MAX_CONNECTIONS", 1)
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
    assert caught.value.problem is CallProblem.UNREACHABLE


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


def test_a_handshake_that_hangs_ends_with_its_limit(
    client: subject.HttpClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    began = time.monotonic()
    with serving(Wire.hang) as server, pytest.raises(CallFailed) as caught:  # it waits for a request in clear
        post(client, server.url.replace("http:", "https:"))

    assert time.monotonic() - began < LATE
    assert caught.value.problem is CallProblem.UNREACHABLE
