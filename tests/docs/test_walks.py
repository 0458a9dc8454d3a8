"""docs/walks.md: every stop is in the code, and no walk opens more files than its heading allows."""

import ast
import re

import pytest

from tests.processes import ROOT

_HEADING = re.compile(r"## \d\. (.+) \(at most (\d+) files\)")
_STOP = re.compile(r"(\d+)\. `([\w/]+\.(?:py|sql))`(?: `([\w.]+)`)?: \S")
_BESIDE = re.compile(r"`([\w/]+\.py)`")

TEXT = (ROOT / "docs" / "walks.md").read_text()
WALKS = {
    part.split("\n", 1)[0]: part.split("\n") for part in re.split(r"^(?=## )", TEXT, flags=re.MULTILINE)[1:]
}


def stops(lines: list[str]) -> list[re.Match[str]]:
    matches = [_STOP.match(line) for line in lines[1:] if line.strip()]
    assert all(matches), [line for line, match in zip(lines[1:], matches, strict=False) if not match]
    return [match for match in matches if match]


def names(tree: ast.AST, prefix: str = "") -> set[str]:
    """Functions, classes and methods."""
    result: set[str] = set()
    for node in ast.iter_child_nodes(tree):
        if isinstance(node, ast.FunctionDef | ast.ClassDef):
            result |= {prefix + node.name} | names(node, f"{prefix}{node.name}.")
    return result


def test_there_are_six() -> None:
    assert len(WALKS) == 6


@pytest.mark.parametrize("heading", WALKS)
def test_no_walk_opens_more_files_than_its_heading_allows(heading: str) -> None:
    match = _HEADING.fullmatch(heading)
    assert match, heading
    files = [stop[2] for stop in stops(WALKS[heading])]

    assert len(set(files)) == len(files) <= int(match[2])


@pytest.mark.parametrize("heading", WALKS)
def test_every_stop_is_in_the_code(heading: str) -> None:
    for nth, stop in enumerate(stops(WALKS[heading]), 1):
        number, file, name = stop.groups()
        assert int(number) == nth
        assert (ROOT / file).is_file(), file
        if name:
            assert name in names(ast.parse((ROOT / file).read_text())), (file, name)


@pytest.mark.parametrize("heading", WALKS)
def test_what_stands_beside_is_in_the_code(heading: str) -> None:
    for line in WALKS[heading][1:]:
        for file in _BESIDE.findall(line):
            assert (ROOT / file).is_file(), file
