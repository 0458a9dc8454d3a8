"""`make bench`: what a login and a webhook cost in CPU of the whole server side, by part.

`--quick`: a short run. `--write`: what follows for many logins goes into docs/scaling.md."""

import json
import os
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from bench import api, capacity, cpu, hosted, load, pages, site
from bench.load import Browser, Outcome
from bench.report import Figure, table
from bench.site import Site, Stores
from scripts.services import free_port

RESULTS = Path(__file__).resolve().parent / "results" / "latest.json"
USERS = 20_000
ACCOUNT, SENDER_NUMBER, APP_SECRET = "500400300200100", "100200300400500", "sim-app-secret"


@dataclass
class Meter:
    """Takes the CPU of all parts before and after something."""

    site: Site
    stores: Stores

    def _now(self) -> tuple[float, float, float, float]:
        parts = (self.site.web, self.site.worker, self.stores.postgres, self.stores.redis)
        web, worker, postgres, redis = (cpu.tree([pid]) for pid in parts)
        return web, worker, postgres, redis

    def measure(
        self,
        name: str,
        act: Callable[[], Outcome],
        *,
        settle: Callable[[], None] = lambda: None,
        goal: str = "",
    ) -> Figure:
        before = self._now()
        with cpu.CoreSpeed() as core:
            outcome = act()
            settle()
        count = len(outcome.latencies)
        web, worker, postgres, redis = (
            (after - start) * 1000 / count for after, start in zip(self._now(), before, strict=True)
        )
        return Figure(
            name=name, requests=count, seconds=outcome.seconds, web=web, worker=worker, postgres=postgres, redis=redis,
            latencies=outcome.latencies, speed=core.value, goal=goal,
        )  # fmt: skip


def settle_down() -> None:
    """The planner knows the sizes, as it would later, and autovacuum does not run while we measure."""
    from django.db import connection

    with connection.cursor() as cursor:
        cursor.execute("VACUUM ANALYZE")


def seed_users(count: int) -> list[str]:
    """People who have logged in before; their numbers."""
    from projects.models import Project
    from users.models import User

    project = Project.objects.get()
    phones = [f"+8525{number:07}" for number in range(1_000_000, 1_000_000 + count)]
    User.objects.bulk_create((User(project=project, phone=phone) for phone in phones), batch_size=2000)
    settle_down()
    return phones


def seed_deliveries(count: int) -> list[tuple[str, str]]:
    """Accepted messages that wait for their report: (delivery id, message id)."""
    from datetime import timedelta

    from django.utils import timezone

    from channels.models import Sender
    from core.ids import new_id
    from otp.models import Challenge, Delivery
    from projects.models import Project

    now, project, sender = timezone.now(), Project.objects.get(), Sender.objects.get(channel="whatsapp")
    challenges = [
        Challenge(
            id=new_id(), project=project, phone="+85251234567", key_id="k", code_length=6, language="en", origin="",
            created_at=now, expires_at=now + timedelta(minutes=5), resend_at=now, max_attempts=5,
        )
        for _ in range(count)
    ]  # fmt: skip
    Challenge.objects.bulk_create(challenges, batch_size=2000)
    deliveries = [
        Delivery(
            id=new_id(), challenge=challenge, channel="whatsapp", sender=sender, status=2, created_at=now,
            send_after=now, status_at=now, due_at=now + timedelta(minutes=5), provider_message_id=f"wamid.{nth:040}",
        )
        for nth, challenge in enumerate(challenges)
    ]  # fmt: skip
    Delivery.objects.bulk_create(deliveries, batch_size=2000)
    settle_down()
    return [(str(delivery.id), delivery.provider_message_id) for delivery in deliveries]


def logins(meter: Meter, phones: Sequence[str]) -> list[Figure]:
    """Starts, then verifies, by all browsers; sending is waited for, because its CPU belongs to the login."""
    browsers = hosted.Browsers(meter.site.port)
    started = meter.measure(
        "start (POST /login/), sent and reported",
        lambda: load.spread(phones, browsers.start),
        settle=lambda: wait_for_messages(phones),
    )
    reading = meter.measure(
        f"pages (both forms, {hosted.POLLS} polls of the state)", lambda: load.spread(phones, browsers.read)
    )
    verified = meter.measure("verify (POST /login/code/)", lambda: load.spread(phones, browsers.verify))
    return [started, reading, verified, whole_login("login: start + verify + sending", started, verified)]


def whole_login(name: str, started: Figure, verified: Figure, *, goal: str = "") -> Figure:
    raw, normalised = started.total + verified.total, started.normalised().total + verified.normalised().total
    return Figure(
        name=name, requests=started.requests, seconds=started.seconds + verified.seconds,
        web=started.web + verified.web, worker=started.worker + verified.worker,
        postgres=started.postgres + verified.postgres, redis=started.redis + verified.redis,
        latencies=[*started.latencies, *verified.latencies], speed=normalised / raw if raw else 1.0, goal=goal,
    )  # fmt: skip


def wait_for_messages(phones: Sequence[str]) -> None:
    """Until all of them are reported to be delivered. Raises RuntimeError."""
    from otp.models import Delivery

    deadline = time.monotonic() + 120
    while Delivery.objects.filter(status__lt=6, challenge__phone__in=phones).exists():
        if time.monotonic() > deadline:
            raise RuntimeError("messages were not delivered in time")
        time.sleep(0.3)


def api_logins(meter: Meter, phones: Sequence[str]) -> list[Figure]:
    """The same over the JSON API, tokens included."""
    apps = api.Apps(meter.site.port)
    started = meter.measure(
        "API start (POST /api/v1/challenges), sent and reported",
        lambda: load.spread(phones, apps.start),
        settle=lambda: wait_for_messages(phones),
    )
    verified = meter.measure("API verify, with tokens", lambda: load.spread(phones, apps.verify))
    return [
        started,
        verified,
        whole_login("API login: start + verify + sending", started, verified, goal="≤ 5"),
    ]


def webhooks(meter: Meter, *, size: int, batches: int, goal: str) -> Figure:
    deliveries = seed_deliveries(size * batches)
    now = int(time.time())
    bodies = [
        load.status_report(
            business_account_id=ACCOUNT, phone_number_id=SENDER_NUMBER,
            deliveries=deliveries[nth * size : (nth + 1) * size], now=now,
        )
        for nth in range(batches)
    ]  # fmt: skip
    requests = [(body, load.signature(body, APP_SECRET)) for body in bodies]
    browsers = [Browser(meter.site.port) for _ in range(load.CLIENTS)]

    def post(nth: int, request: tuple[bytes, str]) -> float:
        headers = {"Content-Type": "application/json", "X-Hub-Signature-256": request[1]}
        return load.timed(
            lambda: browsers[nth].request("POST", "/whatsapp/webhook", request[0], headers)[0].status,
            expected=200,
        )

    return meter.measure(
        f"webhook, {size} status{'es' if size > 1 else ''}", lambda: load.spread(requests, post), goal=goal
    )


def floor(meter: Meter, count: int) -> Figure:
    browsers = [Browser(meter.site.port) for _ in range(load.CLIENTS)]

    def get(nth: int, _item: int) -> float:
        return load.timed(lambda: browsers[nth].request("GET", "/api/none")[0].status, expected=404)

    return meter.measure("floor (GET /api/none: 404)", lambda: load.spread(range(count), get))


def prepare(env: dict[str, str]) -> list[str]:
    """A migrated and configured database with users, and Django in this process; the numbers of the users."""
    site.manage(env, "migrate", "--verbosity", "0")
    site.manage(env, "apply", "deploy/demo.yaml")
    site.manage(env, "collectstatic", "--no-input")
    os.environ.update(env)
    import django

    django.setup()
    api.make_client()
    return seed_users(USERS)


def measure(meter: Meter, phones: Sequence[str], *, share: int) -> tuple[list[Figure], capacity.Disk]:
    """Every figure, the floor first, and what the logins on the pages have written. `share`: of the requests."""
    floor(meter, 500)
    logins(meter, phones[-100:])  # warm: caches, connections, prepared bytecode
    api_logins(meter, phones[-200:-100])
    url = meter.stores.database_url
    figures = [floor(meter, 4000 // share)]
    before = capacity.disk(url)
    figures += logins(meter, phones[: 1200 // share])
    written = capacity.disk(url).since(before)
    figures += api_logins(meter, phones[1200 : 1200 + 1200 // share])
    figures.append(webhooks(meter, size=1, batches=2000 // share, goal="≤ 0.8"))
    figures.append(webhooks(meter, size=100, batches=120 // share, goal=""))
    figures.append(webhooks(meter, size=1000, batches=24 // share, goal="≤ 25"))
    return figures, written


def show(figures: Sequence[Figure], written: capacity.Disk) -> None:
    print(
        f"{USERS} users; CPU in ms for each request or login, whole server side, normalised to the reference core "
        f"(bench/cpu.py); one run, {site.WEB_WORKERS} web processes, {load.CLIENTS} clients\n"
    )
    print(table(figures))
    RESULTS.parent.mkdir(exist_ok=True)
    RESULTS.write_text(json.dumps([figure.as_json() for figure in figures], indent=2) + "\n")
    nothing, _, reading, _, login = figures[:5]
    model = capacity.text(login, reading, nothing, written)
    print(f"\n{model}")
    if "--write" in sys.argv:
        pages.write("docs/scaling.md", name="capacity", text=model)
    print(f"\nJSON: {RESULTS.relative_to(site.ROOT)}")


def main() -> None:
    port, simulator_port = free_port(), free_port()
    with site.stores() as stores:
        env = site.environment(
            database_url=stores.database_url,
            redis_url=stores.redis_url,
            port=port,
            simulator_port=simulator_port,
        )
        phones = prepare(env)
        with site.running(env, port=port, simulator_port=simulator_port) as service:
            figures, written = measure(
                Meter(service, stores), phones, share=4 if "--quick" in sys.argv else 1
            )
        from django.db import connections

        connections.close_all()
    show(figures, written)


if __name__ == "__main__":
    main()
