"""What a running service tells of itself: one id through web, task and webhook; counts of all processes; no secret."""

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from prometheus_client.parser import text_string_to_metric_families

from scripts.services import free_port
from tests.live.site import Meet, Site
from tests.processes import Running, answers, running, until
from tests.simulator_client import SimulatorClient

pytestmark = [
    pytest.mark.processes,
    pytest.mark.postgres,
    pytest.mark.django_db,
    pytest.mark.xdist_group("serve"),
]
TOKEN = "a-token-of-prometheus-0123456789"


@pytest.fixture
def loud(site: Site) -> Iterator[Running]:
    """The service as talkative as it can be."""
    site.environment |= {"LOG_LEVEL": "DEBUG", "LOG_FORMAT": "json", "AUTHSVC_METRICS_TOKEN": TOKEN}
    with site.served() as process:
        yield process


def events(process: Running) -> list[dict[str, Any]]:
    return [json.loads(line) for line in list(process.lines) if line.startswith("{")]


def named(process: Running, event: str) -> list[dict[str, Any]]:
    return [line for line in events(process) if line["event"] == event]


def samples(site: Site) -> dict[str, float]:
    text = httpx.get(f"{site.ports.base}/metrics").text
    return {
        f"{sample.name}{sorted(sample.labels.items())}": sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
    }


def total(found: dict[str, float], name: str, *words: str) -> float:
    """The sum over all samples of a name whose labels hold these words."""
    return sum(
        value
        for key, value in found.items()
        if key.partition("[")[0] == name and all(f"'{word}'" in key for word in words)
    )


def test_one_id_leads_from_the_click_to_the_report(site: Site, meet: Meet, loud: Running) -> None:
    person = meet("+85251236001")
    answer = person.ask_for_code()
    person.type_code(person.wait_for_code("whatsapp"))
    until(lambda: named(loud, "delivery.reported"), "the report's line", 10)

    (started,) = named(loud, "challenge.started")
    (accepted,) = named(loud, "delivery.accepted")
    reported = named(loud, "delivery.reported")
    (verified,) = named(loud, "challenge.verified")
    assert answer.headers["X-Request-ID"] == started["request_id"] == accepted["request_id"]
    assert {line["challenge_id"] for line in (started, accepted, verified, *reported)} == {
        started["challenge_id"]
    }
    assert {line["delivery_id"] for line in (accepted, *reported)} == {accepted["delivery_id"]}
    assert verified["request_id"] != started["request_id"]


def test_no_code_number_token_or_secret_is_ever_written(site: Site, meet: Meet, loud: Running) -> None:
    """A9, P2: at DEBUG, over everything that can happen to a login, in every process."""
    people = [meet(f"+8525123610{nth}") for nth in range(6)]
    modes = ("delivered", "not_on_whatsapp", "error_500", "undelivered", "rate_limited", "silent")
    codes = []
    with SimulatorClient(site.ports.handsets) as simulator:
        simulator.set_faults(reports={"double": True, "unknown_fields": True})
        for person, mode in zip(people, modes, strict=True):
            if mode != "delivered":
                simulator.set_handset(person.phone, whatsapp=mode)
            person.ask_for_code()
        for person, mode in zip(people[:-1], modes, strict=False):
            code = person.wait_for_code("whatsapp" if mode == "delivered" else "sms")
            codes.append(code)
            person.type_code(f"{(int(code) + 1) % 1_000_000:06}")
            assert person.type_code(code).status_code == 302
        simulator.set_faults(reports={"forge": True})
        last = meet("+85251236200")
        last.ask_for_code()
        codes.append(last.wait_for_code("whatsapp"))
    base = site.ports.base
    httpx.get(f"{base}/whatsapp/webhook?hub.mode=subscribe&hub.verify_token=not-the-token&hub.challenge=1")
    httpx.post(f"{base}/admin/login/", data={"username": "admin", "password": "a-password-typed-wrongly"})
    until(lambda: named(loud, "webhook.refused"), "the refusal", 10)

    secrets = [*codes, *(person.phone[1:] for person in (*people, last)), *(p.phone[5:] for p in people)]
    secrets += ["a-password-typed-wrongly", "not-the-token", TOKEN, site.environment["SECRET_KEY"]]
    secrets += _secrets_of_the_demo()
    secrets += [value for person in people for value in person.client.cookies.values()]
    assert len(named(loud, "challenge.verified")) == 5
    leaks = [line for line in loud.lines if any(word in line for word in secrets)]
    assert leaks == []


def _secrets_of_the_demo() -> list[str]:
    text = (Path(__file__).resolve().parents[2] / "deploy" / "demo.yaml").read_text()
    found = re.findall(r"(?:token|secret): *\"?([^\s\"]+)", text)
    assert len(found) >= 3
    return found


def test_all_processes_add_up_at_one_address(site: Site, meet: Meet, loud: Running) -> None:
    for nth, mode in enumerate(["delivered", "delivered", "delivered", "not_on_whatsapp"]):
        person = meet(f"+8525123630{nth}")
        if mode != "delivered":
            person.handset.set_handset(person.phone, whatsapp=mode)
        person.ask_for_code()
        person.type_code(person.wait_for_code("sms" if mode == "not_on_whatsapp" else "whatsapp"))
    until(lambda: total(samples(site), "authsvc_webhooks_total", "200") >= 4, "the reports", 10)
    until(lambda: "authsvc_sweep_age_seconds[]" in samples(site), "the first sweep", 20)
    found = samples(site)

    assert total(found, "authsvc_challenges_started_total", "whatsapp") == 4
    assert total(found, "authsvc_challenges_ended_total", "verified") == 4
    assert total(found, "authsvc_deliveries_total", "whatsapp", "meta", "accepted") == 4
    assert total(found, "authsvc_deliveries_total", "whatsapp", "failed", "not_on_channel") == 1
    assert total(found, "authsvc_fallbacks_total", "sms", "not_on_channel") == 1
    assert total(found, "authsvc_provider_call_seconds_count", "meta", "accepted") == 4
    assert total(found, "authsvc_provider_call_seconds_count", "twilio", "accepted") == 1
    assert total(found, "authsvc_since_start_seconds_count", "verified") == 4
    assert total(found, "authsvc_since_start_seconds_count", "delivered", "whatsapp") == 3
    assert total(found, "authsvc_http_request_seconds_count", "302") >= 8
    assert total(found, "authsvc_sender_state", "closed") == 2
    assert total(found, "authsvc_database_up") == 1
    assert "authsvc_due_deliveries[]" in found
    assert found["authsvc_sweep_age_seconds[]"] < 5


def test_the_counts_are_nobody_elses_business(site: Site, loud: Running) -> None:
    """P8: a proxy that is not listed as trusted makes the world look local."""
    address = f"{site.ports.base}/metrics"

    def status(**headers: str) -> int:
        return httpx.get(
            address, headers={name.replace("_", "-"): value for name, value in headers.items()}
        ).status_code

    assert status() == 200
    assert status(X_Forwarded_For="203.0.113.9") == 404
    assert status(X_Forwarded_For="203.0.113.9", Authorization=f"Bearer {TOKEN}") == 200
    assert status(X_Forwarded_For="203.0.113.9", Authorization="Bearer wrong") == 404
    assert httpx.post(address).status_code == 405
    assert httpx.post(address, headers={"X-Forwarded-For": "203.0.113.9"}).status_code == 404


def test_a_worker_of_its_own_shows_what_it_counted(site: Site) -> None:
    port = str(free_port())
    with running(["manage.py", "serve", "--only", "worker"], **site.environment, METRICS_PORT=port) as worker:
        until(lambda: worker.has("metrics.served"), "the worker", 30)
        assert answers(f"http://127.0.0.1:{port}/metrics")
        assert "authsvc_provider_call_seconds" in httpx.get(f"http://127.0.0.1:{port}/metrics").text


def test_folders_of_processes_that_are_gone_are_removed(site: Site) -> None:
    folder = Path(site.environment["AUTHSVC_VAR"]) / "metrics"
    (folder / "999999999").mkdir(parents=True)
    with site.served() as process:
        assert [path.name for path in folder.iterdir()] == [str(process.process.pid)]
