"""Refuses retired names in product code and says which word to use instead. `make lint` runs it.

Only names that a file defines or imports count, not strings and comments. `scripts/retired_words.txt` lists what is not
renamed yet, as `file word count`; the list can only shrink. `--write` rewrites it from the code.
"""

import ast
import re
import sys
import tomllib
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
BASELINE = ROOT / "scripts" / "retired_words.txt"

# Refused as a whole name.
NAMES = {
    "found": "the noun for what it holds: rows, client, match",
    "told": "what it holds: reported, sent, claims",
    "said": "what it holds: text, output, answer",
    "mine": "what it holds: own_rows, project",
    "stranger": "unknown, unauthorized (the rule of abuse/rules.py keeps its name)",
    "strangers": "unknown, not_allowed",
    "pace": "throttle",
    "ring": "enqueue",
}
# Refused as a word of any name: `bell` also in `ring_the_bell` and `BellTower`.
WORDS = {
    "bell": "queue",
    "bells": "queue",
    "doomed": "expired",
    "impatient": "sentinel_timeouts",
    "insist": "retry_write",
    "kv": "redis",
    "mending": "recovery_source",
    "news": "project_events or sender_events; status_update for one report",
    "trial": "test_message",
    "troubled": "unhealthy",
    "twin": "duplicate, or concurrent_start for a form posted twice",
    "unfollowed": "fallback_pending",
    "unrung": "not_enqueued",
    "wish": "request, or spec for what a file asks for",
    "wishes": "requests, or specs for what a file asks for",
}
# Refused as a sequence of words in any name.
PHRASES = {
    "ring_send": "enqueue_send",
    "ring_fall_back": "enqueue_fallback",
    "passed_over": "skipped",
    "bells_lost": "enqueue_failures",
}
# Refused in one place only.
NAMES_IN = {("otp/store/sql.py", "release"): "release_connection"}
MODULES = {
    "api/answers.py": "api/serializers.py",
    "api/callers.py": "api/authentication.py",
    "api/handles.py": "api/challenge_ids.py",
    "api/inputs.py": "api/serializers.py",
    "api/outputs.py": "api/serializers.py",
    "authsvc/scrape.py": "ops/metrics.py",
    "authsvc/shortcut.py": "authsvc/middleware.py",
    "authsvc/settings/pool.py": "authsvc/settings/database.py",
    "authsvc/settings/queues.py": "authsvc/settings/celery.py",
    "authsvc/settings/rest.py": "authsvc/settings/drf.py",
    "events/sender_news.py": "events/sender_events.py",
    "login/agents.py": "login/user_agents.py",
    "login/ending.py": "login/sign_out.py",
    "login/options.py": "login/country_select.py",
    "login/pending.py": "login/login_cookie.py",
    "oidc/addresses.py": "oidc/redirect_uris.py",
    "oidc/direct.py": "oidc/issue.py",
    "oidc/pushed.py": "oidc/par.py",
    "oidc/secrets.py": "oidc/client_secrets.py",
    "otp/liveness.py": "otp/heartbeat.py",
    "otp/news.py": "otp/project_events.py",
    "otp/reports.py": "otp/status_updates.py",
    "otp/state.py": "otp/challenge_view.py",
    "otp/store/sweep.py": "otp/store/due.py",
    "otp/transitions.py": "the module that uses the step",
    "otp/trial.py": "otp/test_message.py",
    "otp/watch.py": "otp/sweep.py",
}
_PART = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|\d+")


@dataclass(frozen=True, kw_only=True)
class Use:
    """A retired word in a file."""

    path: str
    line: int
    word: str
    better: str

    def __str__(self) -> str:
        return f"{self.path}:{self.line}: {self.word} is retired: use {self.better}"


def packages() -> list[str]:
    settings = tomllib.loads((ROOT / "pyproject.toml").read_text())
    return list(settings["tool"]["coverage"]["run"]["source"])


def product_files() -> list[Path]:
    files = (path for name in packages() for path in (ROOT / name).rglob("*.py"))
    return sorted(path for path in files if "migrations" not in path.parts)


def _names(tree: ast.AST) -> Iterator[tuple[str, int]]:
    """Names that the code defines or imports, with their lines."""
    for node in ast.walk(tree):
        match node:
            case ast.Name(id=name, ctx=ast.Store(), lineno=line):
                yield name, line
            case ast.Attribute(attr=name, ctx=ast.Store(), lineno=line):
                yield name, line
            case ast.arg(arg=name, lineno=line):
                yield name, line
            case ast.FunctionDef(name=name, lineno=line) | ast.AsyncFunctionDef(name=name, lineno=line):
                yield name, line
            case ast.ClassDef(name=name, lineno=line):
                yield name, line
            case ast.alias(name=name, asname=asname, lineno=line):
                yield (asname or name).rpartition(".")[2], line
            case _:
                pass


def retired(path: str, name: str) -> tuple[str, str] | None:
    """The retired word in a name, and what to use instead."""
    if better := NAMES.get(name.strip("_")) or NAMES_IN.get((path, name)):
        return name.strip("_"), better
    parts = [part.lower() for part in _PART.findall(name)]
    joined = f"_{'_'.join(parts)}_"
    for phrase, better in PHRASES.items():
        if f"_{phrase}_" in joined:
            return phrase, better
    return next(((part, WORDS[part]) for part in parts if part in WORDS), None)


def uses(path: str, source: str) -> Iterator[Use]:
    """Every retired word in a file, its own name included."""
    if better := MODULES.get(path):
        yield Use(path=path, line=1, word=path, better=better)
    elif hit := retired(path, Path(path).stem):
        yield Use(path=path, line=1, word=hit[0], better=hit[1])
    for name, line in _names(ast.parse(source)):
        if hit := retired(path, name):
            yield Use(path=path, line=line, word=hit[0], better=hit[1])


def all_uses() -> list[Use]:
    return [
        use
        for path in product_files()
        for use in uses(path.relative_to(ROOT).as_posix(), path.read_text(encoding="utf-8"))
    ]


def read_baseline(text: str) -> Counter[tuple[str, str]]:
    rows = (line.split() for line in text.splitlines() if line and not line.startswith("#"))
    return Counter({(path, word): int(count) for path, word, count in rows})


def write_baseline(counts: Counter[tuple[str, str]]) -> str:
    head = (
        "# Retired words that are not renamed yet: file, word, count. python scripts/check_words.py --write\n"
    )
    return head + "".join(f"{path} {word} {count}\n" for (path, word), count in sorted(counts.items()))


def problems(present: list[Use], baseline: Counter[tuple[str, str]]) -> list[str]:
    """What is above the baseline, and what the baseline lists although it is gone."""
    counts = Counter((use.path, use.word) for use in present)
    lines = [str(use) for use in present if counts[use.path, use.word] > baseline[use.path, use.word]]
    for (path, word), count in sorted(baseline.items()):
        if counts[path, word] < count:
            lines.append(
                f"{path}: {word} is listed {count} times and used {counts[path, word]} times: "
                "run python scripts/check_words.py --write"
            )
    return lines


def main() -> int:
    present = all_uses()
    if "--write" in sys.argv:
        BASELINE.write_text(write_baseline(Counter((use.path, use.word) for use in present)))
        return 0
    lines = problems(present, read_baseline(BASELINE.read_text()))
    print("\n".join(lines) or "no retired words beyond the list")
    if lines:
        print("The words to use are in docs/glossary.md.")
    return 1 if lines else 0


if __name__ == "__main__":
    sys.exit(main())
