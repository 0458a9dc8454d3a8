"""Whether the app secret is that of the token's app: only with both Meta takes them for a token of the app."""

from collections.abc import Iterator

import pytest
import respx

from channels.findings import Level
from channels.providers.meta import tokens
from channels.providers.meta.graph import Reply
from channels.providers.meta.tokens import Token
from core import http
from tests.channels import support

BASE = "https://graph.example/v26.0"
OK, WARN, FAIL = Level.OK, Level.WARN, Level.FAIL
TOKEN = Token(reply=Reply(), is_told=True, is_valid=True, app_id="77", app="Acme")


@pytest.fixture
def debug_token() -> Iterator[respx.Route]:
    with respx.mock(assert_all_called=False) as router:
        yield router.get(f"{BASE}/debug_token")


def secret_lines(client: http.HttpClient, token: Token = TOKEN) -> list[tuple[Level, str]]:
    sender = support.whatsapp_sender(app_secret="the-app-secret")
    findings = list(tokens.app_secret(token, sender, client))
    assert all(bool(item.remedy) is (item.level is not OK) for item in findings)
    return [(item.level, item.text) for item in findings]


def test_the_secret_is_tried_as_part_of_an_apps_token(
    client: http.HttpClient, debug_token: respx.Route
) -> None:
    debug_token.respond(json={"data": {}})

    assert secret_lines(client) == [(OK, "the app secret belongs to the app Acme")]
    assert debug_token.calls.last.request.headers["authorization"] == "Bearer 77|the-app-secret"


def test_a_token_without_its_app_leaves_the_secret_unjudged(
    client: http.HttpClient, debug_token: respx.Route
) -> None:
    assert secret_lines(client, Token(reply=Reply(), is_told=True, is_valid=True)) == []
    assert not debug_token.called


@pytest.mark.parametrize(
    ("code", "level"),
    [(101, FAIL), (102, FAIL), (104, FAIL), (190, FAIL), (1, WARN), (4, WARN), (100, WARN), (None, WARN)],
)
def test_only_refused_credentials_speak_against_the_secret(
    code: int | None, level: Level, client: http.HttpClient, debug_token: respx.Route
) -> None:
    """A Meta that is down must not have anybody store another one."""
    debug_token.respond(400, json={"error": {"code": code}})

    ((found, text),) = secret_lines(client)

    assert found is level
    assert ("does not belong to the app Acme" in text) is (level is FAIL)


def test_an_app_without_a_name_is_named_by_its_id(client: http.HttpClient, debug_token: respx.Route) -> None:
    debug_token.respond(400, json={"error": {"code": 190, "message": "Invalid the-app-secret"}})

    ((_, text),) = secret_lines(client, Token(reply=Reply(), is_told=True, is_valid=True, app_id="77"))

    assert text == "the app secret does not belong to the app 77: error 190 (Invalid •••)"
