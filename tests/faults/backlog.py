"""Many deliveries due at once, as after an outage: they drain, memory and queue stay flat, fresh logins do not wait."""

import statistics
import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass

import psycopg
import redis

from bench.fill import ID_FUNCTION
from tests.faults.load import Crowd, Login
from tests.faults.stack import Stack

_EVERY_SECONDS = 1.0

# As the start of a login writes them, with keys and numbers of their own; they live for an hour so that all are sent.
_FILL = """
WITH made AS (
  INSERT INTO otp_challenge (id, project_id, purpose, phone, key_id, code_length, start_key, is_test, language, origin,
    address, created_at, expires_at, resend_at, sends, attempts, max_attempts, verified_at, ended_at, end_reason)
  SELECT bench_id(now()), p.id, 'login', '+8529' || lpad(n::text, 7, '0'), 'k1', 6, NULL, false, 'en', %(origin)s,
    NULL, now() - interval '20 seconds', now() + interval '1 hour', now(), 1, 0, 5, NULL, NULL, ''
  FROM generate_series(1, %(rows)s) n, (SELECT id FROM projects_project ORDER BY is_default DESC LIMIT 1) p
  RETURNING id
)
INSERT INTO otp_delivery (id, challenge_id, channel, number, cause, chosen, sender_id, status, reason, provider_code,
  provider_message_id, tries, created_at, send_after, due_at, accepted_at, status_at)
SELECT bench_id(now()), made.id, 'sms', 1, 'start', false, s.id, 0, '', '', '', 0, now(), now(),
  now() - random() * interval '15 seconds', NULL, now()
FROM made, (SELECT id FROM channels_sender WHERE channel = 'sms' AND is_active LIMIT 1) s
"""


@dataclass(frozen=True, kw_only=True)
class Drained:
    """Rates are per second, latencies seconds from the first click to the code on the handset."""

    rows: int
    seconds: float
    rate: float
    unsent: int
    sent_twice: int
    memory: dict[str, float]  # share by which each process grew, from its first tenth of the time to its last
    longest_queue: int
    fresh: int
    fresh_median: float
    fresh_slowest: float
    idle_median: float

    @property
    def line(self) -> str:
        memory = ", ".join(f"{name} {share:+.1%}" for name, share in self.memory.items())
        return (
            f"{self.rows} deliveries in {self.seconds:.0f} s ({self.rate:.0f}/s), {self.unsent} unsent, "
            f"{self.sent_twice} sent twice; memory: {memory}; longest queue {self.longest_queue}; {self.fresh} fresh "
            f"logins meanwhile: code after {self.fresh_median:.2f} s in the median, {self.fresh_slowest:.2f} s at most "
            f"(without a backlog {self.idle_median:.2f} s)"
        )


def run(stack: Stack, *, rows: int, per_second: float = 2.0, patience: float = 1800) -> Drained:
    stack.reset()
    with Crowd(stack, count=10, per_second=per_second) as idle:
        pass
    stack.simulator.simulator.state.change_faults({"reports": {"lose": False}})
    samples: list[dict[str, int]] = []
    queues: list[int] = []
    with psycopg.connect(stack.url, autocommit=True) as connection:
        connection.execute(ID_FUNCTION)
        connection.execute(_FILL, {"rows": rows, "origin": stack.ports.base})
        begun = time.monotonic()
        people: list[Login] = []
        over = threading.Event()
        visitors = threading.Thread(target=lambda: people.extend(_fresh(stack, over, per_second)))
        visitors.start()
        while (left := _left(connection)) and time.monotonic() - begun < patience:
            samples.append(stack.rss())
            queues.append(_queued(stack))
            time.sleep(_EVERY_SECONDS if rows > 10_000 else 0.2)
        seconds = time.monotonic() - begun
        over.set()
        visitors.join()
    times = [login.code_after for login in people if login.code_after is not None]
    return Drained(
        rows=rows,
        seconds=seconds,
        rate=(rows - left) / seconds,
        unsent=left,
        sent_twice=_sent_twice(stack),
        memory={name: _growth([item.get(name, 0) for item in samples]) for name in samples[0]}
        if samples
        else {},
        longest_queue=max(queues, default=0),
        fresh=len(people),
        fresh_median=statistics.median(times) if times else -1,
        fresh_slowest=max(times, default=-1),
        idle_median=statistics.median(login.code_after or 0 for login in idle.logins),
    )


def _fresh(stack: Stack, over: threading.Event, per_second: float) -> list[Login]:
    logins: list[Login] = []
    first = 600_000
    while not over.is_set():
        with Crowd(stack, count=5, per_second=per_second, first=first) as crowd:
            pass
        logins += crowd.logins
        first += 5
    return logins


def _left(connection: psycopg.Connection[tuple[int]]) -> int:
    row = connection.execute(
        "SELECT count(*) FROM otp_delivery d JOIN otp_challenge c ON c.id = d.challenge_id "
        "WHERE d.status IN (0, 1) AND c.phone LIKE '+8529%'"
    ).fetchone()
    return row[0] if row else 0


def _queued(stack: Stack) -> int:
    with redis.Redis.from_url(stack.environment["REDIS_URL"]) as client:
        return sum(int(str(client.llen(name))) for name in ("celery", "sweep"))


def _sent_twice(stack: Stack) -> int:
    """Phones of the backlog that got more than one message."""
    counts: dict[str, int] = {}
    for _, send in stack.simulator.simulator.state.sends(channel=None, to=None, after=0):
        if send.to and send.to.startswith("+8529") and send.outcome == "accepted":
            counts[send.to] = counts.get(send.to, 0) + 1  # by either channel
    return sum(1 for count in counts.values() if count > 1)


def _growth(values: Sequence[int]) -> float:
    tenth = max(len(values) // 10, 1)
    return sum(values[-tenth:]) / sum(values[:tenth]) - 1
