"""Our own public address, asked through the guard: what answers, what does not, and what cannot be known."""

from collections.abc import Iterator
from typing import Any

import pytest

from channels import own_address
from channels.findings import Finding, Level
from core import http, outgoing
from core.errors import CallFailed, CallProblem
from tests.core.wire import answering, closed_port, serving

OK, WARN, FAIL = Level.OK, Level.WARN, Level.FAIL


@pytest.fixture
def client() -> Iterator[http.HttpClient]:
    client = http.HttpClient(http.Limits(connect=2, call=2))
    yield client
    client.close()


def lines(findings: list[Finding]) -> list[tuple[Level, str]]:
    assert all(item.remedy for item in findings)
    return [(item.level, item.text) for item in findings]


def test_an_address_that_answers_needs_no_words(client: http.HttpClient) -> None:
    with serving(answering(200, {})) as server:
        found = lines(list(own_address.findings(server.url, client)))

    assert [level for level, text in found if "not https" not in text] == []


def test_http_is_a_warning_in_development_only(client: http.HttpClient, settings: Any) -> None:
    with serving(answering(200, {})) as server:
        assert lines(list(own_address.findings(server.url, client)))[0][0] is WARN
        settings.INSECURE_HTTP = False
        ((level, text),) = lines(list(own_address.findings(server.url, client)))

    assert (level, "is not https" in text) == (FAIL, True)


@pytest.mark.parametrize("status", [301, 403, 404, 500])
def test_what_is_in_front_of_us(status: int, client: http.HttpClient) -> None:
    with serving(answering(status, {})) as server:
        found = lines(list(own_address.findings(server.url, client)))

    assert (FAIL, f"our own address answers /healthz with {status}") in found


def test_nobody_listens(client: http.HttpClient) -> None:
    url = f"https://127.0.0.1:{closed_port()}"

    assert lines(list(own_address.findings(url, client))) == [
        (FAIL, f"{url} cannot be reached: ConnectionRefusedError")
    ]


def test_no_address_is_set(client: http.HttpClient) -> None:
    ((level, text),) = lines(list(own_address.findings("", client)))

    assert (level, "AUTHSVC_PUBLIC_URL is not set" in text) == (WARN, True)


@pytest.mark.parametrize("url", ["https://10.1.2.3", "https://192.168.0.1:8443", "https://[fd00::1]"])
def test_an_address_of_the_inside_is_not_judged(url: str, client: http.HttpClient, settings: Any) -> None:
    settings.AUTHSVC_OUTGOING_ALLOW = ()
    ((level, text),) = lines(list(own_address.findings(url, client)))

    assert (level, "is not known" in text) == (WARN, True)


@pytest.mark.parametrize(
    ("error", "level", "words"),
    [
        (
            CallFailed(CallProblem.UNREACHABLE, detail="certificate: certificate has expired"),
            FAIL,
            "has expired",
        ),
        (
            CallFailed(CallProblem.UNREACHABLE, detail="TimeoutError"),
            FAIL,
            "cannot be reached: TimeoutError",
        ),
        (outgoing.Refused(outgoing.NOT_PUBLIC), WARN, "is not known"),
        (outgoing.Refused(outgoing.ODD_URL), WARN, "is not known"),
    ],
)
def test_each_reason_has_its_words(error: CallFailed, level: Level, words: str) -> None:
    finding = own_address.unreachable("https://login.acme.example", error)

    assert (finding.level, words in finding.text, bool(finding.remedy)) == (level, True, True)
