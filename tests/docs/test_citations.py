"""What tests and code cite can be opened: docs/security.md and docs/contract.md, and nothing outside the repository."""

import ast
import re
from functools import cache
from pathlib import Path

from tests.processes import ROOT

SECURITY = (ROOT / "docs" / "security.md").read_text()
STATEMENTS, _, AFTER = SECURITY.partition("\n## Not yet\n")
IDS = re.findall(r"^\| ([A-KP]\d+) \| (?:MUST|SHOULD|HOUSE) \| .+ \| .+ \|$", STATEMENTS, re.MULTILINE)
NOT_YET = re.findall(r"^\| ([A-KP]\d+) \| (?:untested|missing) \| .+ \|$", AFTER, re.MULTILINE)

# Written in halves, so that this file does not find itself.
_ELSEWHERE = re.compile("interface" + r"\.md|the check" + r"list\b|\(check" + r"list |renovation" + r"\.md")
# Places in Python files that still cite a document outside the repository. Only ever fewer.
_STILL = 0


_ID = re.compile(r"(?<![\w+.])[A-KP]\d+(?!\w)")
_TEST = re.compile(r"test_([a-kp]\d+)_")


def _named_in(path: Path) -> set[str]:
    """The ids in names of tests, docstrings and comments of a module."""
    text = path.read_text()
    if not _ID.search(text) and not _TEST.search(text):
        return set()
    tree = ast.parse(text)
    if "field fault" in (ast.get_docstring(tree) or ""):
        return set()  # faults of a field test have letters and numbers of their own
    words = re.findall(r"(?:^|\s)#.*", text)
    names = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef):
            words.append(ast.get_docstring(node) or "")
            if match := _TEST.match(getattr(node, "name", "")):
                names.add(match[1].upper())
    return names | set(_ID.findall("\n".join(words)))


@cache
def _ids_of_tests() -> frozenset[str]:
    return frozenset().union(*(_named_in(path) for path in (ROOT / "tests").rglob("*.py")))


def test_ids_are_told_once_and_in_order() -> None:
    assert len(IDS) == len(set(IDS)) == 159
    assert [(i[0], int(i[1:])) for i in IDS] == sorted((i[0], int(i[1:])) for i in IDS)
    assert len(NOT_YET) == len(set(NOT_YET))
    assert set(NOT_YET) < set(IDS)


def test_every_statement_is_named_by_a_test_or_listed_as_not_yet() -> None:
    named = _ids_of_tests()

    assert [i for i in IDS if i not in named and i not in NOT_YET] == []


def test_a_statement_that_a_test_names_is_not_listed_as_not_yet() -> None:
    assert sorted(set(NOT_YET) & _ids_of_tests()) == []


def test_documents_cite_only_what_is_in_the_repository() -> None:
    pages = [*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")]

    assert [page.name for page in pages if _ELSEWHERE.search(page.read_text())] == []


def test_fewer_files_cite_what_is_outside_the_repository() -> None:
    packages = [path.parent for path in ROOT.glob("*/__init__.py")]
    places = [
        f"{path.relative_to(ROOT)}:{number}"
        for package in {*packages, ROOT / "tests"}
        for path in sorted(package.rglob("*.py"))
        for number, line in enumerate(path.read_text().splitlines(), 1)
        if _ELSEWHERE.search(line)
    ]

    assert len(places) <= _STILL, places
