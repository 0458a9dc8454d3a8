"""`python -m bench.sending`: how many deliveries a second one worker process sends, and how long it takes from a failed
report to the SMS at its provider, with nothing else to do and beside logins over the API."""

import json
import os
import signal
import threading
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor

from bench import api, load, site
from bench.__main__ import ACCOUNT, APP_SECRET, SENDER_NUMBER, prepare
from bench.providers import Providers, running
from bench.report import percentile
from scripts.services import free_port

WAITING = 2000  # deliveries that wait when the worker wakes up
FAILURES, FAILURES_A_SECOND = 200, 10
LOGINS_A_SECOND = (0, 40, 80)


def failure(delivery_id: str, message_id: str) -> bytes:
    """Meta's report that the number is not on WhatsApp."""
    body = json.loads(
        load.status_report(
            business_account_id=ACCOUNT, phone_number_id=SENDER_NUMBER, deliveries=[(delivery_id, message_id)],
            now=int(time.time()),
        )
    )  # fmt: skip
    status = body["entry"][0]["changes"][0]["value"]["statuses"][0]
    status |= {"status": "failed", "errors": [{"code": 131026, "title": "Message undeliverable"}]}
    return json.dumps(body).encode()


def wait_until(ready: Callable[[], bool], *, seconds: float = 120) -> None:
    deadline = time.monotonic() + seconds
    while not ready():
        if time.monotonic() > deadline:
            raise RuntimeError("not everything was sent in time")
        time.sleep(0.01)


def deliveries_a_second(worker: int, apps: api.Apps, providers: Providers, phones: Sequence[str]) -> float:
    """The worker sleeps while they are started, then sends them all."""
    os.kill(worker, signal.SIGSTOP)
    load.spread(phones, apps.start)
    os.kill(worker, signal.SIGCONT)
    wait_until(lambda: len(providers.whatsapp.keys() & phones) == len(phones))
    moments = sorted(providers.whatsapp[phone] for phone in phones)
    return (len(moments) - 1) / (moments[-1] - moments[0])


def forget_what_is_silent() -> None:
    """Nobody reports or verifies those of the burst: their fallbacks would come in the middle of what follows."""
    from otp.models import Delivery

    Delivery.objects.filter(due_at__isnull=False).update(due_at=None)


class OpenLoop:
    """So many a second are begun, whether or not those before have ended."""

    def __init__(self, rate: float) -> None:
        self._rate = rate

    def run(self, items: Sequence[str], act: Callable[[int, str], object]) -> None:
        begun, free = time.perf_counter(), list(range(load.CLIENTS))
        lock = threading.Lock()

        def one(nth: int, item: str) -> None:
            time.sleep(max(0.0, begun + nth / self._rate - time.perf_counter()))
            with lock:
                client = free.pop()
            try:
                act(client, item)
            finally:
                with lock:
                    free.append(client)

        with ThreadPoolExecutor(load.CLIENTS) as pool:
            for done in [pool.submit(one, nth, item) for nth, item in enumerate(items)]:
                done.result()


def fallback_ms(
    port: int, providers: Providers, failing: Sequence[str], others: Sequence[str], *, logins_a_second: int
) -> list[float]:
    """From each failed report to its SMS, in milliseconds."""
    apps, failures = api.Apps(port), api.Apps(port)
    providers.fails.update(failing)

    def log_in(nth: int, phone: str) -> None:
        apps.start(nth, phone)
        apps.verify(nth, phone)

    beside = threading.Thread(target=lambda: OpenLoop(logins_a_second).run(others, log_in))
    if logins_a_second:
        beside.start()
        time.sleep(1)
    OpenLoop(FAILURES_A_SECOND).run(failing, failures.start)
    wait_until(lambda: providers.sms.keys() >= set(failing))
    if logins_a_second:
        beside.join()
    return [(providers.sms[phone] - providers.reported[phone]) * 1000 for phone in failing]


def main() -> None:
    port, provider_port = free_port(), free_port()
    with site.stores() as stores:
        env = site.environment(
            database_url=stores.database_url,
            redis_url=stores.redis_url,
            port=port,
            simulator_port=provider_port,
        )
        phones = prepare(env)
        providers = Providers(webhook_port=port, app_secret=APP_SECRET, report=failure)
        with (
            running(providers, port=provider_port),
            site.running(env, port=port, simulator_port=provider_port, has_simulator=False) as service,
        ):
            apps = api.Apps(port)
            load.spread(phones[:200], apps.start)
            wait_until(lambda: len(providers.whatsapp) == 200)
            rate = deliveries_a_second(service.worker, apps, providers, phones[200 : 200 + WAITING])
            print(f"one worker process: {rate:.0f} deliveries a second")
            forget_what_is_silent()
            first = 200 + WAITING
            for logins in LOGINS_A_SECOND:
                failing = phones[first : first + FAILURES]
                others = phones[
                    first + FAILURES : first + FAILURES + logins * (FAILURES // FAILURES_A_SECOND)
                ]
                first += FAILURES + len(others)
                times = fallback_ms(port, providers, failing, others, logins_a_second=logins)
                cuts = " / ".join(f"{percentile(times, share):.0f}" for share in (0.5, 0.95, 0.99))
                print(f"failed report to SMS beside {logins} logins a second: p50 / p95 / p99 {cuts} ms")
        from django.db import connections

        connections.close_all()


if __name__ == "__main__":
    main()
