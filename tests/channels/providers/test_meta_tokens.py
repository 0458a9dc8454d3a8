"""What Meta tells of a token and its app, read and put into words."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from urllib.parse import parse_qs

import pytest
import respx
import time_machine

from channels.findings import Finding, Level
from channels.providers.meta import tokens
from channels.providers.meta.graph import Reply
from channels.providers.meta.tokens import Token
from core import http
from tests.channels import support

BASE = "https://graph.example/v26.0"
OK, WARN, FAIL = Level.OK, Level.WARN, Level.FAIL
BOTH = frozenset({"whatsapp_business_management", "whatsapp_business_messaging"})
NOW = datetime(2026, 11, 26, 12, 0, tzinfo=UTC)


@pytest.fixture
def debug_token() -> Iterator[respx.Route]:
    with respx.mock(assert_all_called=False) as router:
        yield router.get(f"{BASE}/debug_token")


def read(client: http.HttpClient, route: respx.Route, **data: object) -> Token:
    route.respond(json={"data": data})
    return tokens.read(support.whatsapp_sender(), client)


def lines(findings: Iterator[Finding]) -> list[tuple[Level, str]]:
    listed = list(findings)
    assert all(bool(item.remedy) is (item.level is not OK) for item in listed)
    return [(item.level, item.text) for item in listed]


# Read -------------------------------------------------------------------------------------------------


def test_a_token_is_asked_about_with_itself(client: http.HttpClient, debug_token: respx.Route) -> None:
    token = read(
        client,
        debug_token,
        is_valid=True,
        app_id="77",
        application="Acme",
        scopes=sorted(BOTH),
        expires_at=1_800_000_000,
        granular_scopes=[{"scope": "whatsapp_business_management", "target_ids": ["1", "2"]}],
    )

    request = debug_token.calls.last.request
    assert parse_qs(request.url.query.decode()) == {"input_token": ["access-token-of-acme"]}
    assert request.headers["authorization"] == "Bearer access-token-of-acme"
    assert (token.is_valid, token.app_id, token.app, token.scopes) == (True, "77", "Acme", BOTH)
    assert token.expires_at == datetime.fromtimestamp(1_800_000_000, UTC)
    assert token.accounts == ("1", "2")


@pytest.mark.parametrize("value", [1, "true", "yes", None, [True]])
def test_only_true_makes_a_token_valid(
    value: object, client: http.HttpClient, debug_token: respx.Route
) -> None:
    assert read(client, debug_token, is_valid=value).is_valid is False


@pytest.mark.parametrize(
    ("app_id", "kept"), [(77, "77"), ("77", "77"), (None, ""), (0, ""), ("7" * 99, "7" * 40)]
)
def test_the_app_is_named_by_digits_or_a_text(
    app_id: object, kept: str, client: http.HttpClient, debug_token: respx.Route
) -> None:
    assert read(client, debug_token, app_id=app_id).app_id == kept


@pytest.mark.parametrize(
    ("scopes", "kept"),
    [(["a", 5, None, "b", ["c"]], {"a", "b"}), ("a", set()), ({"a": 1}, set()), (None, set()), ([], set())],
)
def test_permissions_are_the_texts_of_a_list(
    scopes: object, kept: set[str], client: http.HttpClient, debug_token: respx.Route
) -> None:
    assert read(client, debug_token, scopes=scopes).scopes == kept


@pytest.mark.parametrize(
    ("granular", "accounts"),
    [
        ([{"scope": "whatsapp_business_messaging", "target_ids": ["1"]}], ()),
        ([{"scope": "whatsapp_business_management"}], ()),
        ([{"scope": "whatsapp_business_management", "target_ids": "12"}], ()),
        ([{"scope": "whatsapp_business_management", "target_ids": [12, "9" * 50]}], ("12", "9" * 40)),
        ([None, "x", {"scope": "whatsapp_business_management", "target_ids": ["1"]}], ("1",)),
        ({"scope": "whatsapp_business_management"}, ()),
        (None, ()),
    ],
)
def test_the_accounts_are_those_that_it_may_manage(
    granular: object, accounts: tuple[str, ...], client: http.HttpClient, debug_token: respx.Route
) -> None:
    assert read(client, debug_token, granular_scopes=granular).accounts == accounts


def test_of_a_question_that_is_refused_nothing_is_taken(
    client: http.HttpClient, debug_token: respx.Route
) -> None:
    debug_token.respond(400, json={"error": {"code": 100}, "data": {"is_valid": True, "app_id": "77"}})

    token = tokens.read(support.whatsapp_sender(), client)

    assert (token.is_valid, token.app_id, token.reply.problem) == (False, "", "error 100")


# In words ---------------------------------------------------------------------------------------------


def test_a_meta_that_does_not_tell_says_nothing_against_the_token() -> None:
    reply = Reply(problem="error 4", sentence="Too many calls")

    assert lines(tokens.findings(Token(reply=reply))) == [
        (WARN, "Meta does not tell about the token: error 4 (Too many calls)")
    ]


def test_a_token_that_is_not_valid_is_not_judged_further() -> None:
    token = Token(reply=Reply(), is_told=True, is_valid=False, expires_at=NOW)

    assert lines(tokens.findings(token)) == [(FAIL, "Meta says that the token is not valid")]


@pytest.mark.parametrize(
    ("left", "level", "words"),
    [
        (timedelta(0), FAIL, "the token expired at 2026-11-26 12:00 UTC"),
        (timedelta(seconds=1), WARN, "the token expires at 2026-11-26 12:00 UTC: no code is sent after that"),
        (timedelta(days=14, seconds=-1), WARN, "the token expires at 2026-12-10 11:59 UTC"),
        (timedelta(days=14), OK, "the token works until 2026-12-10 12:00 UTC"),
    ],
)
def test_two_weeks_before_its_end_a_token_is_a_warning(left: timedelta, level: Level, words: str) -> None:
    token = Token(reply=Reply(), is_told=True, is_valid=True, scopes=BOTH, expires_at=NOW + left)

    with time_machine.travel(NOW, tick=False):
        permissions, expiry = lines(tokens.findings(token))

    assert permissions[0] is OK
    assert expiry[0] is level
    assert expiry[1].startswith(words)


@pytest.mark.parametrize("body", [{"data": []}, {"data": "valid"}, {"data": None}])
def test_what_says_nothing_of_the_token_does_not_call_it_invalid(
    body: object, client: http.HttpClient, debug_token: respx.Route
) -> None:
    debug_token.respond(json=body)

    token = tokens.read(support.whatsapp_sender(), client)

    told = [(WARN, "Meta does not tell about the token: its answer cannot be read")]
    assert lines(tokens.findings(token)) == told
