"""One thing is broken while people log in; then it recovers. Each scenario returns their logins."""

import subprocess
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import httpx

from ops.processes import web
from scripts.services import free_port
from tests.faults.ledger import Ledger, Row
from tests.faults.load import Crowd, Login
from tests.faults.stack import Process, Stack, pause
from tests.people import hidden_fields
from tests.processes import ROOT, answers, clean_environment, until

PER_SECOND = 5.0


@dataclass(frozen=True)
class Scenario:
    """`run_fault` breaks one thing, repairs it and returns the logins meanwhile."""

    name: str
    run_fault: Callable[[Stack], list[Login]]

    def run(self, stack: Stack) -> tuple[Row, list[str]]:
        stack.reset()
        logins = self.run_fault(stack)
        ledger = Ledger(stack)
        quiet_after = ledger.wait_quiet()
        return ledger.close(self.name, logins, quiet_after=quiet_after), ledger.notes


def _handsets(stack: Stack, phones: Sequence[str], **changes: object) -> None:
    for phone in phones:
        stack.simulator.simulator.state.change_handset(phone, dict(changes))


def _faults(stack: Stack, **changes: Any) -> None:
    stack.simulator.simulator.state.change_faults(changes)


def no_fault(stack: Stack) -> list[Login]:
    with Crowd(stack, count=40, per_second=PER_SECOND) as crowd:
        pass
    return crowd.logins


def worker_killed(stack: Stack, kills: int = 20) -> list[Login]:
    """Two workers, one of them killed and started again and again, while calls take most of a second.

    No report says that a dead worker's message was accepted, so it must be sent again.
    """
    _faults(stack, answer_seconds=0.7, reports={"lose": True})
    stack.start("second", kind="worker")
    # They type the code only after the time in which a dead worker's delivery is found and sent again.
    with Crowd(stack, count=kills * 7, per_second=4, slow=10) as crowd:
        pause(1)
        for nth in range(kills):
            name = "worker" if nth % 2 else "second"
            stack.kill(name)
            stack.start(name, kind="worker")
            pause(1.5)
        _faults(stack, answer_seconds=0)
    stack.processes.pop("second").terminate()
    return crowd.logins


def beat_killed(stack: Stack) -> list[Login]:
    """WhatsApp stays silent, and the process that notices silence is dead for a while."""
    crowd = Crowd(stack, count=30, per_second=PER_SECOND)
    _handsets(stack, crowd.phones, whatsapp="silent")
    with crowd:
        pause(1)
        stack.kill("beat")
        pause(8)
        stack.start("beat")
    return crowd.logins


def redis_emptied(stack: Stack) -> list[Login]:
    """Gone for ten seconds and back without its memory: queue, limits and configuration version."""
    with Crowd(stack, count=80, per_second=PER_SECOND) as crowd:
        pause(3)
        stack.redis.stop()
        pause(10)
        stack.redis.start()
    return crowd.logins


def _postgres(mode: str) -> Callable[[Stack], list[Login]]:
    def run_fault(stack: Stack) -> list[Login]:
        with Crowd(stack, count=50, per_second=PER_SECOND) as crowd:
            pause(3)
            stack.postgres.stop(mode)
            pause(2)
            stack.postgres.start()
        return crowd.logins

    return run_fault


def _outage(name: str, seconds: float = 6, **more: object) -> Callable[[Stack], list[Login]]:
    def run_fault(stack: Stack) -> list[Login]:
        with Crowd(stack, count=50, per_second=PER_SECOND) as crowd:
            pause(2)
            _faults(stack, whatsapp_outage=name, **more)
            pause(seconds)
            _faults(stack, whatsapp_outage=None)
        return crowd.logins

    return run_fault


def answered_late(stack: Stack) -> list[Login]:
    """Meta takes the message and answers after we gave up."""
    _faults(stack, answer_seconds=6.5)
    with Crowd(stack, count=25, per_second=PER_SECOND, slow=8) as crowd:
        pause(6)
        _faults(stack, answer_seconds=0)
    return crowd.logins


def _reports(seconds_slow: float = 7, **faults: object) -> Callable[[Stack], list[Login]]:
    def run_fault(stack: Stack) -> list[Login]:
        _faults(stack, reports=faults)
        with Crowd(stack, count=40, per_second=PER_SECOND, slow=seconds_slow) as crowd:
            pass
        if wait := faults.get("delay_ms"):
            pause(float(str(wait)) / 1000)
        return crowd.logins

    return run_fault


def contradicting(stack: Stack) -> list[Login]:
    """Delivered, then failed: nothing follows. For others failed, then delivered: the SMS is on its way by then."""
    crowd = Crowd(stack, count=40, per_second=PER_SECOND, slow=7)
    _handsets(stack, crowd.phones, delay_ms=2000)  # the handset's own report comes last
    with crowd, stack.control() as simulator:
        for nth, phone in enumerate(crowd.phones):
            until(lambda phone=phone: simulator.sends(to=phone), "a message", 30)  # type: ignore[misc] # a default
            first, second = ("failed", "delivered") if nth % 2 else ("delivered", "failed")
            simulator.report(phone, channel="whatsapp", status=first)
            pause(0.2)
            simulator.report(phone, channel="whatsapp", status=second)
    return crowd.logins


def web_killed(stack: Stack) -> list[Login]:
    """Killed before the send is queued: the person sees a dead connection, and the code still comes."""
    phones = [f"+85262000{nth:03}" for nth in range(6)]
    for phone in phones:
        _start_login_and_kill(stack, phone)
    return []


def _start_login_and_kill(stack: Stack, phone: str) -> None:
    port = free_port()
    command = web(
        host="127.0.0.1", port=port, workers=1, threads=2, application="tests.faults.killed_web:application"
    )
    environment = clean_environment(**{**stack.environment, "PORT": str(port), "PYTHONPATH": str(ROOT)})
    log = stack.folder / f"killed-web-{port}.log"
    with log.open("wb") as output:
        popen = subprocess.Popen(
            command,
            cwd=ROOT,
            env=environment,
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    process = Process("killed-web", popen, log)
    try:
        base = f"http://localhost:{port}"
        until(lambda: answers(f"{base}/healthz"), "the web process", 120)
        with httpx.Client(base_url=base, headers={"Origin": base}, timeout=5) as client:
            fields = hidden_fields(client.get("/login/").text)
            try:
                client.post("/login/", data={**fields, "country": "HK", "phone": phone})
            except httpx.HTTPError:
                return
        message = "the web process was not killed"
        raise AssertionError(message)
    finally:
        process.kill()


SCENARIOS = (
    Scenario("nothing is broken", no_fault),
    Scenario("a worker is killed in a send, 20 times", worker_killed),
    Scenario("beat is killed for 8 s, WhatsApp silent", beat_killed),
    Scenario("Redis is away for 10 s and comes back empty", redis_emptied),
    Scenario("PostgreSQL restarts", _postgres("fast")),
    Scenario("PostgreSQL crashes and restarts", _postgres("immediate")),
    Scenario("Graph API refuses connections", _outage("refuse")),
    Scenario("Graph API hangs", _outage("hang", hang_seconds=30)),
    Scenario("Graph API answers 500", _outage("error_500")),
    Scenario("Graph API answers 503 in HTML", _outage("error_503_html")),
    Scenario("Graph API answers 429", _outage("rate_limited")),
    Scenario("Graph API answers after we gave up", answered_late),
    Scenario("reports are lost", _reports(lose=True)),
    Scenario("reports come 30 s late", _reports(delay_ms=30_000)),
    Scenario("reports come twice and shuffled", _reports(double=True, shuffle=True)),
    Scenario("reports contradict each other", contradicting),
    Scenario("web is killed before the send is queued", web_killed),
)


def timed(scenario: Scenario, stack: Stack) -> tuple[Row, list[str], float]:
    begun = time.monotonic()
    row, notes = scenario.run(stack)
    return row, notes, time.monotonic() - begun
