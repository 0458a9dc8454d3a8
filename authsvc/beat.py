"""Beat: enqueues what is done every second, minute or ten minutes. Every worker has one in a thread.

One of them at a time enqueues: it holds a key in Redis, and when it is gone another takes over within seconds. Nothing
depends on there being only one: tasks that are enqueued twice find nothing left to do. `python -m authsvc.beat` is one
more, in a process of its own.
"""

import secrets
import signal
import threading
import time
from functools import partial
from typing import Any

import redis
import structlog
from celery.beat import Scheduler, Service
from celery.signals import worker_ready, worker_shutdown, worker_shutting_down

from authsvc.celery import app
from core.redis import redis_client
from ops.processes import keep_what_is_loaded

log = structlog.get_logger("authsvc.beat")  # also when it is __main__

_KEY = "authsvc:beat"
# How long the key outlives a holder that was killed, and how often a holder extends it.
LOST_AFTER_SECONDS = 4.0
_EXTEND_SECONDS = 1.0
_RETRY_SECONDS = 1.0

_TAKE = """
local holder = redis.call('GET', KEYS[1])
if holder and holder ~= ARGV[1] then return 0 end
redis.call('SET', KEYS[1], ARGV[1], 'PX', ARGV[2])
return 1
"""
_GIVE_BACK = "if redis.call('GET', KEYS[1]) == ARGV[1] then redis.call('DEL', KEYS[1]) end return 1"


class Turn:
    """Whether this beat is the one that enqueues. Without Redis it is; while Redis is away each of them is."""

    def __init__(self) -> None:
        self._token = secrets.token_hex(16)
        self._is_mine = False
        self._asked_at = float("-inf")

    def is_mine(self) -> bool:
        """Take the key, or extend it; asks Redis once a second at most."""
        if time.monotonic() - self._asked_at >= _EXTEND_SECONDS:
            self._is_mine = bool(self._run(_TAKE, str(int(LOST_AFTER_SECONDS * 1000))))
            self._asked_at = time.monotonic()
        return self._is_mine

    def give_back(self) -> None:
        """Let another beat take over at once."""
        self._is_mine = False
        self._run(_GIVE_BACK)

    def _run(self, script: str, *arguments: str) -> object:
        client = redis_client()
        if client is None:
            return True
        try:
            return client.eval(script, 1, _KEY, self._token, *arguments)
        except redis.RedisError:
            return True  # another broker may still be there


class _Scheduler(Scheduler):  # type: ignore[misc] # Celery is not annotated
    """Celery's scheduler in memory (a file could turn out to be unwritable), which waits for its turn."""

    producer = None  # one of the pool for each task: Celery's own stays with a connection that was cut

    def __init__(self, *args: Any, turn: Turn, **options: Any) -> None:  # noqa: ANN401 # Celery's signature
        super().__init__(*args, **options)
        self._turn = turn

    def tick(self, *args: Any, **options: Any) -> float:  # noqa: ANN401 # Celery's signature
        """Seconds until the next call. What fell due while another had its turn is enqueued at once."""
        if not self._turn.is_mine():
            return _EXTEND_SECONDS
        seconds: float = super().tick(*args, **options)
        return seconds


class Beat:
    """The beat of a process."""

    def __init__(self) -> None:
        self._turn = Turn()
        self._stopped = threading.Event()
        self._service = Service(app, scheduler_cls=partial(_Scheduler, turn=self._turn))

    def start(self) -> None:
        """Run in a thread that ends with the process."""
        threading.Thread(target=self.run, name="celery-beat", daemon=True).start()

    def run(self) -> None:
        """Run until `stop`, whatever happens to the broker."""
        while not self._stopped.is_set():
            try:
                self._service.start()
            except Exception:
                log.exception("beat.failed")
                self._stopped.wait(_RETRY_SECONDS)
        self.hand_over()

    def stop(self) -> None:
        """Enqueue nothing more; `run` returns within a second. May be called by a signal handler."""
        self._stopped.set()
        self._service.stop()

    def hand_over(self) -> None:
        """After `stop`: another beat need not wait until this one's turn is over."""
        self._turn.give_back()


@worker_ready.connect  # type: ignore[untyped-decorator] # Celery is not annotated
def _start_in_worker(**_: object) -> None:
    beat = Beat()
    worker_shutting_down.connect(lambda **_: beat.stop(), weak=False)
    worker_shutdown.connect(lambda **_: beat.hand_over(), weak=False)
    beat.start()


def main() -> None:
    """Run until SIGTERM or SIGINT. Imports no app: names of tasks are enough to enqueue them."""
    beat = Beat()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: beat.stop())
    keep_what_is_loaded()
    log.info("beat.started")
    beat.run()


if __name__ == "__main__":
    main()
