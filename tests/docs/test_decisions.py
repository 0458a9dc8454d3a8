"""docs/decisions: numbered, dated, in one form, and all in the index."""

import re
from datetime import date

from tests.processes import ROOT

FOLDER = ROOT / "docs" / "decisions"
FILES = sorted(path for path in FOLDER.glob("*.md") if path.name != "README.md")
_FORM = re.compile(
    r"# (?P<number>\d{4})\. (?P<title>.+)\n\n"
    r"(?P<date>\d{4}-\d\d-\d\d) · (?P<status>(?:Accepted|Superseded by \[).*) · `(?P<app>[a-z]+)`\n\n"
    r"\*\*Context\.\*\* .+\n\n\*\*Decision\.\*\* .+\n\n\*\*Consequences\.\*\* .+\n",
    re.DOTALL,
)


def test_every_decision_has_the_same_form() -> None:
    for path in FILES:
        match = _FORM.fullmatch(path.read_text())
        assert match, path.name
        assert path.name.startswith(f"{match['number']}-"), path.name
        assert date.fromisoformat(match["date"])


def test_numbers_are_unique_and_without_a_gap() -> None:
    assert [int(path.name[:4]) for path in FILES] == list(range(1, len(FILES) + 1))


def test_the_index_has_every_decision_with_its_title_and_date() -> None:
    rows = set(
        re.findall(
            r"^\| (\d{4}) \| \[(.+)\]\((.+\.md)\)(?: \(replaced\))? \| (\S+) \|$",
            (FOLDER / "README.md").read_text(),
            re.MULTILINE,
        )
    )
    matches = {path.name: _FORM.fullmatch(path.read_text()) for path in FILES}

    assert rows == {(m["number"], m["title"], name, m["date"]) for name, m in matches.items() if m}


def test_a_decision_that_is_replaced_and_the_one_that_replaces_it_name_each_other() -> None:
    for path in FILES:
        if later := re.search(r"Superseded by \[\d{4}\]\((.+)\)", path.read_text()):
            assert f"({path.name})" in (FOLDER / later[1]).read_text()
