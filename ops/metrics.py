"""`/metrics`: the counters of the processes and the present state. Only for trusted networks, or with a token."""

import hmac
import ipaddress
import os
import threading
from collections.abc import Iterator
from wsgiref.simple_server import WSGIServer

import redis
import structlog
from django.conf import settings
from django.db import DatabaseError
from django.http import Http404, HttpRequest, HttpResponse
from django.views.decorators.http import require_safe
from prometheus_client import (
    CONTENT_TYPE_LATEST,
    REGISTRY,
    CollectorRegistry,
    generate_latest,
    start_http_server,
)
from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.multiprocess import MultiProcessCollector
from prometheus_client.registry import Collector

from channels import alerts, health
from channels.breaker import State
from ops import processes
from otp import heartbeat

log = structlog.get_logger(__name__)

DIRECTORY = processes.METRICS_FOLDER


class PresentState(Collector):
    """Read from database and Redis at each scrape: the backlog, the senders, the age of the last sweep."""

    def collect(self) -> Iterator[Metric]:
        try:
            yield from _backlog()
            yield from _senders()
            up = 1
        except DatabaseError:
            up = 0
        yield GaugeMetricFamily("authsvc_database_up", "Whether the database answered this scrape", value=up)
        try:
            age = heartbeat.seconds_since_sweep()
        except redis.RedisError:
            age = None
        if age is not None:
            yield GaugeMetricFamily("authsvc_sweep_age_seconds", "Since the last sweep", value=age)

    def describe(self) -> list[Metric]:
        return []  # registering must not query the database


def _backlog() -> Iterator[Metric]:
    due = heartbeat.due_now()
    yield GaugeMetricFamily(
        "authsvc_due_deliveries", "Deliveries past the time to look at them", value=due.count
    )
    yield GaugeMetricFamily("authsvc_due_age_seconds", "Age of the oldest of them", value=due.oldest_seconds)


def _senders() -> Iterator[Metric]:
    state = GaugeMetricFamily(
        "authsvc_sender_state", "1 for the state that a sender is in", labels=["sender", "channel", "state"]
    )
    for sender_id, channel, current in health.states():
        for item in State:
            state.add_metric([str(sender_id), channel, item.value], float(item is current))
    yield state
    alert = GaugeMetricFamily(
        "authsvc_sender_alert", "1: an operator must act", labels=["sender", "channel", "reason"]
    )
    for sender_id, channel, reason in alerts.labels():
        alert.add_metric([str(sender_id), channel, reason], 1.0)
    yield alert


def _counters() -> CollectorRegistry:
    if not os.environ.get(DIRECTORY):
        return REGISTRY
    registry = CollectorRegistry()
    MultiProcessCollector(registry)  # type: ignore[no-untyped-call] # not annotated
    return registry


def text() -> bytes:
    present = CollectorRegistry()
    present.register(PresentState())
    return generate_latest(_counters()) + generate_latest(present)


def _may_read(request: HttpRequest) -> bool:
    token = settings.AUTHSVC_METRICS_TOKEN
    scheme, _, credentials = request.headers.get("Authorization", "").partition(" ")
    if token and scheme == "Bearer" and hmac.compare_digest(credentials.strip().encode(), token.encode()):
        return True
    # Behind a proxy that is not trusted, every request has the address of the proxy.
    if "X-Forwarded-For" in request.headers or "Forwarded" in request.headers:
        return False
    try:
        address = ipaddress.ip_address(request.META.get("REMOTE_ADDR", ""))
    except ValueError:
        return False
    return any(address in network for network in settings.AUTHSVC_METRICS_NETWORKS)


def metrics(request: HttpRequest) -> HttpResponse:
    """404 for everyone else, so that it does not show that the page exists."""
    if not _may_read(request):
        raise Http404
    return _response(request)


@require_safe
def _response(_request: HttpRequest) -> HttpResponse:
    return HttpResponse(text(), content_type=CONTENT_TYPE_LATEST)


def serve_counters(*, address: str, port: int) -> tuple[WSGIServer, threading.Thread]:
    """Serve the counters of this process, and of those that share its directory, on a port of its own: for workers."""
    server, thread = start_http_server(port, addr=address, registry=_counters())
    log.info("metrics.served", port=port)
    return server, thread
