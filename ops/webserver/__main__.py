"""`python -m ops.webserver`: the web process and its workers. Options: see `--help`.

granian's own interfaces use a thread for each body that is being received (WSGI), or an event loop for each request
(RSGI, a tenth of the cost of a login). So its RSGI worker is started here with a scheduler of our own, through
`serve(spawn_target=…)`: granian announces requests and bodies to `RequestReader` by plain calls.
"""

import argparse
import os
import resource
import threading
from collections.abc import Callable, Sequence
from importlib import import_module
from typing import Any, Self

from granian.constants import HTTPModes, Interfaces
from granian.http import HTTP1Settings
from granian.log import LogLevels
from granian.server.common import WORKERS_METHODS
from granian.server.mp import MPServer, WorkerProcess

from ops.processes import keep_what_is_loaded
from ops.webserver.reader import RequestReader

# The parts that granian builds its own workers from; not annotated.
_granian: Any = import_module("granian._granian")
_signals: Any = import_module("granian._signals")
# Requests that one process holds at once. High, so that slow bodies do not block other requests.
_MOST_REQUESTS = 4096
_HEAD_SECONDS, _HEAD_BYTES = 10, 64 * 1024


class InlineLoop:
    """Takes the place of an event loop: runs a callback at once, in granian's thread."""

    @staticmethod
    def call_soon(callback: Callable[..., object], *arguments: object, context: object = None) -> None:  # noqa: ARG004 # asyncio's signature
        callback(*arguments)

    call_soon_threadsafe = call_soon


class Scheduler(_granian.CallbackScheduler):  # type: ignore[misc] # not annotated
    """Receives requests from granian."""

    def __new__(cls, loop: InlineLoop, _take: Callable[[Any], None]) -> Self:
        instance: Self = super().__new__(cls, loop, None, None, None, None)
        return instance

    def __init__(self, _loop: InlineLoop, take: Callable[[Any], None]) -> None:
        self._schedule_fn = take


@WorkerProcess.wrap_target  # type: ignore[untyped-decorator] # granian does not annotate it
def run_worker(*arguments: Any) -> None:  # noqa: ANN401 # granian's arguments, in its order
    """granian's RSGI worker without an event loop. Runs in a process of its own."""
    (worker_id, application, sock, ipc, _loop, runtime_mode, runtime_threads, runtime_blocking_threads,
     blocking_threads, idle_timeout, backpressure, _task_impl, http_mode, http1, http2, websockets, static_path,
     _access_log, ssl, _scope_options, metrics) = arguments  # fmt: skip
    stop = _signals.set_sync_signals()
    stopped = threading.Event()
    stop.add_cb(stopped.set)
    worker = _granian.RSGIWorker(
        worker_id, sock, ipc, runtime_threads, runtime_blocking_threads, blocking_threads, idle_timeout,
        backpressure, http_mode, http1, http2, websockets, static_path, *ssl, metrics,
    )  # fmt: skip
    loop = InlineLoop()
    reader = RequestReader(application, threads=int(os.environ["WEB_THREADS"]))
    serve = getattr(worker, WORKERS_METHODS[runtime_mode][(sock[0] or sock[1]).is_uds()])
    serve(Scheduler(loop, reader.take), loop, stop)
    stopped.wait()


def _allow_many_connections() -> None:
    """With the usual limit of 1,024 open files, 1,024 idle connections would block the server."""
    _soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(prog="python -m ops.webserver")
    parser.add_argument("--host", required=True)
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--workers", type=int, required=True, help="processes")
    parser.add_argument("--threads", type=int, required=True, help="requests that a process works on at once")
    parser.add_argument("application", help="module:name of a WSGI application")
    options = parser.parse_args(arguments)
    os.environ["WEB_THREADS"] = str(options.threads)
    _allow_many_connections()
    if options.workers > 1:
        # They are forked: each starts at once and shares what is imported by now. Our modules neither start threads nor
        # open connections then (those of Sentry and OpenTelemetry, where asked for, begin anew in each process); the
        # threads of authsvc.embedded belong to a single worker, which imports it itself.
        import_module(options.application.partition(":")[0])
    keep_what_is_loaded()
    server = MPServer(
        options.application,
        address=options.host,
        port=options.port,
        interface=Interfaces.RSGI,
        workers=options.workers,
        workers_kill_timeout=8,
        backlog=1024,
        backpressure=_MOST_REQUESTS,
        http=HTTPModes.http1,
        http1_settings=HTTP1Settings(header_read_timeout=_HEAD_SECONDS * 1000, max_buffer_size=_HEAD_BYTES),
        websockets=False,
        log_level=LogLevels.warning,
    )
    server.serve(spawn_target=run_worker)


if __name__ == "__main__":
    main()
