"""The Celery application: ids of requests travel with tasks, a worker that ends claims no more, and wrong settings stop it."""

from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any

import pytest
from celery.signals import (
    before_task_publish,
    task_postrun,
    task_prerun,
    worker_ready,
    worker_shutdown,
    worker_shutting_down,
)
from django.conf import LazySettings
from structlog.contextvars import bind_contextvars, clear_contextvars, get_contextvars

from authsvc.beat import Beat
from authsvc.celery import app
from ops import metrics
from otp import sweep, waiting

HEADER = "authsvc_request_id"


@pytest.fixture(autouse=True)
def _nothing_bound() -> Iterator[None]:
    clear_contextvars()
    yield
    clear_contextvars()


def published(headers: dict[str, Any]) -> dict[str, Any]:
    before_task_publish.send(sender="otp.tasks.send", headers=headers)
    return headers


def running(**request: Any) -> None:
    """As a worker begins a task: its headers are attributes of the request, or lie in it, by version of the message."""
    given = {"headers": None} | request
    task_prerun.send(sender="task", task=SimpleNamespace(request=given_request(given)))


def given_request(values: dict[str, Any]) -> Any:
    class Request(dict[str, Any]):
        headers = values["headers"]

    return Request({name: value for name, value in values.items() if name != "headers"})


def test_a_task_carries_the_id_of_the_request_that_enqueued_it() -> None:
    bind_contextvars(request_id="a-request", challenge_id="not for a header")

    assert published({"id": "1"}) == {"id": "1", HEADER: "a-request"}


def test_a_task_of_beat_carries_none() -> None:
    assert published({"id": "1"}) == {"id": "1"}


@pytest.mark.parametrize(
    ("request_of_task", "bound"),
    [
        ({HEADER: "a-request"}, {"request_id": "a-request"}),
        ({"headers": {HEADER: "a-request"}}, {"request_id": "a-request"}),
        ({HEADER: "nearer", "headers": {HEADER: "farther"}}, {"request_id": "nearer"}),
        ({"headers": {}}, {}),
        ({"headers": None}, {}),
    ],
    ids=["a value", "a header", "both", "no header", "no headers"],
)
def test_what_a_task_logs_carries_it_too(request_of_task: dict[str, Any], bound: dict[str, str]) -> None:
    bind_contextvars(request_id="of the task before", left="over")

    running(**request_of_task)

    assert get_contextvars() == bound


def test_nothing_of_a_task_stays_bound() -> None:
    running(**{HEADER: "a-request"})
    bind_contextvars(delivery_id="1")

    task_postrun.send(sender="task", task_id="1")

    assert get_contextvars() == {}


def test_from_one_process_to_the_other() -> None:
    """All of the way, with Celery's own messages."""
    seen: list[dict[str, Any]] = []

    @app.task(name="tests.note")
    def note() -> None:
        seen.append(dict(get_contextvars()))

    bind_contextvars(request_id="a-request")
    try:
        note.apply(headers=published({}))
        note.apply()
    finally:
        app.tasks.pop("tests.note")

    assert seen == [{"request_id": "a-request"}, {}]


def test_a_worker_that_is_told_to_end_claims_no_more(monkeypatch: pytest.MonkeyPatch) -> None:
    stopped: list[bool] = []
    monkeypatch.setattr(sweep, "stop", lambda: stopped.append(True))

    worker_shutting_down.send(sender="worker", sig="SIGTERM", how="Warm", exitcode=0)

    assert stopped == [True]


def test_the_end_of_a_worker_waits_for_messages_at_their_provider(monkeypatch: pytest.MonkeyPatch) -> None:
    finished: list[bool] = []
    monkeypatch.setattr(waiting, "finish", lambda: finished.append(True))

    worker_shutdown.send(sender="worker")

    assert finished == [True]


@pytest.mark.parametrize(("port", "served"), [(0, []), (9100, [("127.0.0.1", 9100)])])
def test_a_worker_serves_its_metrics_where_a_port_is_set(
    port: int, served: list[tuple[str, int]], settings: LazySettings, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings.METRICS_PORT, settings.METRICS_ADDRESS = port, "127.0.0.1"
    calls: list[tuple[str, int]] = []
    monkeypatch.setattr(metrics, "serve_counters", lambda *, address, port: calls.append((address, port)))

    monkeypatch.setattr(Beat, "start", lambda _self: None)

    worker_ready.send(sender="worker")

    assert calls == served


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("task_ignore_result", True), ("task_acks_late", False), ("task_serializer", "json"), ("accept_content", ("json",)),
        ("timezone", "UTC"), ("worker_enable_remote_control", False), ("worker_send_task_events", False),
        ("task_publish_retry", False), ("worker_hijack_root_logger", False), ("worker_prefetch_multiplier", 4),
    ],
)  # fmt: skip
def test_celery_is_set_as_the_database_being_the_truth_allows(name: str, value: object) -> None:
    """No results, no pickles, no remote control, and nothing waits for the broker."""
    assert app.conf[name] == value
