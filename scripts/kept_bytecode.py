"""Test files' bytecode, made before the workers of a run begin.

pytest rewrites the assertions of every test file, which takes as long as everything else that it does before the first
test. It keeps the result, but workers that begin together each do it for all files. Here each file has one process.
"""

import os
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path


def stale(folder: Path) -> list[Path]:
    """The test files whose rewritten bytecode is missing or older than they are."""
    return [file for file in sorted(folder.rglob("test_*.py")) if not _is_kept(file)]


def _is_kept(file: Path) -> bool:
    kept = file.parent.joinpath("__pycache__").glob(
        f"{file.stem}.{sys.implementation.cache_tag}-pytest-*.pyc"
    )
    return any(one.stat().st_mtime >= file.stat().st_mtime for one in kept)


def begin(root: Path, environment: Mapping[str, str]) -> list["subprocess.Popen[bytes]"]:
    """The processes that make it. What goes wrong in them is left to the run itself to say."""
    files = [str(file) for file in stale(root / "tests")]
    count = min(len(files), os.cpu_count() or 1)
    command = [sys.executable, "-m", "pytest", "-q", "-p", "scripts.kept_bytecode", "-p", "no:cacheprovider"]
    return [
        subprocess.Popen(
            [*command, *files[nth::count]],
            cwd=root,
            env=environment,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        for nth in range(count)
    ]


# As a plugin of pytest -------------------------------------------------------------------------------


def pytest_pycollect_makeitem() -> list[object]:
    """Files are imported, and their tests neither made nor run."""
    return []
