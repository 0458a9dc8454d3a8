"""The HTTP gateway's address: what may be stored, what the check says of what is, and what is called all the same."""

from collections.abc import Iterator
from typing import Any

import pytest
import respx
from pytest_django import Settings

from channels.errors import SendError
from channels.findings import Level
from channels.providers.gateway import GATEWAY, GatewayBackend, signature
from channels.types import FailureReason
from core import http
from tests.channels import support

OK, WARN, FAIL = Level.OK, Level.WARN, Level.FAIL
URL = "https://gateway.example/messages"


@pytest.fixture
def client() -> Iterator[http.HttpClient]:
    client = http.HttpClient()
    yield client
    client.close()


def problem(url: object) -> str:
    return dict(GATEWAY.problems({"url": url, "signing_secret": "secret"})).get("url", "")


@pytest.mark.parametrize(
    ("url", "word"),
    [
        (URL, ""),
        ("https://gateway.example:8443/a/b?c=d", ""),
        ("https://93.184.216.34/send", ""),
        ("gateway.example/send", "is not an address"),
        ("https://", "is not an address"),
        ("https://[::1", "is not an address"),
        ("ftp://gateway.example/", "must be https"),
        ("javascript:alert(1)", "must be https"),
        ("https://user:password@gateway.example/", "must not have a user name"),
        ("https://gateway.example/#x", "must not have a fragment"),
        ("https://gateway.example/a b", "is not an address"),
        ("https://gateway.example/\r\nX: y", "is not an address"),
        ("https://10.0.0.7/send", "must be a public address"),
        ("https://169.254.169.254/latest", "must be a public address"),
        ("https://metadata.google.internal/", "must be a public address"),
        ("https://[fd00::1]/", "must be a public address"),
        ("https://0x7f.1/", "must have a host name"),
        ("https://" + "a" * 500 + ".example/", "must have at most 500 characters"),
    ],
)
def test_what_may_be_stored(url: str, word: str, settings: Settings) -> None:
    settings.AUTHSVC_OUTGOING_ALLOW = []

    sentence = problem(url)

    assert sentence.startswith(word) if word else sentence == ""


@pytest.mark.parametrize(
    ("url", "levels"),
    [
        (URL, [OK]),
        ("http://gateway.example/", [WARN, OK]),
        ("https://10.0.0.7/", [FAIL, OK]),
        ("http://10.0.0.7/", [FAIL, WARN, OK]),
        ("https://u:p@gateway.example/", [FAIL, OK]),
        ("", [FAIL, WARN, OK]),
        ("nonsense", [FAIL, WARN, OK]),
    ],
)
def test_the_check_of_what_is_stored(url: str, levels: list[Level], client: http.HttpClient) -> None:
    """Rows may be older than the rules. Nothing is called: any call would be a message."""
    with respx.mock:
        findings = list(GATEWAY.check(support.gateway_sender(url=url), "", client))

    assert [item.level for item in findings] == levels
    assert all(bool(item.remedy) is (item.level is not OK) for item in findings)


@pytest.mark.parametrize(
    ("url", "code"),
    [("https://u:p@gateway.example/", "odd-url"), ("nonsense", "odd-url"), ("file:///etc/passwd", "odd-url")],
)
def test_an_address_that_nobody_may_call_is_called_by_no_message(
    url: str, code: str, client: http.HttpClient
) -> None:
    with respx.mock, pytest.raises(SendError) as caught:
        GatewayBackend(client).send(support.message(), support.gateway_sender(url=url))

    assert (caught.value.reason, caught.value.provider_code) == (FailureReason.MISCONFIGURED, code)
    assert url not in str(caught.value)


def test_a_redirect_is_not_followed(client: http.HttpClient) -> None:
    """It could lead a signed message with a code in it anywhere."""
    with respx.mock:
        route = respx.post(URL).respond(307, headers={"Location": "https://elsewhere.example/"})
        with pytest.raises(SendError) as caught:
            GatewayBackend(client).send(support.message(), support.gateway_sender(url=URL))

    assert route.call_count == 1
    assert (caught.value.reason, caught.value.provider_code) == (FailureReason.MISCONFIGURED, "http-307")


@pytest.mark.parametrize(
    "text",
    ["482913 is your code", "482913 код для Acme", "482913 😀\n\n@a.io #482913", '"quoted" \\ \t', "\ud83d"],
    ids=ascii,
)
def test_the_signature_covers_the_very_bytes_that_are_sent(text: str, client: http.HttpClient) -> None:
    with respx.mock:
        route = respx.post(URL).respond(202)
        GatewayBackend(client).send(support.message(text=text), support.gateway_sender(url=URL))
        request = route.calls.last.request

    at = int(request.headers["x-authsvc-signature"].partition(",")[0].removeprefix("t="))
    assert request.headers["x-authsvc-signature"] == signature(
        "signing-secret-of-acme", request.content, at=at
    )
    assert support.json_of(b"\r\n\r\n" + request.content)["text"] == text


def test_another_secret_body_or_time_is_another_signature() -> None:
    known = signature("secret", b"{}", at=1_795_428_012)
    others = [
        signature("secret2", b"{}", at=1_795_428_012),
        signature("secret", b"{ }", at=1_795_428_012),
        signature("secret", b"{}", at=1_795_428_013),
    ]

    assert len({item.partition("v1=")[2] for item in [known, *others]}) == 4
    assert signature("secret", b"{}", at=1_795_428_012) == known


def test_each_copy_of_one_message_names_the_same_delivery(client: http.HttpClient) -> None:
    """A gateway can tell them apart from a second message."""
    sender: Any = support.gateway_sender(url=URL)
    with respx.mock:
        route = respx.post(URL).respond(500)
        for _ in range(2):
            with pytest.raises(SendError):
                GatewayBackend(client).send(support.message(), sender)
        ids = [support.json_of(b"\r\n\r\n" + call.request.content)["id"] for call in route.calls]

    assert ids == [str(support.DELIVERY_ID)] * 2
