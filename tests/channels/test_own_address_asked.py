"""Questions to our own address: what ends them, what is kept of those before, and what nobody is asked."""

from collections.abc import Iterator
from typing import Any

import httpx
import pytest
import respx

from channels import own_address
from channels.findings import Finding, Level, ok
from channels.provider import Question
from core import http, outgoing
from core.errors import CallFailed, CallProblem

ORIGIN = "https://93.184.216.34"  # public, and no name to be asked for
OK, WARN, FAIL = Level.OK, Level.WARN, Level.FAIL


@pytest.fixture
def client() -> Iterator[http.HttpClient]:
    client = http.HttpClient()
    yield client
    client.close()


@pytest.fixture
def own() -> Iterator[respx.Route]:
    with respx.mock(assert_all_called=False) as router:
        yield router.get(url__startswith=ORIGIN).respond(200, text="fine")


def ask(client: http.HttpClient, *paths: str, public_url: str = ORIGIN) -> list[tuple[Level, str]]:
    def questions(question: Question) -> Iterator[Finding]:
        for path in paths:
            status, text = question(path)
            yield ok(f"{path} {status} {text}")

    return [(item.level, item.text) for item in own_address.ask_with(public_url, client, questions)]


def test_each_question_is_answered_with_status_and_text(client: http.HttpClient, own: respx.Route) -> None:
    own.mock(side_effect=[httpx.Response(200, text="a"), httpx.Response(404, text="b")])

    assert ask(client, "/one", "/two?x=1") == [(OK, "/one 200 a"), (OK, "/two?x=1 404 b")]
    assert [call.request.url.raw_path for call in own.calls] == [b"/one", b"/two?x=1"]


def test_a_text_that_is_none_is_read_all_the_same(client: http.HttpClient, own: respx.Route) -> None:
    own.respond(200, content=b"\xff\x00ok")

    assert ask(client, "/") == [(OK, "/ 200 \ufffd\x00ok")]


@pytest.mark.parametrize(
    ("error", "detail"),
    [
        (httpx.ConnectError("refused"), "ConnectError"),
        (httpx.ConnectTimeout("late"), "ConnectTimeout"),
        (httpx.ReadTimeout("late"), "ReadTimeout"),
        (httpx.RemoteProtocolError("garbage"), "RemoteProtocolError"),
    ],
)
def test_a_question_without_an_answer_ends_them_and_keeps_what_was_found(
    error: httpx.TransportError, detail: str, client: http.HttpClient, own: respx.Route
) -> None:
    own.mock(side_effect=[httpx.Response(200, text="a"), error])

    assert ask(client, "/one", "/two", "/three") == [
        (OK, "/one 200 a"),
        (FAIL, f"{ORIGIN} cannot be reached: {detail}"),
    ]
    assert own.call_count == 2


def test_a_mistake_in_a_question_is_no_silent_address(client: http.HttpClient, own: respx.Route) -> None:
    """It must not be taken for a network that is down."""

    def broken(_question: Question) -> Iterator[Finding]:
        yield ok("well")
        raise LookupError("a mistake of ours")

    with pytest.raises(LookupError):
        list(own_address.ask_with(ORIGIN, client, broken))


def test_an_unset_address_is_one_warning_and_nobody_is_asked(
    client: http.HttpClient, own: respx.Route
) -> None:
    ((level, text),) = ask(client, "/", public_url="")

    assert (level, text.startswith("AUTHSVC_PUBLIC_URL is not set")) == (WARN, True)
    assert not own.called


@pytest.mark.parametrize("url", ["http://93.184.216.34", "ftp://93.184.216.34", "93.184.216.34", "HTTP://x"])
def test_in_production_what_is_not_https_is_not_asked(
    url: str, client: http.HttpClient, own: respx.Route, settings: Any
) -> None:
    settings.INSECURE_HTTP = False

    ((level, text),) = ask(client, "/", public_url=url)

    assert (level, text.startswith(f"{url} is not https")) == (FAIL, True)
    assert not own.called


def test_in_development_http_is_asked_after_its_warning(client: http.HttpClient, settings: Any) -> None:
    settings.INSECURE_HTTP = True
    with respx.mock:
        respx.get("http://127.0.0.1:8000/one").respond(200, text="a")
        found = ask(client, "/one", public_url="http://127.0.0.1:8000")

    assert [level for level, _ in found] == [WARN, OK]


def test_health_is_asked_under_another_path_where_one_is_named(
    client: http.HttpClient, own: respx.Route
) -> None:
    own.respond(503)

    (finding,) = own_address.findings(ORIGIN, client, path="/readyz")

    assert finding.text == "our own address answers /readyz with 503"
    assert own.calls.last.request.url.path == "/readyz"


@pytest.mark.parametrize("status", [201, 204, 302])
def test_only_a_plain_yes_is_healthy(status: int, client: http.HttpClient, own: respx.Route) -> None:
    own.respond(status)

    assert [item.level for item in own_address.findings(ORIGIN, client)] == [FAIL]


@pytest.mark.parametrize("name", ["certificate: self-signed certificate", "certificate: hostname mismatch"])
def test_a_certificate_is_named_with_its_host_alone(name: str) -> None:
    finding = own_address.unreachable(
        "https://login.acme.example:8443", CallFailed(CallProblem.UNREACHABLE, detail=name)
    )

    why = name.removeprefix("certificate: ")
    assert finding.text == f"the certificate of login.acme.example is not valid: {why}"


def test_a_word_about_certificates_elsewhere_is_no_certificate() -> None:
    error = CallFailed(CallProblem.UNREACHABLE, detail="no certificate: reset")

    assert "cannot be reached: no certificate: reset" in own_address.unreachable(ORIGIN, error).text


def test_a_refused_address_is_judged_before_its_detail() -> None:
    error = CallFailed(CallProblem.REFUSED, code=outgoing.NOT_PUBLIC, detail="certificate: x")

    assert own_address.unreachable(ORIGIN, error).level is WARN


def test_an_address_without_a_host_is_named_whole() -> None:
    error = CallFailed(CallProblem.REFUSED, code=outgoing.ODD_URL)

    assert own_address.unreachable("nonsense", error).text.startswith("whether nonsense can be reached")
