"""The command lines of the documents: found, and each with what runs it."""

import re
from dataclasses import dataclass
from pathlib import Path

from tests.processes import ROOT

PAGES = sorted(
    [
        ROOT / "README.md",
        ROOT / "CONTRIBUTING.md",
        *(ROOT / "docs").rglob("*.md"),
        *ROOT.glob("examples/*/README.md"),
    ]
)
# An inline code span is a command when it begins like one.
_PROGRAMS = (
    "./manage.py", "manage.py", "make", "python", "python3", "pip", "pipx", "npm", "npx", "curl", "docker", "systemctl",
    "celery", "granian", "psql", "pg_dump", "jq", "scripts/bootstrap", "deploy/make-secrets.sh", ".venv/bin/python",
    ".venv/bin/pip", ".venv/bin/granian", "df", "journalctl",
)  # fmt: skip
_SPAN = re.compile(r"`([^`\n]+)`")
_BLOCK = re.compile(r"^(<!-- runs -->\n)?```sh\n(.*?)^```", re.MULTILINE | re.DOTALL)


@dataclass(frozen=True, kw_only=True)
class Command:
    page: str
    text: str
    runs_in_page: bool  # part of a block that a test runs as a whole


def _lines(block: str) -> list[str]:
    joined = block.replace("\\\n", " ")
    lines = (re.sub(r"\s{2,}#.*$", "", line).strip() for line in joined.splitlines())
    return [re.sub(r"\s+", " ", line) for line in lines if line and not line.startswith("#")]


def of_page(path: Path) -> list[Command]:
    text, page = path.read_text(), str(path.relative_to(ROOT))
    found = [
        Command(page=page, text=line, runs_in_page=bool(marked))
        for marked, block in _BLOCK.findall(text)
        for line in _lines(block)
    ]
    prose = re.sub(r"^```.*?^```", "", text, flags=re.MULTILINE | re.DOTALL)
    found.extend(
        Command(page=page, text=span, runs_in_page=False)
        for span in _SPAN.findall(prose)
        if span.split(" ")[0] in _PROGRAMS and " " in span
    )
    return found


def everything() -> list[Command]:
    return [command for path in PAGES for command in of_page(path)]
