"""docs/limits.md says what the program does. P8."""

import re
from pathlib import Path

from oidc import assertions, dpop, policy, server

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
    assert row("client assertion") == [assertions._LONGEST]
    assert row("DPoP proof") == [dpop._OFF_BY]
    assert row("`state`, `nonce`") == list(server._LONGEST.values())
    tries, minutes = row("back-channel notice")
    assert tries == len(policy.LOGOUT_RETRIES) + 1
    assert sum(wait.total_seconds() for wait in policy.LOGOUT_RETRIES) < minutes * 60
