"""One call to a provider: bounded in time and size, made once, followed nowhere. D11, D15."""

import socket
import ssl
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from ipaddress import IPv4Address
from pathlib import Path

import httpcore
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from channels import http as subject
from channels.errors import SendError
from channels.types import FailureReason
from tests.channels.wire import QUICK, Act, Wire, answer, answering, closed_port, half_answer, serving

HEADERS = {"Authorization": "Bearer a-secret-token", "Content-Type": "application/json"}
LATE = 2.0  # far above QUICK, far below a wait that has no limit


@pytest.fixture
def client() -> Iterator[subject.HttpClient]:
    client = subject.HttpClient(QUICK)
    yield client
    client.close()


def post(client: subject.HttpClient, url: str) -> subject.Answer:
    return client.post(url, content=b'{"a": 1}', headers=HEADERS)


def test_an_answer_comes_back_whatever_its_status(client: subject.HttpClient) -> None:
    with serving(answering(418, {"tea": True})) as server:
        got = post(client, server.url + "/v1/messages")

    assert (got.status, got.json_object()) == (418, {"tea": True})
    assert server.requests[0].startswith(b"POST /v1/messages HTTP/1.1\r\n")
    assert server.requests[0].endswith(b'\r\n\r\n{"a": 1}')


def test_nobody_listens(client: subject.HttpClient) -> None:
    with pytest.raises(SendError) as caught:
        post(client, f"http://127.0.0.1:{closed_port()}")

    assert caught.value.reason is FailureReason.UNAVAILABLE


def test_the_host_name_is_unknown(client: subject.HttpClient, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_args: object, **_kwargs: object) -> None:
        raise socket.gaierror(-2, "Name or service not known")

    monkeypatch.setattr(socket, "getaddrinfo", fail)

    with pytest.raises(SendError) as caught:
        post(client, "http://graph.example")

    assert caught.value.reason is FailureReason.UNAVAILABLE


def test_the_connection_is_never_made(client: subject.HttpClient, monkeypatch: pytest.MonkeyPatch) -> None:
    def time_out(*_args: object, **_kwargs: object) -> None:
        raise httpcore.ConnectTimeout("timed out")

    monkeypatch.setattr(httpcore.SyncBackend, "connect_tcp", time_out)

    with pytest.raises(SendError) as caught:
        post(client, "http://127.0.0.1:9")

    assert caught.value.reason is FailureReason.UNAVAILABLE


def test_all_addresses_of_a_host_share_one_limit(
    client: subject.HttpClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A host with eight dead addresses must not take eight times as long."""
    tried: list[str] = []

    def time_out(_self: object, host: str, _port: int, timeout: float, *_args: object) -> None:
        tried.append(host)
        time.sleep(timeout)
        raise httpcore.ConnectTimeout("timed out")

    monkeypatch.setattr(subject, "_addresses", lambda _host, _port: [f"192.0.2.{n}" for n in range(8)])
    monkeypatch.setattr(httpcore.SyncBackend, "connect_tcp", time_out)
    began = time.monotonic()

    with pytest.raises(SendError):
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

    with pytest.raises(SendError):
        post(client, "http://none.example")


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

        with pytest.raises(SendError) as caught:
            post(patient, server.url)

        assert isinstance(first.exception(), subject.AnswerLost)
    patient.close()
    assert caught.value.reason is FailureReason.UNAVAILABLE


@pytest.mark.parametrize(
    ("url", "token"),
    [
        ("graph.example/v1", "token"),
        ("ftp://graph.example", "token"),
        ("http://", "token"),
        ("http://[::1", "token"),
        ("http://127.0.0.1:9", "to\r\nken"),
        ("http://127.0.0.1:9", "tök€n"),
    ],
)
def test_what_cannot_be_put_on_the_wire_is_a_configuration_error(
    client: subject.HttpClient, url: str, token: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    with serving(answering(200, {})) as server:
        target = server.url if url.endswith(":9") else url
        with pytest.raises(SendError) as caught:
            client.post(target, content=b"", headers={"Authorization": token})

    assert caught.value.reason is FailureReason.MISCONFIGURED
    assert server.requests == []


@pytest.mark.parametrize(
    ("status", "reason"),
    [
        (301, FailureReason.MISCONFIGURED),
        (307, FailureReason.MISCONFIGURED),
        (400, FailureReason.UNKNOWN),
        (401, FailureReason.MISCONFIGURED),
        (403, FailureReason.MISCONFIGURED),
        (404, FailureReason.UNKNOWN),
        (429, FailureReason.RATE_LIMITED),
        (500, FailureReason.UNAVAILABLE),
        (502, FailureReason.UNAVAILABLE),
        (503, FailureReason.UNAVAILABLE),
        (504, FailureReason.UNAVAILABLE),
    ],
)
def test_what_a_bare_status_means(status: int, reason: FailureReason) -> None:
    assert subject.Answer(status=status, body=b"").status_reason is reason


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


# TLS ------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A certificate for this machine that nobody vouches for, with its key."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "loopback")])
    now = datetime.now(UTC)
    address = x509.IPAddress(IPv4Address("127.0.0.1"))
    made = (
        x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([address]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    path = tmp_path_factory.mktemp("tls") / "loopback.pem"
    pkcs8, plain = serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    pem = serialization.Encoding.PEM
    path.write_bytes(key.private_bytes(pem, pkcs8, plain) + made.public_bytes(pem))
    return path


@pytest.fixture
def tls(certificate: Path) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)
    return context


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
        with pytest.raises(SendError) as caught:
            post(wary, server.url)

        assert server.requests == []
    wary.close()
    assert caught.value.reason is FailureReason.UNAVAILABLE


def test_a_handshake_that_hangs_ends_with_its_limit(
    client: subject.HttpClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    began = time.monotonic()
    with serving(Wire.hang) as server, pytest.raises(SendError) as caught:  # it waits for a request in clear
        post(client, server.url.replace("http:", "https:"))

    assert time.monotonic() - began < LATE
    assert caught.value.reason is FailureReason.UNAVAILABLE
