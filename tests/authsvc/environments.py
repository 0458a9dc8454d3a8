"""Settings as an environment makes them. Each is loaded in a process of its own, forked from one that has imported the
libraries and nothing of ours that reads the environment: twenty of them cost as much as one that starts from nothing."""

import json
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from tests.processes import ROOT, clean_environment

PRODUCTION = {
    "AUTHSVC_MODE": "production",
    "SECRET_KEY": "abcdefghijklmnopqrstuvwxyz-0123456789-ABCDEFGHIJ",
    "ALLOWED_HOSTS": "login.example.com",
    "DATABASE_URL": "postgres://authsvc@db.example/authsvc",
    "REDIS_URL": "redis://127.0.0.1:1/0",
}

# UNFOLD and LANGUAGES hold texts that are translated when they are shown.
_SERVER = """
import json, os, re, sys, traceback
import celery, django.utils.csp, django.urls, environs, psycopg_pool, redis.sentinel, structlog
from django.core.exceptions import ImproperlyConfigured

def load(request):
    os.environ.update(request["environment"])
    try:
        from authsvc import settings
    except ImproperlyConfigured as error:
        return {"refusal": str(error)}
    everything = {name: value for name, value in vars(settings).items() if name.isupper()}
    names = request["ask"] or sorted(everything.keys() - {"UNFOLD", "LANGUAGES"})
    shown = {name: repr(eval(name, {}, everything)) for name in names}
    return {"values": {name: re.sub(" at 0x[0-9a-f]+|authsvc-test-[0-9]+", "", text) for name, text in shown.items()}}

for line in sys.stdin:
    child = os.fork()
    if child == 0:
        try:
            answer = load(json.loads(line))
        except BaseException:
            answer = {"fault": traceback.format_exc()}
        print(json.dumps(answer), flush=True)
        os._exit(0)
    os.waitpid(child, 0)
"""


@dataclass
class Environments:
    """The process that others are forked from."""

    process: subprocess.Popen[str]

    def load(self, environment: dict[str, str], ask: Sequence[str] = ()) -> dict[str, Any]:
        """The values of expressions (of all settings unless some are asked for) as `repr` shows them, or the refusal."""
        assert self.process.stdin
        assert self.process.stdout
        self.process.stdin.write(json.dumps({"environment": environment, "ask": list(ask)}) + "\n")
        self.process.stdin.flush()
        answer: dict[str, Any] = json.loads(self.process.stdout.readline())
        assert "fault" not in answer, answer["fault"]
        return answer

    def value(self, expression: str, **environment: str) -> str:
        """Of one expression in production with these changes."""
        answer = self.load(PRODUCTION | environment, [expression])
        assert "values" in answer, answer
        return str(answer["values"][expression])

    def refusal(self, **environment: str) -> str:
        """What production says with these changes; "" where it starts."""
        return str(self.load(PRODUCTION | environment, ["MODE"]).get("refusal", ""))


@contextmanager
def environments() -> Iterator[Environments]:
    process = subprocess.Popen(
        [sys.executable, "-c", _SERVER],
        cwd=ROOT, env=clean_environment(), stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
    )  # fmt: skip
    try:
        yield Environments(process)
    finally:
        process.communicate(timeout=30)
