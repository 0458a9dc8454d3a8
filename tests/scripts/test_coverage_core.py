"""What the plugin measures is what a trace function measures."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.processes import ROOT

PROGRAM = """
def both(values):
    for value in values:
        if value and value > 1:
            yield value
        else:
            yield -value
    while values:
        values.pop()


def one_way(value):
    if value:
        return [part for part in (1, 2) if part]
    return None


def never():
    return 1


list(both([0, 1, 2]))
for _ in range(3):
    one_way(1)
try:
    one_way(1)[5]
except IndexError:
    pass
"""


def measured(core: str, folder: Path) -> dict[str, object]:
    program, report = folder / "program.py", folder / f"{core}.json"
    program.write_text(PROGRAM)
    environment = os.environ | {
        "COVERAGE_CORE": core,
        "COVERAGE_FILE": str(folder / core),
        "PYTHONPATH": str(ROOT),
    }
    coverage = [sys.executable, "-W", "error", "-m", "coverage"]
    options = (("run", f"--source={folder}", str(program)), ("json", "--fail-under=0", "-o", str(report)))
    for command in options:
        done = subprocess.run(
            [*coverage, *command], check=False, cwd=ROOT, env=environment, capture_output=True, text=True
        )
        assert done.returncode == 0, done.stdout + done.stderr
    files = json.loads(report.read_text())["files"]
    return next(value for name, value in files.items() if name.endswith("program.py"))


@pytest.fixture(scope="module")
def monitored(tmp_path_factory: pytest.TempPathFactory) -> dict[str, object]:
    return measured("sysmon", tmp_path_factory.mktemp("monitored"))


def test_lines_and_branches_are_those_of_a_trace_function(
    monitored: dict[str, object], tmp_path: Path
) -> None:
    traced = measured("ctrace", tmp_path)
    for part in ("executed_lines", "missing_lines", "executed_branches", "missing_branches", "summary"):
        assert monitored[part] == traced[part]


def test_a_branch_that_went_one_way_is_seen(monitored: dict[str, object]) -> None:
    assert monitored["missing_branches"] == [[13, 15]]
    assert monitored["missing_lines"] == [15, 19]
