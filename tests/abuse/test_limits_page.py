"""docs/limits.md shows the table of `abuse.rules`: every rule, its default, its subject, over whom it decides. P8."""

import re
from pathlib import Path

from abuse import rules
from otp import policy

PAGE = (Path(__file__).resolve().parents[2] / "docs" / "limits.md").read_text(encoding="utf-8")


def rows() -> dict[str, tuple[str, str, str]]:
    found = re.findall(r"^\| `([a-z.]+)` \| (.+?) \| (.+?) \| (.+?) \|$", PAGE, re.MULTILINE)
    return {name: (default, who, subject) for name, default, who, subject in found}


def words(default: str) -> str:
    amount, _, period = default.partition("/")
    units = {"m": "minutes", "h": "hour", "d": "day"}
    length = "" if period[:-1] == "1" else f"{period[:-1]} "
    unit = units[period[-1]] + ("s" if period[-1] == "h" and length else "")
    number = amount if "%" in amount else f"{int(amount):,}"
    return f"{number} / {length}{unit}"


def test_the_page_shows_the_table() -> None:
    assert rows() == {
        name: (
            words(limit.default) + (f", at least {limit.least}" if limit.least else ""),
            limit.who.value,
            limit.subject,
        )
        for name, limit in rules.LIMITS.items()
    }


def test_the_page_marks_what_warns() -> None:
    (text,) = re.findall(r"^At 80 % of (.+?) the admin", PAGE, re.MULTILINE)

    assert set(re.findall(r"`([a-z.]+)`", text)) == {
        name for name, limit in rules.LIMITS.items() if limit.warns
    }
    assert rules.NEAR_PERCENT == 80


def test_the_figures_beside_the_table() -> None:
    assert (rules.KEPT_PART, rules.FALLBACK_PART) == (5, 6)
    assert "a fifth of the project's day" in PAGE
    assert "A sixth of the ceilings" in PAGE
    assert f"every {policy.GUESSES_PER_STEP}th: {policy.FIRST_GUESS_WAIT.seconds} s" in PAGE
    assert f"doubling to {policy.LONGEST_GUESS_WAIT.seconds // 60} minutes" in PAGE
    assert f"from {policy.MOST_WRONG_GUESSES} on: {policy.ATTEMPTS_AFTER_MOST} code" in PAGE
