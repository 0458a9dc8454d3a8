"""SIGTERM: what is being sent is finished and written down, nothing new is begun, and a new worker takes over."""

import signal
import time

import pytest

from tests.live.site import Meet, Site
from tests.processes import Running, until
from tests.simulator_client import SimulatorClient

pytestmark = [
    pytest.mark.processes,
    pytest.mark.postgres,
    pytest.mark.django_db,
    pytest.mark.xdist_group("serve"),
]


def ready(worker: Running) -> None:
    until(lambda: worker.has("ready."), "the worker", 30)


def test_a_call_under_way_is_finished_and_nothing_new_is_begun(site: Site, meet: Meet) -> None:
    first, second = meet("+85251237001"), meet("+85251237002")
    with SimulatorClient(site.ports.handsets) as simulator, site.serving("web"):
        simulator.set_faults(answer_seconds=3, reports={"lose": True})
        with site.serving("worker") as old:
            ready(old)
            first.ask_for_code()
            until(lambda: simulator.sends(to=first.phone), "the call", 10)
            begun = time.monotonic()
            old.process.send_signal(signal.SIGTERM)
            time.sleep(0.5)
            second.ask_for_code()
            code = old.process.wait(timeout=20)
            stopped_after = time.monotonic() - begun
        assert code == 0
        assert stopped_after < 8
        assert simulator.sends(to=second.phone) == []
        assert first.status()["deliveries"][0]["status"] == "accepted"  # type: ignore[index] # a list of mappings

        simulator.set_faults(answer_seconds=0)
        with site.serving("worker") as new:
            ready(new)
            assert second.type_code(second.wait_for_code("whatsapp")).status_code == 302
        assert len([item for item in simulator.sends(to=first.phone) if item["channel"] == "whatsapp"]) == 1


def test_workers_are_replaced_while_people_log_in(site: Site, meet: Meet) -> None:
    """A rolling upgrade: the new one comes, the old one goes, and nobody notices."""
    people = [meet(f"+8525123710{nth}") for nth in range(10)] + [
        meet(f"+8525123711{nth}") for nth in range(10)
    ]
    with SimulatorClient(site.ports.handsets) as simulator, site.serving("web"):
        with site.serving("worker") as old:
            ready(old)
            for person in people[:10]:
                person.ask_for_code()
            with site.serving("worker") as new:
                ready(new)
                old.process.send_signal(signal.SIGTERM)
                for person in people[10:]:
                    person.ask_for_code()
                slowest = 0.0
                for person in people:
                    begun = time.monotonic()
                    assert person.type_code(person.wait_for_code("whatsapp")).status_code == 302
                    slowest = max(slowest, time.monotonic() - begun)
                assert old.process.wait(timeout=20) == 0
        assert slowest < 4
        assert [len(simulator.sends(to=person.phone)) for person in people] == [1] * 20
        assert "Traceback" not in old.output + new.output


def test_web_finishes_what_it_has_begun_to_answer(site: Site, meet: Meet) -> None:
    """The request waits for a row that somebody holds; the web process is told to stop meanwhile."""
    import threading

    import psycopg

    person = meet("+85251237201")
    url = site.environment["DATABASE_URL"].replace("postgres://", "postgresql://")
    with site.serving("web") as web, psycopg.connect(url) as holder:
        page = person.client.get("/login/")
        assert page.status_code == 200
        holder.execute("LOCK TABLE otp_challenge IN ACCESS EXCLUSIVE MODE")
        answers: list[int] = []
        asking = threading.Thread(target=lambda: answers.append(person.ask_for_code().status_code))
        asking.start()
        time.sleep(1)
        web.process.send_signal(signal.SIGTERM)
        time.sleep(0.5)
        holder.commit()
        asking.join(timeout=15)
        assert web.process.wait(timeout=20) == 0

    assert answers == [302]
