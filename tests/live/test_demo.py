"""`make demo` as its user meets it: every part real, over HTTP."""

import subprocess
import sys
import threading
from pathlib import Path

import httpx
import pytest

from tests.live.conftest import Demo
from tests.processes import ROOT, clean_environment, until

pytestmark = [pytest.mark.processes, pytest.mark.xdist_group("demo")]


def test_a_person_logs_in_with_a_code_that_came_by_whatsapp(live: Demo) -> None:
    person = live.person()

    started = person.ask_for_code()
    code = person.wait_for_code("whatsapp", seconds=5)
    verified = person.type_code(code)

    assert (started.status_code, started.headers["location"]) == (302, "/login/code/")
    assert (verified.status_code, verified.headers["location"]) == (302, "/account/")
    assert person.phone[-2:] in person.account().text
    assert person.phone not in person.account().text


def test_who_is_not_on_whatsapp_gets_the_sms_by_itself(live: Demo) -> None:
    """D2: within two seconds, and the page says so."""
    person = live.person()
    live.simulator.set_handset(person.phone, whatsapp="not_on_whatsapp")

    person.ask_for_code()
    code = person.wait_for_code("sms", seconds=3)

    assert "not on WhatsApp" in str(person.status()["headline"])
    assert person.type_code(code).status_code == 302


@pytest.mark.parametrize("mode", ["error_500", "rate_limited", "undelivered"])
def test_every_kind_of_failure_ends_in_an_sms(mode: str, live: Demo) -> None:
    person = live.person()
    live.simulator.set_handset(person.phone, whatsapp=mode)

    person.ask_for_code()

    assert person.type_code(person.wait_for_code("sms", seconds=6)).status_code == 302


@pytest.mark.parametrize(
    "fault",
    [
        "error_500",
        "error_503_html",
        "token_expired",
        "template_paused",
        "payment",
        "held",
        "paused",
    ],
)
def test_a_provider_in_trouble_is_no_obstacle(fault: str, live: Demo) -> None:
    """D12: the page is answered at once and the SMS arrives."""
    person = live.person()
    live.simulator.set_faults(whatsapp_outage=fault)

    started = person.ask_for_code()

    assert started.elapsed.total_seconds() < 2
    assert person.wait_for_code("sms", seconds=6)


def quick_wait(live: Demo, seconds: int) -> None:
    """Another process changes the configuration: it acts at once in the running one."""
    text = (ROOT / "deploy" / "demo.yaml").read_text().replace("wait_seconds: 20", f"wait_seconds: {seconds}")
    file = Path(live.folder) / "changed.yaml"
    file.write_text(text)
    environment = clean_environment(
        AUTHSVC_MODE="demo",
        AUTHSVC_VAR=live.folder,
        DATABASE_URL=f"sqlite:///{live.folder}/demo.sqlite3",
        SECRET_KEY=(Path(live.folder) / "demo-secret-key").read_text(),
    )
    subprocess.run(
        [sys.executable, "manage.py", "apply", str(file)],
        cwd=ROOT,
        env=environment,
        check=True,
        capture_output=True,
    )


@pytest.mark.parametrize("fault", ["silent", "refuse", "hang", "not_json", "half_json", "no_id"])
def test_silence_ends_in_one_sms_after_the_wait(fault: str, live: Demo) -> None:
    """D1: and never before; a garbled answer may hide an accepted message, so it counts as silence."""
    quick_wait(live, 5)
    person = live.person()
    if fault == "silent":
        live.simulator.set_handset(person.phone, whatsapp="silent")
    else:
        live.simulator.set_faults(whatsapp_outage=fault, hang_seconds=6)

    person.ask_for_code()
    assert not [item for item in live.simulator.messages(person.phone) if item["channel"] == "sms"]
    code = person.wait_for_code("sms", seconds=5 + 5 + 3)

    assert person.type_code(code).status_code == 302
    sent = [item["channel"] for item in live.simulator.sends(to=person.phone)]
    assert sent == ["whatsapp", "sms"]


def test_a_message_that_was_accepted_before_the_connection_closed_is_not_repeated(live: Demo) -> None:
    """D11."""
    quick_wait(live, 5)
    person = live.person()
    live.simulator.set_faults(whatsapp_outage="accept_then_close")

    person.ask_for_code()
    code = person.wait_for_code("whatsapp")
    until(lambda: person.status()["deliveries"][-1]["status"] in ("delivered", "read"), "the report")  # type: ignore[index] # a list of mappings

    assert len(live.simulator.sends(to=person.phone)) == 1
    assert person.type_code(code).status_code == 302


@pytest.mark.parametrize(
    "reports",
    [{"shuffle": True}, {"double": True}, {"before_answer": True}, {"batch": True}, {"unknown_fields": True}],
)
def test_reports_may_come_as_they_like(reports: dict[str, bool], live: Demo) -> None:
    """D5, D6, D8."""
    person = live.person()
    live.simulator.set_faults(reports=reports)

    person.ask_for_code()
    code = person.wait_for_code("whatsapp")
    until(lambda: person.status()["deliveries"][-1]["status"] == "delivered", "delivered")  # type: ignore[index] # a list of mappings

    assert person.type_code(code).status_code == 302
    assert len(live.simulator.sends(to=person.phone)) == 1


def test_forged_reports_move_nothing(live: Demo) -> None:
    """D7."""
    person = live.person()
    live.simulator.set_faults(reports={"forge": True})

    person.ask_for_code()
    person.wait_for_code("whatsapp")
    until(lambda: "webhook.refused" in live.process.output, "the refusal")

    assert person.status()["deliveries"][-1]["status"] == "accepted"  # type: ignore[index] # a list of mappings


def test_both_providers_down_is_said_and_not_hidden(live: Demo) -> None:
    person = live.person()
    live.simulator.set_faults(whatsapp_outage="payment", sms_outage="refuse")

    started = person.ask_for_code()
    until(lambda: "could not" in str(person.status()["headline"]), "the page's word", seconds=15)

    assert started.status_code == 302


def test_twenty_posts_of_one_form_at_once_give_one_message(live: Demo) -> None:
    """C2, over HTTP."""
    from tests.people import hidden_fields

    person = live.person()
    fields = {**hidden_fields(person.client.get("/login/").text), "country": "HK", "phone": person.phone}
    cookies = dict(person.client.cookies)
    barrier = threading.Barrier(20)
    results: list[tuple[int, str]] = []

    def post() -> None:
        with httpx.Client(
            base_url=live.ports.base, cookies=cookies, headers={"Origin": live.ports.base}
        ) as client:
            barrier.wait()
            answer = client.post("/login/", data=fields, timeout=20)
            results.append((answer.status_code, answer.headers.get("location", "")))

    threads = [threading.Thread(target=post) for _ in range(20)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=30)
    person.wait_for_code("whatsapp")

    assert results == [(302, "/login/code/")] * 20
    assert len(live.simulator.sends(to=person.phone)) == 1


def test_fifty_right_answers_at_once_give_one_login(live: Demo) -> None:
    """A6, over HTTP and several connections."""
    from tests.people import hidden_fields

    person = live.person()
    person.ask_for_code()
    code = person.wait_for_code("whatsapp")
    fields = {**hidden_fields(person.client.get("/login/code/").text), "code": code}
    cookies = dict(person.client.cookies)
    barrier = threading.Barrier(50)
    sessions: list[str | None] = []
    statuses: list[int] = []

    def post() -> None:
        with httpx.Client(
            base_url=live.ports.base, cookies=cookies, headers={"Origin": live.ports.base}
        ) as client:
            barrier.wait()
            answer = client.post("/login/code/", data=fields, timeout=30)
            statuses.append(answer.status_code)
            sessions.append(answer.cookies.get("sessionid"))

    threads = [threading.Thread(target=post) for _ in range(50)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=60)

    assert set(statuses) <= {302, 303}
    assert len({session for session in sessions if session}) == 1
    assert live.process.output.count("challenge.verified") >= 1


def test_no_code_and_no_number_is_in_the_logs(live: Demo) -> None:
    """A9, P2."""
    person = live.person()
    live.simulator.set_handset(person.phone, whatsapp="not_on_whatsapp")
    person.ask_for_code()
    code = person.wait_for_code("sms")
    person.type_code(code)

    until(lambda: "challenge.verified" in live.process.output, "the log")
    assert code not in live.process.output
    assert person.phone[1:] not in live.process.output


def test_the_phone_page_and_its_messages_are_served(live: Demo) -> None:
    person = live.person()
    person.ask_for_code()
    person.wait_for_code("whatsapp")

    assert httpx.get(f"{live.ports.base}/demo/phone/").status_code == 200
    messages = httpx.get(f"{live.ports.base}/demo/phone/api/handsets/{person.phone}/messages").json()
    assert messages[0]["channel"] == "whatsapp"


def test_the_welcome_names_what_to_open_and_the_password_opens_the_admin(live: Demo) -> None:
    words = next(line for line in live.process.lines if "/admin/" in line).split()
    password = words[words.index("/") + 1]
    with httpx.Client(
        base_url=live.ports.base, headers={"Origin": live.ports.base}, follow_redirects=True
    ) as client:
        page = client.get("/admin/login/")
        token = page.text.split('name="csrfmiddlewaretoken" value="')[1].split('"')[0]
        inside = client.post(
            "/admin/login/?next=/admin/otp/challenge/",
            data={"csrfmiddlewaretoken": token, "username": "admin", "password": password},
        )

    assert "/login/" in live.process.output
    assert "/demo/phone/" in live.process.output
    assert (inside.status_code, inside.url.path) == (200, "/admin/otp/challenge/")
