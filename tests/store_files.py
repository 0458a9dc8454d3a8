"""The second run of `make test` reads only files of which the first has found something for it.

Reading all files takes each worker as long as hundreds of tests, and two of three have nothing that stands on a store.
"""

import os
from collections.abc import Iterable
from functools import cache
from pathlib import Path

import pytest

# A path, where scripts/run_tests.py says so: the first run writes the list, the second reads it.
WRITTEN = "TEST_STORE_FILES_WRITTEN"
READ = "TEST_STORE_FILES_READ"


def note(items: Iterable[pytest.Item]) -> None:
    """List the files of what runs on each store. All workers see the same: the first of them writes."""
    path = os.environ.get(WRITTEN)
    if path and os.environ.get("PYTEST_XDIST_WORKER", "gw0") == "gw0":
        both = (
            item
            for item in items
            if item.get_closest_marker("stores") and not item.get_closest_marker("postgres")
        )
        Path(path).write_text("\n".join(sorted({str(item.path) for item in both})))


@cache
def _listed(path: str) -> frozenset[str] | None:
    """None: nothing was listed, so that every file counts."""
    file = Path(path)
    return frozenset(file.read_text().splitlines()) if path and file.exists() else None


def has_nothing(file: Path) -> bool:
    """Whether the first run found nothing in a test file that would run again."""
    listed = _listed(os.environ.get(READ, ""))
    return listed is not None and file.name.startswith("test_") and str(file) not in listed
