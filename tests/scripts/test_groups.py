"""Tests of one group run one after the other in one worker: they share servers, which others would disturb."""

import subprocess
import sys
from pathlib import Path

from tests.processes import clean_environment

_TESTS = """
import os
import pytest

@pytest.mark.xdist_group("one")
@pytest.mark.parametrize("nth", range(8))
def test_where(nth):
    with open("workers", "a") as file:
        file.write(os.environ["PYTEST_XDIST_WORKER"] + " ")
"""


def test_a_group_runs_in_one_worker(tmp_path: Path) -> None:
    """Versions of pytest and pytest-xdist that do not fit spread it over all of them, without a word."""
    (tmp_path / "test_it.py").write_text(_TESTS)
    plugins = ["-p", "no:django", "-p", "no:randomly", "-p", "no:cacheprovider"]
    command = [sys.executable, "-m", "pytest", "-n", "2", "--dist", "loadgroup", *plugins, "test_it.py"]
    subprocess.run(
        command, cwd=tmp_path, env=clean_environment(), check=True, capture_output=True, timeout=60
    )

    workers = (tmp_path / "workers").read_text().split()
    assert len(workers) == 8
    assert len(set(workers)) == 1
