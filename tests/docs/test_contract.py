"""docs/contract.md names what the program has: variables, codes, bounds. Sections keep their numbers."""

import re

import pytest

from api.errors import CODES
from projects import models
from tests.processes import ROOT

TEXT = (ROOT / "docs" / "contract.md").read_text()
SECTIONS = re.findall(r"^## (\d)\. (.+)$", TEXT, re.MULTILINE)


def _section(number: int) -> str:
    found = re.search(rf"^## {number}\. .*?(?=^## |\Z)", TEXT, re.MULTILINE | re.DOTALL)
    assert found
    return found[0]


def test_sections_keep_their_numbers() -> None:
    assert SECTIONS == [
        ("1", "Commands"),
        ("2", "Settings"),
        ("3", "The configuration file"),
        ("4", "Pages"),
        ("5", "OpenID Connect"),
        ("6", "Headless API"),
        ("7", "Webhooks"),
        ("8", "Operations"),
    ]


def test_every_variable_is_told() -> None:
    example = set(re.findall(r"^([A-Z_]+)=", (ROOT / ".env.example").read_text(), re.MULTILINE))
    rows = re.findall(r"^\| (`[A-Z].*?) \|", _section(2), re.MULTILINE)
    told = {name for row in rows for name in re.findall(r"`([A-Z_]+)`", row)}

    assert told == example


def test_every_code_of_the_api_is_told_with_its_status() -> None:
    rows = re.findall(r"^\| `(\w+)`(.*?) \| (\d{3}) \|", _section(6), re.MULTILINE)
    built = {code: int(status) for code, note, status in rows if "not built yet" not in note}

    assert built == {code: CODES[code][0] for code in built}
    assert [code for code in CODES if f"`{code}`" not in _section(6)] == []


@pytest.mark.parametrize(
    ("key", "bounds"),
    [
        ("otp.length", models.OTP_LENGTH),
        ("otp.valid_seconds", models.OTP_VALID_SECONDS),
        ("otp.resend_after_seconds", models.RESEND_AFTER_SECONDS),
        ("otp.max_attempts", models.MAX_ATTEMPTS),
        ("fallback.wait_seconds", models.FALLBACK_WAIT_SECONDS),
    ],
)
def test_bounds_are_those_of_the_models(key: str, bounds: tuple[int, int]) -> None:
    row = re.search(rf"^\| `{re.escape(key)}` \| (\d+) to (\d+)", _section(3), re.MULTILINE)

    assert row
    assert (int(row[1]), int(row[2])) == bounds
