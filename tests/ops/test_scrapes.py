"""`/metrics` by name: what dashboards and alerts ask for is there, with its labels, from one process and from several."""

import os
import subprocess
import sys
from pathlib import Path
from typing import Any
from urllib.request import urlopen

import pytest
import structlog
from django.test import Client
from django.utils import timezone
from prometheus_client.parser import text_string_to_metric_families
from pytest_django import Settings

from channels.breaker import State
from channels.models import Sender, SenderHealth, SenderReports
from core import metrics as counters
from ops import metrics
from otp import heartbeat
from scripts.services import free_port
from tests import factories
from tests.clock import later
from tests.processes import ROOT, clean_environment

pytestmark = pytest.mark.django_db

type Labels = tuple[tuple[str, str], ...]


def samples(name: str, text: str | None = None) -> dict[Labels, float]:
    """The values of one name, by their labels."""
    known = metrics.text().decode() if text is None else text
    return {
        tuple(sorted(sample.labels.items())): sample.value
        for family in text_string_to_metric_families(known)
        for sample in family.samples
        if sample.name == name
    }


def named(**labels: Any) -> Labels:
    return tuple(sorted((name, str(value)) for name, value in labels.items()))


PRESENT = {
    "authsvc_due_deliveries": set(),
    "authsvc_due_age_seconds": set(),
    "authsvc_sender_state": {"sender", "channel", "state"},
    "authsvc_sender_alert": {"sender", "channel", "reason"},
    "authsvc_database_up": set(),
    "authsvc_sweep_age_seconds": set(),
}


def test_every_gauge_has_its_name_and_labels() -> None:
    sender = factories.make_sender("whatsapp", provider="meta")
    SenderReports.objects.create(sender=sender, missing_since=timezone.now())
    heartbeat.swept()

    families = {family.name: family for family in metrics.PresentState().collect()}

    assert {
        name: {label for sample in family.samples for label in sample.labels}
        for name, family in families.items()
    } == PRESENT
    assert {family.type for family in families.values()} == {"gauge"}
    assert all(family.documentation for family in families.values())


def test_registering_asks_no_database(django_assert_num_queries: Any) -> None:
    with django_assert_num_queries(0):
        assert metrics.PresentState().describe() == []


def test_an_alert_is_there_while_an_operator_must_act() -> None:
    whatsapp, sms = (
        factories.make_sender("whatsapp", provider="meta"),
        factories.make_sender("sms", provider="twilio"),
    )
    factories.make_sender("sms", provider="twilio", is_active=False)
    assert samples("authsvc_sender_alert") == {}

    SenderReports.objects.create(sender=whatsapp, missing_since=timezone.now())
    SenderHealth.objects.create(sender=sms, alert=True, reason="payment", since=timezone.now())
    assert samples("authsvc_sender_alert") == {
        named(sender=whatsapp.id, channel="whatsapp", reason="reports_missing"): 1.0,
        named(sender=sms.id, channel="sms", reason="payment"): 1.0,
    }

    SenderHealth.objects.update(alert=False)
    SenderReports.objects.update(missing_since=None)
    assert samples("authsvc_sender_alert") == {}


def test_a_sender_has_a_line_for_each_state_and_one_that_is_off_has_none() -> None:
    sender = factories.make_sender("sms")
    factories.make_sender("whatsapp", is_active=False)

    lines = samples("authsvc_sender_state")

    assert lines == {
        named(sender=sender.id, channel="sms", state=state.value): float(state is State.CLOSED)
        for state in State
    }
    Sender.objects.all().delete()
    assert samples("authsvc_sender_state") == {}


def test_the_age_of_the_sweep_grows_until_the_next_one() -> None:
    heartbeat.swept()
    with later(90):
        (age,) = samples("authsvc_sweep_age_seconds").values()
        assert 89.9 <= age < 120  # stored in milliseconds
        heartbeat.swept()
        (age,) = samples("authsvc_sweep_age_seconds").values()
        assert age < 1


@pytest.mark.parametrize(
    ("counter", "labels", "name"),
    [
        (counters.STARTED, {"channel": "sms"}, "authsvc_challenges_started_total"),
        (counters.WEBHOOKS, {"provider": "meta", "status": "401"}, "authsvc_webhooks_total"),
        (counters.LIMITED, {"rule": "send.number.hour"}, "authsvc_limits_refused_total"),
        (counters.FALLBACKS, {"channel": "sms", "cause": "silence"}, "authsvc_fallbacks_total"),
        (
            counters.DELIVERIES,
            {"channel": "sms", "provider": "http", "status": "failed", "reason": "unreachable"},
            "authsvc_deliveries_total",
        ),
    ],
)
def test_a_counter_of_this_process_is_on_the_page(counter: Any, labels: dict[str, str], name: str) -> None:
    before = samples(name).get(named(**labels), 0.0)

    counter.labels(**labels).inc(3)

    assert samples(name)[named(**labels)] == before + 3


def test_counters_of_several_processes_are_added_and_state_is_read_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    code = (
        "from core import metrics; metrics.STARTED.labels('sms').inc(2); metrics.SWEPT.labels('silent').inc()"
    )
    for _ in range(2):
        environment = clean_environment(PROMETHEUS_MULTIPROC_DIR=str(tmp_path), PYTHONDONTWRITEBYTECODE="1")
        subprocess.run([sys.executable, "-c", code], cwd=ROOT, env=environment, check=True)
    monkeypatch.setenv(metrics.DIRECTORY, str(tmp_path))

    text = metrics.text().decode()

    assert samples("authsvc_challenges_started_total", text) == {named(channel="sms"): 4.0}
    assert samples("authsvc_sweep_deliveries_total", text) == {named(case="silent"): 2.0}
    assert samples("authsvc_database_up", text) == {(): 1.0}


def test_a_worker_serves_its_counters_on_a_port_of_its_own_and_no_state(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.delenv(metrics.DIRECTORY, raising=False)
    counters.SWEPT.labels("lost").inc()
    port = free_port()
    with structlog.testing.capture_logs() as lines:
        server, thread = metrics.serve_counters(address="127.0.0.1", port=port)
    try:
        with urlopen(f"http://127.0.0.1:{port}/metrics", timeout=5) as page:
            text = page.read().decode()
    finally:
        server.shutdown()
        server.server_close()
        thread.join(timeout=5)

    assert [(line["event"], line["port"]) for line in lines] == [("metrics.served", port)]
    assert samples("authsvc_sweep_deliveries_total", text)[named(case="lost")] >= 1
    assert "authsvc_due_deliveries" not in text


def test_a_head_request_reads_no_body(client: Client, settings: Settings) -> None:
    settings.AUTHSVC_METRICS_TOKEN = "a-token-for-scrapes"

    page = client.head("/metrics", headers={"Authorization": "Bearer a-token-for-scrapes"})

    assert (page.status_code, page.content) == (200, b"")
    assert os.environ.get(metrics.DIRECTORY) is None
