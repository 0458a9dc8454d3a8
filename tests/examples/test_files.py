"""The examples as files: small, and at home in the demo without a setting."""

import json
import re
from pathlib import Path
from typing import Any

import pytest
import yaml
from packaging.requirements import Requirement

from tests.examples.running_examples import NAMES
from tests.processes import ROOT

EXAMPLES = ROOT / "examples"
CLIENTS: dict[str, dict[str, Any]] = {
    client["client_id"]: client
    for client in yaml.safe_load((ROOT / "deploy" / "demo.yaml").read_text())["projects"][0]["clients"]
}
CALLBACKS = {"django": "/oidc/callback/", "fastapi": "/auth", "express": "/callback", "spa": "/"}
PORTS = {"django": "8001", "fastapi": "8002", "express": "8003", "spa": "5173"}


def code(name: str) -> str:
    """All of an example's own code."""
    folder = EXAMPLES / name
    files = [path for path in sorted(folder.iterdir()) if path.suffix in (".py", ".js", ".jsx", ".html")]
    return "\n".join(path.read_text() for path in files)


@pytest.mark.parametrize("name", NAMES)
def test_it_is_under_a_hundred_lines(name: str) -> None:
    assert len([line for line in code(name).splitlines() if line.strip()]) < 100


@pytest.mark.parametrize("name", NAMES)
def test_its_defaults_are_those_of_the_demo(name: str) -> None:
    client, text = CLIENTS[f"example-{name}"], code(name)

    assert f'"{client["client_id"]}"' in text
    assert "http://localhost:8000" in text
    assert PORTS[name] in text
    assert ("client_secret" in client) == (name != "spa")
    assert client.get("client_secret", "") in text
    assert f"http://localhost{CALLBACKS[name]}" in client["redirect_uris"]
    assert "http://localhost/" in client["post_logout_redirect_uris"]


def test_the_demo_tells_fastapi_of_log_outs() -> None:
    told = CLIENTS["example-fastapi"]["backchannel_logout_uri"]

    assert told == f"http://localhost:{PORTS['fastapi']}/backchannel-logout"
    assert '@app.post("/backchannel-logout")' in code("fastapi")


@pytest.mark.parametrize("name", NAMES)
def test_its_readme_says_how_to_run_it(name: str) -> None:
    text = (EXAMPLES / name / "README.md").read_text()

    assert f"http://localhost:{PORTS[name]}" in text
    for setting in ("ISSUER", "CLIENT_ID", "PORT"):
        assert setting in text
        assert setting in code(name)


@pytest.mark.parametrize("name", ["express", "spa"])
def test_versions_of_npm_packages_are_exact(name: str) -> None:
    folder = EXAMPLES / name
    package = json.loads((folder / "package.json").read_text())

    assert all(re.fullmatch(r"\d+\.\d+\.\d+", version) for version in package["dependencies"].values())
    assert not (folder / "package-lock.json").exists()
    script = package["scripts"]["start"].removeprefix("node ")
    assert (folder / script).is_file()  # the tests run it without npm


@pytest.mark.parametrize("name", ["django", "fastapi"])
def test_python_packages_are_those_that_the_tests_ran_with(name: str) -> None:
    lock = (ROOT / "requirements" / "dev.txt").read_text()
    locked = dict(re.findall(r"^([\w-]+)==([\w.]+)", lock, re.MULTILINE))
    wanted = [Requirement(line) for line in (EXAMPLES / name / "requirements.txt").read_text().splitlines()]

    assert wanted
    assert [str(one) for one in wanted if not one.specifier.contains(locked[one.name])] == []


def test_the_shop_and_the_single_page_use_the_same_library() -> None:
    wanted = json.loads((EXAMPLES / "spa" / "package.json").read_text())["dependencies"]["oidc-client-ts"]

    assert f"oidc-client-ts {wanted}" in Path(ROOT / "static/vendor/oidc-client-ts/README.md").read_text()
