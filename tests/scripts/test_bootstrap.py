"""`make` on a fresh machine: what is missing is said in one line."""

import shutil
import subprocess
from pathlib import Path

import pytest

from tests.processes import ROOT

pytestmark = pytest.mark.processes


def bootstrap(folder: Path, path: str) -> subprocess.CompletedProcess[str]:
    for name in ("scripts/bootstrap", "requirements/base.txt", "requirements/dev.txt"):
        target = folder / name
        target.parent.mkdir(exist_ok=True)
        shutil.copy(ROOT / name, target)
    return subprocess.run(
        ["/bin/sh", str(folder / "scripts" / "bootstrap"), "base"],
        env={"PATH": path, "HOME": "/nonexistent"},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def test_a_missing_python_is_one_line(tmp_path: Path) -> None:
    tools = tmp_path / "tools"
    tools.mkdir()
    for name in ("cat", "cksum", "dirname", "rm", "sh"):
        found = shutil.which(name)
        assert found
        (tools / name).symlink_to(found)
    # A shim that is there and does not work, as version managers leave them.
    shim = tools / "python3.13"
    shim.write_text("#!/bin/sh\nexit 127\n")
    shim.chmod(0o755)

    result = bootstrap(tmp_path, str(tools))

    assert result.returncode == 1
    assert result.stderr.startswith("authsvc: Python 3.13 is missing")
    assert len(result.stderr.strip().splitlines()) == 1


def test_what_is_installed_already_is_not_installed_again(tmp_path: Path) -> None:
    (tmp_path / ".venv" / "bin").mkdir(parents=True)
    (tmp_path / ".venv" / "bin" / "python").symlink_to("/bin/false")
    locks = (ROOT / "requirements" / "base.txt").read_bytes() * 2
    checksum = subprocess.run(["cksum"], input=locks, capture_output=True, check=True).stdout.decode().strip()
    (tmp_path / ".venv" / ".installed").write_text(f"base {checksum}\n")

    result = bootstrap(tmp_path, "/usr/bin:/bin")

    assert (result.returncode, result.stdout, result.stderr) == (0, "", "")


def test_the_locks_name_hashes_and_no_host() -> None:
    for name in ("base.txt", "dev.txt"):
        text = (ROOT / "requirements" / name).read_text()
        assert "--hash=sha256:" in text
        assert "index-url" not in text
        assert "://" not in text
