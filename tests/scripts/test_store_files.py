"""Which files the second run of `make test` reads."""

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from tests import store_files


def _item(path: str, *marks: str) -> Any:
    """As much of a test as is looked at."""
    return SimpleNamespace(path=Path(path), get_closest_marker=lambda name: name in marks)


ITEMS = [
    _item("/x/test_rows.py", "stores"),
    _item("/x/test_rows.py"),
    _item("/x/test_plans.py", "stores", "postgres"),
    _item("/x/test_words.py"),
]


@pytest.fixture
def listed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    path = tmp_path / "files"
    monkeypatch.setenv(store_files.WRITTEN, str(path))
    monkeypatch.setenv(store_files.READ, str(path))
    monkeypatch.delenv("PYTEST_XDIST_WORKER", raising=False)
    return path


def test_files_with_a_test_for_each_store_are_read(listed: Path) -> None:
    store_files.note(ITEMS)

    assert not store_files.has_nothing(Path("/x/test_rows.py"))
    assert store_files.has_nothing(Path("/x/test_plans.py"))
    assert store_files.has_nothing(Path("/x/test_words.py"))


def test_what_is_no_test_file_is_not_ignored(listed: Path) -> None:
    """Folders, and the conftest.py in them."""
    store_files.note(ITEMS)
    assert not store_files.has_nothing(Path("/x"))
    assert not store_files.has_nothing(Path("/x/conftest.py"))


def test_without_a_list_every_file_is_read(listed: Path) -> None:
    """The first run could not read its files: the second says so too."""
    assert not store_files.has_nothing(Path("/x/test_words.py"))


def test_without_a_run_before_every_file_is_read(listed: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    store_files.note(ITEMS)
    monkeypatch.delenv(store_files.READ)
    assert not store_files.has_nothing(Path("/x/test_words.py"))


def test_one_worker_writes(listed: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PYTEST_XDIST_WORKER", "gw1")
    store_files.note(ITEMS)
    assert not listed.exists()
