"""docs/architecture.md and docs/glossary.md show the packages that there are."""

import re
import tomllib

from scripts import draw_architecture
from tests.processes import ROOT


def test_the_picture_is_that_of_the_import_contract() -> None:
    """If this fails: `.venv/bin/python scripts/draw_architecture.py`."""
    assert draw_architecture.PICTURE.read_text() == draw_architecture.draw()


def test_the_picture_has_every_package() -> None:
    packages = set(
        tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["importlinter"]["root_packages"]
    )
    drawn = {name for names in draw_architecture.layers() for name in names}

    assert drawn | {"simulator"} == packages
    assert [name for name in packages if not (ROOT / name / "__init__.py").exists()] == []
    assert packages <= set(draw_architecture.PURPOSES)


def test_the_picture_is_read_in_the_light_and_in_the_dark() -> None:
    assert "prefers-color-scheme: dark" in draw_architecture.draw()


def test_the_page_has_a_line_for_every_package() -> None:
    page = (ROOT / "docs" / "architecture.md").read_text()
    rooms = set(re.findall(r"^\| `([a-z]+)/` \|", page, re.MULTILINE))

    assert {name for names in draw_architecture.layers() for name in names} | {"simulator"} <= rooms
    assert rooms <= set(draw_architecture.PURPOSES)


def test_terms_are_in_order_and_told_once() -> None:
    terms = re.findall(r"^\| ([^|]+) \| .+ \| (?:`.+`|not built yet) \|$", _glossary(), re.MULTILINE)

    assert len(terms) >= 30
    assert terms == sorted(set(terms))


def test_files_of_the_terms_are_there() -> None:
    files = re.findall(r"`([a-z_/]+\.py)` \|$", _glossary(), re.MULTILINE)

    assert len(files) >= 30
    if (ROOT / "core").is_dir():  # the packages of docs/architecture.md
        assert [file for file in files if not (ROOT / file).is_file()] == []


def _glossary() -> str:
    return (ROOT / "docs" / "glossary.md").read_text()
