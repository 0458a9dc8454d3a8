"""Posts reports to our side: a small pool of threads, kept-alive connections, bounded retries."""

import logging
import os
import ssl
import threading
from dataclasses import dataclass, field, replace
from functools import partial
from queue import SimpleQueue
from zlib import crc32

import httpx

from simulator.server.timers import Timers

logger = logging.getLogger(__name__)

WORKERS = 8
ANSWER_TIMEOUT_SECONDS = 10.0
# Five tries within about ten seconds: Meta goes on for days, which no test waits for.
BACKOFF_SECONDS = (0.3, 0.9, 2.7, 5.0)
FAILURES = (httpx.HTTPError, httpx.InvalidURL)  # no answer


def trusted() -> ssl.SSLContext | bool:
    """Whose certificates our side may have: the public ones, or those of the file that SSL_CERT_FILE names."""
    file = os.environ.get("SSL_CERT_FILE")
    return ssl.create_default_context(cafile=file) if file else True


@dataclass(frozen=True, slots=True, kw_only=True)
class Post:
    """One request to make, and which try it is. Posts of one `key` keep their order, unless one is repeated."""

    url: str
    body: bytes = field(repr=False)
    headers: dict[str, str] = field(repr=False)
    key: str
    tries: int = 1 + len(BACKOFF_SECONDS)
    number: int = 1
    retry_on_status: bool = True


class Poster:
    """Makes posts in the background."""

    def __init__(self, timers: Timers) -> None:
        self._timers = timers
        self._http = httpx.Client(timeout=ANSWER_TIMEOUT_SECONDS, trust_env=False, verify=trusted())
        self._generation = 0
        self._counts = {"posted": 0, "refused": 0, "given_up": 0}
        self._counting = threading.Lock()
        self._queues: list[SimpleQueue[tuple[int, Post] | None]] = [SimpleQueue() for _ in range(WORKERS)]
        self._threads = [
            threading.Thread(target=self._work, args=(queue,), name=f"poster-{number}", daemon=True)
            for number, queue in enumerate(self._queues)
        ]
        for thread in self._threads:
            thread.start()

    def counts(self) -> dict[str, int]:
        with self._counting:
            return dict(self._counts)

    def submit(self, post: Post) -> None:
        self._put(self._generation, post)

    def post_now(self, post: Post) -> None:
        """Post on the caller's thread; a failure is repeated in the background like any other."""
        self._try(self._generation, post)

    def forget(self) -> None:
        """Drop everything that is queued or waits to be repeated."""
        self._generation += 1

    def close(self) -> None:
        self.forget()
        for queue in self._queues:
            queue.put(None)
        for thread in self._threads:
            thread.join(timeout=1)
        self._http.close()

    def _put(self, generation: int, post: Post) -> None:
        self._queues[crc32(post.key.encode()) % WORKERS].put((generation, post))

    def _work(self, queue: SimpleQueue[tuple[int, Post] | None]) -> None:
        while (item := queue.get()) is not None:
            generation, post = item
            if generation == self._generation:
                self._try(generation, post)

    def _try(self, generation: int, post: Post) -> None:
        try:
            response = self._http.post(post.url, content=post.body, headers=post.headers)
        except FAILURES as error:
            self._repeat(generation, post, reason=type(error).__name__)
            return
        if response.is_success:
            self._count("posted")
            return
        self._count("refused")
        if post.retry_on_status:
            self._repeat(generation, post, reason=f"status {response.status_code}")

    def _repeat(self, generation: int, post: Post, *, reason: str) -> None:
        if generation != self._generation:
            return
        if post.number >= post.tries:
            self._count("given_up")
            logger.warning("gave up posting a report: %s", reason)
            return
        wait = BACKOFF_SECONDS[min(post.number, len(BACKOFF_SECONDS)) - 1]
        again = replace(post, number=post.number + 1)
        self._timers.after(wait, partial(self._put, generation, again))

    def _count(self, name: str) -> None:
        with self._counting:
            self._counts[name] += 1
