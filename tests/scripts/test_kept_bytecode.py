"""Each test file is rewritten once before a run, without being run."""

import os
import sys
from pathlib import Path

from scripts import kept_bytecode
from tests.processes import ROOT, clean_environment

_FILE = """
from pathlib import Path

Path(__file__).with_name("imported").touch()

def test_it():
    Path(__file__).with_name("run").touch()
    assert True
"""


def _root(tmp_path: Path) -> Path:
    tests = tmp_path / "tests"
    tests.mkdir()
    (tests / "test_it.py").write_text(_FILE)
    (tests / "helper.py").write_text("")
    return tests


def _make(tmp_path: Path) -> int:
    """How many processes it took."""
    environment = clean_environment(PYTHONPATH=str(ROOT), PYTEST_DISABLE_PLUGIN_AUTOLOAD="1")
    processes = kept_bytecode.begin(tmp_path, environment)
    for process in processes:
        process.wait(timeout=60)
    return len(processes)


def test_what_was_made_is_found_by_the_next_run(tmp_path: Path) -> None:
    tests = _root(tmp_path)
    assert kept_bytecode.stale(tests) == [tests / "test_it.py"]

    _make(tmp_path)

    assert (tests / "imported").exists()
    assert not (tests / "run").exists()
    assert kept_bytecode.stale(tests) == []


def test_a_file_that_was_changed_is_made_anew(tmp_path: Path) -> None:
    tests = _root(tmp_path)
    (tests / "__pycache__").mkdir()
    kept = tests / "__pycache__" / f"test_it.{sys.implementation.cache_tag}-pytest-9.9.9.pyc"
    kept.write_bytes(b"")
    assert kept_bytecode.stale(tests) == []

    os.utime(kept, (0, 0))
    assert kept_bytecode.stale(tests) == [tests / "test_it.py"]


def test_nothing_is_started_when_all_is_there(tmp_path: Path) -> None:
    tests = _root(tmp_path)
    (tests / "test_it.py").unlink()
    assert _make(tmp_path) == 0


def test_a_file_that_cannot_be_imported_is_left_to_the_run(tmp_path: Path) -> None:
    tests = _root(tmp_path)
    (tests / "test_broken.py").write_text("raise RuntimeError")
    _make(tmp_path)
    assert (tests / "imported").exists()
