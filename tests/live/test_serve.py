"""`make serve`: web and worker, with its beat, as processes of their own, on PostgreSQL and Redis."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from scripts.services import free_port
from tests.live.site import Meet, Site
from tests.processes import (
    ROOT,
    Running,
    children,
    clean_environment,
    is_running,
    running,
    until,
)
from tests.simulator_client import SimulatorClient

pytestmark = [
    pytest.mark.processes,
    pytest.mark.postgres,
    pytest.mark.django_db,
    pytest.mark.xdist_group("serve"),
]


def test_a_person_logs_in_and_everything_ends_on_sigterm(site: Site, meet: Meet) -> None:
    with site.served() as process:
        family = children(process.process.pid)
        person = meet("+85251230001")
        person.ask_for_code()
        verified = person.type_code(person.wait_for_code("whatsapp"))
        late = meet("+85251230002")
        late.handset.set_handset(late.phone, whatsapp="not_on_whatsapp")
        late.ask_for_code()
        fallen_back = late.type_code(late.wait_for_code("sms", seconds=3))
        code = process.stop(signal.SIGTERM)

        assert (verified.status_code, fallen_back.status_code) == (302, 302)
        assert code == 0
        until(lambda: not any(is_running(pid) for pid in family), "the children's end", seconds=5)


def test_a_saved_change_acts_at_once_in_every_process(site: Site, meet: Meet, tmp_path: Path) -> None:
    """Decision 13: two web processes, and a third that saves."""
    site.environment["WEB_WORKERS"] = "2"
    changed = tmp_path / "changed.yaml"
    changed.write_text((ROOT / "deploy" / "demo.yaml").read_text().replace("length: 6", "length: 9"))
    with site.served():
        before = meet("+85251230003")
        before.ask_for_code()
        assert len(before.wait_for_code("whatsapp")) == 6
        site.run("apply", str(changed))

        for nth in range(6):
            person = meet(f"+8525123010{nth}")
            person.ask_for_code()
            assert len(person.wait_for_code("whatsapp")) == 9


def worker_of(process: Running) -> int:
    return next(
        pid
        for pid in children(process.process.pid)
        if b"authsvc.worker" in Path(f"/proc/{pid}/cmdline").read_bytes()
    )


def test_a_worker_killed_in_the_middle_of_a_send_loses_nothing(site: Site, meet: Meet) -> None:
    """The claim is found by the sweep of the next processes: one message at most twice, with the same code."""
    person = meet("+85251230004")
    with SimulatorClient(site.ports.handsets) as simulator:
        simulator.set_faults(whatsapp_outage="hang", hang_seconds=20)
        with site.served() as process:
            person.ask_for_code()
            until(lambda: simulator.sends(to=person.phone), "the call")
            os.kill(worker_of(process), signal.SIGKILL)
            assert process.process.wait(timeout=20) == 1
            assert "authsvc: worker ended unexpectedly" in process.output

        simulator.set_faults(whatsapp_outage=None)
        with site.served():
            code = person.wait_for_code("whatsapp", seconds=20)
            assert person.type_code(code).status_code == 302

        sends = simulator.sends(to=person.phone)
        assert len(sends) == 2
        assert {item["code"] for item in sends} == {code}


def test_a_start_without_broker_is_sent_once_it_is_back(site: Site, meet: Meet) -> None:
    """The ring is lost and nothing else. Here the broker alone is away: limits are in Redis, the queue elsewhere."""
    person = meet("+85251230005")
    nowhere = f"redis://127.0.0.1:{free_port()}/0"
    broken = Site({**site.environment, "CELERY_BROKER_URL": nowhere}, site.ports)
    with running(["manage.py", "serve", "--only", "web"], **broken.environment) as web:
        web.wait_for(f"{site.ports.base}/healthz")
        assert person.client.get("/readyz").json()["failing"] == ["broker"]
        started = person.ask_for_code()
        until(lambda: web.has("enqueue.failed"), "the lost ring", 10)
    assert started.status_code == 302
    assert person.handset.messages(person.phone) == []

    with site.served():
        code = person.wait_for_code("whatsapp", seconds=15)
        assert person.type_code(code).status_code == 302


def test_without_redis_paid_sends_are_refused(site: Site, meet: Meet) -> None:
    """C13, P9: the page says so, and nothing is sent."""
    away = {**site.environment, "REDIS_URL": f"redis://127.0.0.1:{free_port()}/0"}
    person = meet("+85251230006")
    with running(["manage.py", "serve", "--only", "web"], **away) as web:
        web.wait_for(f"{site.ports.base}/healthz")
        refused = person.ask_for_code()
        ready = person.client.get("/readyz")

    assert refused.status_code == 503
    assert (ready.status_code, ready.json()["failing"]) == (503, ["redis"])
    assert person.handset.messages(person.phone) == []


def test_processes_that_start_together_collect_static_files_one_after_the_other(tmp_path: Path) -> None:
    script = (
        "import django, sys; from pathlib import Path; django.setup(); from django.conf import settings; "
        f"settings.STATIC_ROOT = Path({str(tmp_path)!r}) / 'collected'; "
        "from ops.management.commands.serve import collect_static; collect_static()"
    )
    environment = clean_environment(
        AUTHSVC_MODE="demo", DJANGO_SETTINGS_MODULE="authsvc.settings", PYTHONPATH=str(ROOT)
    )
    started = [
        subprocess.Popen([sys.executable, "-c", script], cwd=ROOT, env=environment, stderr=subprocess.PIPE)
        for _ in range(3)
    ]
    errors = [process.communicate(timeout=120)[1] for process in started]

    assert [process.returncode for process in started] == [0, 0, 0], errors
    assert (tmp_path / "collected" / "staticfiles.json").exists()
