"""S4: what this service calls: public addresses only, and exactly those that were checked."""

import socket
from collections.abc import Iterator
from typing import Any

import pytest
from pytest_django import Settings

from core import http, outgoing
from core.errors import CallFailed, CallProblem
from core.outbox import post as post_event
from tests.core.calls import PUBLIC
from tests.core.wire import answering, serving


@pytest.fixture
def client() -> Iterator[http.HttpClient]:
    client = http.HttpClient(http.Limits(connect=10, call=10))  # a busy machine is no refusal
    yield client
    client.close()


class _Names:
    """The resolver, at the edge: what names lead to, and how often it was asked."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.asked: list[str] = []
        self.table: dict[str, list[list[str]]] = {}
        real = socket.getaddrinfo

        def look_up(host: Any, port: Any, *args: Any, **kwargs: Any) -> Any:
            if host not in self.table:
                return real(host, port, *args, **kwargs)
            self.asked.append(host)
            answers = self.table[host]
            found = answers.pop(0) if len(answers) > 1 else answers[0]
            return [(2, 1, 6, "", (address, port)) for address in found]

        monkeypatch.setattr(socket, "getaddrinfo", look_up)


@pytest.fixture
def names(monkeypatch: pytest.MonkeyPatch) -> _Names:
    return _Names(monkeypatch)


def call(client: http.HttpClient, url: str) -> http.Answer:
    return client.post(url, content=b"{}", headers={})


@pytest.mark.parametrize(
    "inside",
    ["127.0.0.1", "169.254.169.254", "10.0.0.1", "::1", "::ffff:127.0.0.1", "64:ff9b::7f00:1", "0.0.0.0"],
)
def test_a_name_that_leads_inside_is_not_called(
    inside: str, client: http.HttpClient, names: _Names, settings: Settings
) -> None:
    """S4: not one byte arrives, and the error says which rule and not what is there."""
    settings.AUTHSVC_OUTGOING_ALLOW = []
    names.table["hooks.example.com"] = [[inside]]
    with serving(answering(200, {})) as server:
        with pytest.raises(outgoing.Refused) as caught:
            call(client, server.url.replace("127.0.0.1", "hooks.example.com"))

        assert server.requests == []
        assert server.connections == 0
    assert caught.value.problem is CallProblem.REFUSED
    assert caught.value.code == "not-public"
    assert "AUTHSVC_OUTGOING_ALLOW" in str(caught.value)
    assert inside not in str(caught.value)


def test_the_address_that_was_checked_is_the_one_that_is_called(
    client: http.HttpClient, names: _Names, monkeypatch: pytest.MonkeyPatch, settings: Settings
) -> None:
    """S4: a name that is public first and inside a moment later (DNS rebinding) is asked once."""
    settings.AUTHSVC_OUTGOING_ALLOW = []
    names.table["rebind.example.com"] = [[PUBLIC], ["127.0.0.1"]]
    called: list[str] = []

    def connect(address: tuple[str, int], *_args: object) -> None:
        called.append(address[0])
        raise ConnectionRefusedError("nobody there")

    monkeypatch.setattr(socket, "create_connection", connect)
    with pytest.raises(CallFailed) as caught:
        call(client, "http://rebind.example.com/")

    assert caught.value.problem is CallProblem.UNREACHABLE
    assert called == [PUBLIC]
    assert names.asked == ["rebind.example.com"]


def test_of_several_addresses_only_public_ones_are_tried(
    client: http.HttpClient, names: _Names, monkeypatch: pytest.MonkeyPatch, settings: Settings
) -> None:
    """S4."""
    settings.AUTHSVC_OUTGOING_ALLOW = []
    names.table["mixed.example.com"] = [["127.0.0.1", PUBLIC, "10.0.0.1"]]
    called: list[str] = []

    def connect(address: tuple[str, int], *_args: object) -> None:
        called.append(address[0])
        raise ConnectionRefusedError("nobody there")

    monkeypatch.setattr(socket, "create_connection", connect)
    with pytest.raises(CallFailed):
        call(client, "http://mixed.example.com/")

    assert called == [PUBLIC]


@pytest.mark.parametrize(
    "url",
    [
        "http://user:pw@127.0.0.1:{port}/", "http://2130706433:{port}/", "http://0x7f.0.0.1:{port}/", "http://127.1:{port}/",
        "http://0177.0.0.1:{port}/", "http://①②⑦.0.0.1:{port}/", "ftp://127.0.0.1:{port}/", "file:///etc/passwd", "http:///x",
        "http://127.0.0.1:{port}\\@example.com/", "http://%31%32%37.0.0.1:{port}/",
    ],
)  # fmt: skip
def test_a_url_that_was_saved_before_the_rules_is_not_called_either(
    url: str, client: http.HttpClient
) -> None:
    """S4: even where the address itself would be allowed."""
    with serving(answering(200, {})) as server:
        with pytest.raises(outgoing.Refused) as caught:
            call(client, url.format(port=server.url.rpartition(":")[2]))

        assert server.connections == 0
    assert caught.value.code == "odd-url"


def test_named_hosts_and_networks_are_called(
    client: http.HttpClient, names: _Names, settings: Settings
) -> None:
    """S4: the exception is the setting's, in both of its forms."""
    names.table["gateway.corp.internal"] = [["127.0.0.1"]]
    with serving(answering(200, {})) as server:
        url = server.url.replace("127.0.0.1", "gateway.corp.internal")
        for allowed in (["gateway.corp.internal"], ["127.0.0.0/8"]):
            settings.AUTHSVC_OUTGOING_ALLOW = allowed
            fresh = http.HttpClient(http.Limits(connect=10, call=10))
            assert call(fresh, url).status == 200
            fresh.close()
        settings.AUTHSVC_OUTGOING_ALLOW = ["other.corp.internal", "10.0.0.0/8"]
        with pytest.raises(outgoing.Refused):
            call(client, url)


@pytest.mark.parametrize("provider", ["whatsapp", "twilio"])
def test_providers_named_in_the_environment_are_called(
    provider: str, client: http.HttpClient, settings: Settings
) -> None:
    """S4: the operator wrote them; only that host and that port."""
    settings.AUTHSVC_OUTGOING_ALLOW = []
    with serving(answering(200, {})) as server, serving(answering(200, {})) as neighbour:
        settings.PROVIDER_API_URLS = {provider: f"{server.url}/v26.0"}
        assert call(client, f"{server.url}/v26.0/1/messages").status == 200
        with pytest.raises(outgoing.Refused):
            call(client, neighbour.url)
        assert neighbour.connections == 0


def test_a_kept_connection_asks_no_resolver(client: http.HttpClient, names: _Names) -> None:
    """S4: the check costs a call nothing once connected."""
    names.table["hooks.example.com"] = [["127.0.0.1"]]
    with serving(answering(200, {})) as server:
        url = server.url.replace("127.0.0.1", "hooks.example.com")
        for _ in range(5):
            assert call(client, url).status == 200
        assert server.connections == 1

    assert names.asked == ["hooks.example.com"]


def test_a_redirect_to_the_inside_is_not_followed(client: http.HttpClient) -> None:
    """S4."""
    with serving(answering(200, {})) as inside:
        location = f"Location: {inside.url}/internal\r\n"
        with serving(answering(302, headers=location)) as server:
            assert call(client, server.url).status == 302
        assert inside.connections == 0


def test_the_outbox_says_which_rule(names: _Names, settings: Settings) -> None:
    """S4: what staff read beside an event or a notice, as short as its column."""
    settings.AUTHSVC_OUTGOING_ALLOW = []
    names.table["hooks.example.com"] = [["169.254.169.254"]]

    assert post_event("https://hooks.example.com/", content=b"", headers={}) == ("not-public", 0)
    assert post_event("https://u:p@hooks.example.com/", content=b"", headers={}) == ("odd-url", 0)


def test_a_host_without_addresses_is_unavailable_and_not_refused(
    client: http.HttpClient, names: _Names
) -> None:
    """S4."""
    names.table["empty.example.com"] = [[]]

    with pytest.raises(CallFailed) as caught:
        call(client, "http://empty.example.com/")
    assert caught.value.problem is CallProblem.UNREACHABLE
