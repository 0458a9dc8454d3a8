"""Web processes are forked from one that has imported the application: what that asks of the application."""

import json
import subprocess
import sys
from types import ModuleType

import pytest

from ops.webserver import __main__ as webserver
from tests.processes import ROOT, clean_environment

ARGUMENTS = ["--host", "127.0.0.1", "--port", "1", "--threads", "2", "some_application:application"]
SCRIPT = """
import json, os, threading
import authsvc.wsgi
from core.ids import new_id

links = [os.path.join("/proc/self/fd", name) for name in os.listdir("/proc/self/fd")]
open_ones = [os.readlink(link) for link in links if os.path.lexists(link)]
sockets = [link for link in open_ones if link.startswith("socket:")]
print(json.dumps({"threads": threading.active_count(), "sockets": sockets}), flush=True)
for _ in range(2):
    if os.fork() == 0:
        print(json.dumps([str(new_id()) for _ in range(500)]), flush=True)
        os._exit(0)
    os.wait()
"""


@pytest.mark.parametrize(("workers", "imported"), [("1", []), ("2", ["some_application"])])
def test_the_application_is_imported_before_the_fork_where_several_share_it(
    workers: str, imported: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A single process may have threads of its own by being imported (authsvc.embedded), which a fork would lose."""
    calls: list[str] = []

    class Server:
        def __init__(self, application: str, **_: object) -> None:
            self.application = application

        def serve(self, **_: object) -> None:
            calls.append("serve")

    def import_module(name: str) -> ModuleType:
        calls.append(name)
        return ModuleType(name)

    monkeypatch.setattr(webserver, "MPServer", Server)
    monkeypatch.setattr(webserver, "import_module", import_module)
    monkeypatch.setattr(webserver, "keep_what_is_loaded", lambda: calls.append("keep"))
    monkeypatch.setattr(webserver, "_allow_many_connections", lambda: None)
    monkeypatch.setenv("WEB_THREADS", "")

    webserver.main(["--workers", workers, *ARGUMENTS])

    assert calls == [*imported, "keep", "serve"]


@pytest.mark.processes
def test_importing_it_starts_no_thread_and_opens_no_connection_and_ids_differ_after_a_fork() -> None:
    done = subprocess.run(
        [sys.executable, "-c", SCRIPT],
        cwd=ROOT,
        env=clean_environment(
            AUTHSVC_MODE="test",
            REDIS_URL="redis://127.0.0.1:1/0",
            DATABASE_URL="postgres://nobody@127.0.0.1:1/none",
            SECRET_KEY="a-secret-key-of-this-test-0123456789-abcdefghij",
        ),
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
    )
    printed = [json.loads(line) for line in done.stdout.splitlines() if line.startswith(("{", "["))]

    assert printed[0] == {"threads": 1, "sockets": []}
    assert len(printed) == 3
    assert len({*printed[1], *printed[2]}) == 1000
