"""What `make test` says of a machine without Node.js: one line, never a skip."""

import subprocess
from pathlib import Path

import pytest

from scripts import services
from tests.examples.stand import npm_install, tool


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

    assert services.node() == {"NODE": str(machine / "node"), "NPM": str(machine / "npm")}


@pytest.mark.parametrize("missing", ["node", "npm"])
def test_what_is_missing_is_said(missing: str, machine: Path) -> None:
    for name in {"node", "npm"} - {missing}:
        _program(machine, name, "echo v22.1.0")

    with pytest.raises(SystemExit, match=f"authsvc: {missing} is missing: install Node.js 20 or newer"):
        services.node()
    with pytest.raises(AssertionError, match=f"{missing} is missing"):
        tool(missing)


@pytest.mark.parametrize(("says", "named"), [("echo v18.20.4", "v18.20.4"), ("exit 1", "broken")])
def test_a_node_that_is_too_old_is_said(says: str, named: str, machine: Path) -> None:
    _program(machine, "node", says)
    _program(machine, "npm", "echo 11")

    with pytest.raises(SystemExit, match=f"is {named}: install Node.js 20 or newer"):
        services.node()


def test_what_is_missing_is_installed_where_that_is_possible(
    machine: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[tuple[str, ...]] = []

    def install(*packages: str) -> bool:
        asked.append(packages)
        for name in ("node", "npm"):
            _program(machine, name, "echo v20.0.0")
        return True

    monkeypatch.setattr(services, "install", install)

    assert set(services.node()) == {"NODE", "NPM"}
    assert asked == [("nodejs", "npm")]


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
    monkeypatch.setattr("tests.examples.stand._NPM_SECONDS", 0.2)

    with pytest.raises(subprocess.TimeoutExpired):
        npm_install(machine)
