"""doctor, send_test_code and rotate_keys as an operator runs them, beside the running service."""

import json
import os
import signal

import pytest
from cryptography.fernet import Fernet

from tests.live.site import Meet, Site
from tests.processes import children, until
from tests.simulator_client import SimulatorClient

pytestmark = [
    pytest.mark.processes,
    pytest.mark.postgres,
    pytest.mark.django_db,
    pytest.mark.xdist_group("operate"),
]
PHONE = "+85251235001"


def lines(site: Site, *arguments: str) -> tuple[int, list[dict[str, str]]]:
    found = site.ask("doctor", "--json", *arguments)
    lines: list[dict[str, str]] = json.loads(found.stdout)
    assert all(set(line) == {"check", "subject", "status", "detail", "remedy"} for line in lines)
    return found.returncode, lines


def failing(found: list[dict[str, str]]) -> set[str]:
    return {line["check"] for line in found if line["status"] == "fail"}


def test_doctor_is_content_with_a_service_that_works_and_names_what_died(site: Site) -> None:
    with site.served() as process:
        status, found = lines(site)
        assert (status, failing(found)) == (0, set()), found
        assert {line["check"] for line in found} == {
            "settings", "database", "migrations", "redis", "broker", "workers", "clock", "keys", "projects",
            "set-up", "clients", "senders", "reports", "public-url",
        }  # fmt: skip
        said = " ".join(line["detail"] for line in found)
        assert "a worker answers on celery" in said
        assert "/whatsapp/webhook answers Meta's verification" in said
        assert "is approved" in said

        with SimulatorClient(site.ports.handsets) as simulator:
            simulator.set_faults(whatsapp_outage="token_expired")
            status, found = lines(site)
            assert (status, failing(found)) == (1, {"senders"})
            assert any("error 190" in line["detail"] and line["remedy"] for line in found)
            simulator.set_faults(whatsapp_outage=None)
        os.kill(process.process.pid, signal.SIGKILL)
        until(lambda: not children(process.process.pid), "the end of all", 20)

    status, found = lines(site, "--skip", "senders")
    assert (status, failing(found)) == (1, {"workers", "public-url"})
    assert "sim-" not in json.dumps(found)  # how the simulator's secrets begin


def test_a_test_message_is_followed_to_the_handset(site: Site, meet: Meet) -> None:
    with site.served():
        arrived = site.ask("send_test_code", PHONE)
        assert (arrived.returncode, arrived.stdout.splitlines()[-1]) == (0, "arrived by whatsapp")
        assert "accepted" in arrived.stdout or "delivered" in arrived.stdout

        person = meet("+85251235002")
        person.handset.set_handset(person.phone, whatsapp="not_on_whatsapp")
        fallen_back = site.ask("send_test_code", person.phone)
        assert (fallen_back.returncode, fallen_back.stdout.splitlines()[-1]) == (0, "arrived by sms")
        assert "failed (not_on_channel)" in fallen_back.stdout

        nobody = meet("+85251235003")
        nobody.handset.set_handset(nobody.phone, whatsapp="not_on_whatsapp", sms="undelivered")
        lost = site.ask("send_test_code", nobody.phone)
        assert (lost.returncode, lost.stdout.splitlines()[-1][:13]) == (1, "not delivered")

        site.environment["AUTHSVC_LIMITS"] = "send.number.hour:1/1h"
        again = site.ask("send_test_code", PHONE)
        assert (again.returncode, again.stdout) == (2, "")
        assert "limits" in again.stderr
        for output in (arrived.stdout, fallen_back.stdout, lost.stdout):
            assert PHONE[1:] not in output
            assert not any(word.isdigit() and len(word) == 6 for word in output.split())


def test_keys_are_rotated_under_a_running_service(site: Site, meet: Meet) -> None:
    old, new = Fernet.generate_key().decode(), Fernet.generate_key().decode()
    site.environment["AUTHSVC_ENCRYPTION_KEYS"] = old
    database = site.environment["DATABASE_URL"]
    assert site.ask("flush", "--no-input").returncode == 1
    site.environment["DATABASE_URL"] = f"{database}?options=-c%20authsvc.audit_purge%3Don"  # docs/audit.md
    site.run("flush", "--no-input")
    site.environment["DATABASE_URL"] = database
    site.run("apply", "deploy/demo.yaml")
    site.environment["AUTHSVC_ENCRYPTION_KEYS"] = f"{new},{old}"
    assert site.ask("rotate_keys", "--check").returncode == 3
    site.run("rotate_keys")
    site.environment["AUTHSVC_ENCRYPTION_KEYS"] = new
    assert site.ask("rotate_keys", "--check").returncode == 0

    with site.served():
        person = meet("+85251235004")
        person.ask_for_code()
        assert person.type_code(person.wait_for_code("whatsapp")).status_code == 302
