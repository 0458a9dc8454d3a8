"""The shipped unit starts on a tree that nobody may write to (field fault D8)."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from scripts.services import free_port
from tests.processes import ROOT, answers, clean_environment, until

pytestmark = pytest.mark.processes


def _unit() -> dict[str, str]:
    lines = (ROOT / "deploy" / "systemd" / "authsvc@.service").read_text().splitlines()
    return dict(line.split("=", 1) for line in lines if re.match(r"[A-Za-z]+=", line))


@pytest.mark.parametrize("collected", [False, True], ids=["as cloned", "after collectstatic"])
def test_d8_web_starts_as_the_unit_starts_it(tmp_path: Path, collected: bool) -> None:
    """A mount of its own makes the tree read-only, for root as well; AUTHSVC_VAR is the unit's StateDirectory."""
    assert _unit()["ProtectSystem"] == "strict"
    start = _unit()["ExecStart"].replace("/opt/authsvc/.venv/bin/python", sys.executable).replace("%i", "web")
    tree, state, port = tmp_path / "tree", tmp_path / "state", free_port()
    state.mkdir()
    ignored = shutil.ignore_patterns(
        ".venv", ".git", "var", "staticfiles*", ".*_cache", "__pycache__", ".env"
    )
    shutil.copytree(ROOT, tree, ignore=ignored)
    environment = clean_environment(
        AUTHSVC_MODE="production", ALLOWED_HOSTS="localhost,127.0.0.1", SECRET_KEY="abcdefghijklmnopqrstuvwxyz-0123456789-ABC",
        AUTHSVC_VAR=str(state), PORT=str(port), DATABASE_URL=f"sqlite:///{state}/authsvc.sqlite3", PYTHONDONTWRITEBYTECODE="1",
    )  # fmt: skip
    for command in ("migrate --no-input", *(["collectstatic --no-input"] if collected else [])):
        subprocess.run(
            [sys.executable, "manage.py", *command.split()],
            cwd=tree,
            env=environment,
            check=True,
            stdout=subprocess.DEVNULL,
        )
    script = f"mount --bind {tree} {tree} && mount -o remount,ro,bind {tree} && cd {tree} && exec {start}"
    unshare = ["unshare", "--mount", *([] if os.geteuid() == 0 else ["--map-root-user"]), "sh", "-c", script]
    process = subprocess.Popen(
        unshare, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    )
    try:
        until(lambda: process.poll() is not None or answers(f"http://127.0.0.1:{port}/readyz"), "ready", 60)
        assert process.poll() is None, process.communicate()[0]
        assert (state / "staticfiles" / "staticfiles.json").exists() is not collected
        assert not (tree / "staticfiles.lock").exists()
    finally:
        process.terminate()
        process.communicate(timeout=20)
