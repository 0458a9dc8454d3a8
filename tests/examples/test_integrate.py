"""docs/integrate.md says what is: its code is that of the examples, its commands run, its links lead somewhere."""

import json
import re
import shlex
import subprocess
import sys
from pathlib import Path
from typing import Any

import httpx
import jwt
import pytest

from oidc import discovery, policy
from scripts import services
from tests.examples.running_examples import RunningExamples
from tests.processes import ROOT, clean_environment

TEXT = (ROOT / "docs" / "integrate.md").read_text()
SNIPPETS = re.findall(r"<!-- (examples/\S+) -->\n```\w+\n(.*?)```", TEXT, re.DOTALL)
PHONE = "+85251234567"


@pytest.mark.parametrize(("file", "number"), [(file, number) for number, (file, _) in enumerate(SNIPPETS)])
def test_code_in_it_is_the_examples_own(file: str, number: int) -> None:
    assert SNIPPETS[number][1] in (ROOT / file).read_text()


def test_every_example_is_in_it() -> None:
    assert {file.split("/")[1] for file, _ in SNIPPETS} == {
        path.name for path in (ROOT / "examples").iterdir()
    }


def _anchors(path: Path) -> set[str]:
    """What `#` may be followed by in a link to this document."""
    headings = [line for line in path.read_text().splitlines() if line.startswith("#")]
    return {re.sub(r"[^\w -]", "", line).strip().lower().replace(" ", "-") for line in headings}


def test_its_links_lead_somewhere() -> None:
    here = ROOT / "docs" / "integrate.md"
    targets = re.findall(r"\]\(([^)]+)\)", TEXT)
    assert len(targets) > 10
    for target in targets:
        file, _, anchor = target.partition("#")
        path = here.parent / file if file else here
        assert path.exists(), target
        assert not anchor or anchor in _anchors(path), target
    assert "(docs/integrate.md)" in (ROOT / "README.md").read_text()


def test_it_names_every_claim() -> None:
    claims: Any = discovery.metadata("https://login.example")["claims_supported"]
    table = TEXT.partition("## Claims")[2].partition("## Refresh")[0]

    assert [claim for claim in claims if f"`{claim}`" not in table] == []


def test_its_figures_are_those_of_the_policy() -> None:
    refresh = TEXT.partition("## Refresh")[2].partition("## Log-out")[0]

    assert policy.ACCESS_VALID == policy.ID_TOKEN_VALID
    assert policy.ACCESS_VALID.total_seconds() == 3600
    assert "good for one hour" in refresh
    assert f"within {policy.REFRESH_GRACE.seconds} seconds" in refresh
    assert f"end {policy.FAMILY_VALID.days} days after" in refresh
    assert [wait.seconds for wait in policy.LOGOUT_RETRIES] == [2, 10, 60, 600]
    assert "after 2 s, 10 s, 1 min and 10 min" in TEXT


_WAIT = (
    "import sys; sys.path.insert(0, sys.argv[1]); from tests.simulator_client import SimulatorClient; "
    "print(SimulatorClient(sys.argv[2]).wait_for_code(sys.argv[3]))"
)


def _script(examples: RunningExamples, page: str, phone: str) -> str:
    """All commands of a document, at this run's demo, by somebody with a number of their own and the code that came."""
    seen = shlex.join([sys.executable, "-c", _WAIT, str(ROOT), examples.ports.handsets, phone])
    written = (ROOT / "docs" / page).read_text()
    text = "\n".join(re.findall(r"<!-- runs -->\n```sh\n(.*?)```", written, re.DOTALL)).replace(PHONE, phone)
    for written, meant in (
        ("http://localhost:8000", examples.ports.base),
        ("CODE=123456", f"CODE=$({seen})"),
    ):
        assert text.count(written) == 1, written
        text = text.replace(written, meant)
    return f"set -eu\n{text}".replace("curl -s ", "curl -sS --fail-with-body ")


def _run(examples: RunningExamples, page: str, phone: str, folder: Path) -> None:
    services.program("curl", "curl")
    done = subprocess.run(
        ["bash", "-c", _script(examples, page, phone)],
        cwd=folder,
        env=clean_environment(),
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.browser
@pytest.mark.processes
@pytest.mark.xdist_group("examples")
def test_d9_the_commands_of_the_api_page_run(examples: RunningExamples, tmp_path: Path) -> None:
    phone = "+85251234568"

    _run(examples, "api.md", phone, tmp_path)

    tokens, proof = (json.loads((tmp_path / name).read_text()) for name in ("tokens.json", "assertion.json"))
    assert tokens["user"]["phone_number"] == phone
    assert {item["channel"] for item in examples.simulator.sends(to=phone)} == {"whatsapp", "sms"}
    assert jwt.get_unverified_header(proof["assertion"])["typ"] == "phone-verification+jwt"


@pytest.mark.browser
@pytest.mark.processes
@pytest.mark.xdist_group("examples")
def test_its_commands_run(examples: RunningExamples, tmp_path: Path) -> None:
    _run(examples, "integrate.md", PHONE, tmp_path)

    tokens, renewed, proof = (
        json.loads((tmp_path / name).read_text())
        for name in ("tokens.json", "tokens.json.new", "assertion.json")
    )
    assert tokens["user"]["phone_number"] == PHONE
    assert renewed["refresh_token"] != tokens["refresh_token"]
    assert {item["channel"] for item in examples.simulator.sends(to=PHONE)} == {"whatsapp", "sms"}
    assert jwt.get_unverified_header(proof["assertion"])["typ"] == "phone-verification+jwt"
    told = jwt.decode(proof["assertion"], options={"verify_signature": False})
    assert (told["phone_number"], told["aud"]) == ("+15005550199", "example-django")
    answer = httpx.get(
        f"{examples.ports.base}/oauth2/userinfo/",
        headers={"Authorization": f"Bearer {renewed['access_token']}"},
    )
    assert answer.status_code == 401  # the last command revoked them all
