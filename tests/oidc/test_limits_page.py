"""docs/limits.md says what the program does. P8."""

import re
from pathlib import Path

from abuse.rules import DEFAULT_RULES
from abuse.throttle import CEILINGS
from api import parsers
from oidc import dpop, parameters, policy, private_key_jwt, server

PAGE = (Path(__file__).resolve().parents[2] / "docs" / "limits.md").read_text()


def row(name: str) -> list[int]:
    """The numbers of a row of the table of applications."""
    (found,) = re.findall(rf"^\| {re.escape(name)} \|([^|]*)\|", PAGE, re.MULTILINE)
    return [int(number) for number in re.findall(r"\d+", found)]


def test_the_figures_are_those_of_the_program() -> None:
    assert row("authorization code") == [policy.CODE_VALID.total_seconds()]
    assert row("access token, ID token") == [policy.ACCESS_VALID.total_seconds()]
    assert policy.ACCESS_VALID == policy.ID_TOKEN_VALID
    assert row("refresh token") == [policy.REFRESH_GRACE.total_seconds()]
    assert row("all tokens of a login") == [policy.FAMILY_VALID.days]
    assert row("pushed request") == [policy.PUSHED_VALID.total_seconds()]
    assert row("long request put aside") == [policy.STORED_REQUEST_VALID.total_seconds()]
    assert row("whole request to an OpenID endpoint") == [parameters.MOST_BYTES, parameters._MAX_PARAMETERS]
    assert parsers.MOST_BYTES == parameters.MOST_BYTES
    assert row("client assertion") == [private_key_jwt._MAX_LIFETIME_SECONDS]
    assert row("DPoP proof") == [dpop._CLOCK_SKEW_SECONDS]
    assert row("`state`, `nonce`") == list(server.LONGEST.values())
    tries, minutes = row("back-channel notice")
    assert tries == len(policy.LOGOUT_RETRIES) + 1
    assert sum(wait.total_seconds() for wait in policy.LOGOUT_RETRIES) < minutes * 60


_SECONDS = {"minute": 60, "10 minutes": 600, "hour": 3600}


def test_every_ceiling_stands_there_as_it_is() -> None:
    """O6"""
    pattern = r"`((?:push|keep|idempotency|secret|test|stats)\.[a-z]+)` (\d+) / (10 minutes|hour|minute)"
    written = {name: (int(amount), _SECONDS[period]) for name, amount, period in re.findall(pattern, PAGE)}
    known = {name: (item.amount, item.seconds) for name, item in CEILINGS.items()}
    known |= {
        name: (int(text.partition("/")[0]), {"10m": 600, "1h": 3600}[text.partition("/")[2]])
        for name, text in DEFAULT_RULES.items()
        if name.startswith("test.")
    }

    assert written == known
