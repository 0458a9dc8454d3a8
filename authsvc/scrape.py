"""`/metrics`: what processes counted, and what is true now. Only for trusted networks, or with a token."""

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

from channels import health
from channels.breaker import State
from otp import backlog, liveness

log = structlog.get_logger(__name__)

DIRECTORY = "PROMETHEUS_MULTIPROC_DIR"


class Now(Collector):
    """Read from database and Redis when asked for: the backlog, the senders, the last sweep."""

    def collect(self) -> Iterator[Metric]:
        try:
            yield from _backlog()
            yield from _senders()
            up = 1
        except DatabaseError:
            up = 0
        yield GaugeMetricFamily("authsvc_database_up", "Whether the database answered this scrape", value=up)
        try:
            since = liveness.seconds_since_sweep()
        except redis.RedisError:
            since = None
        if since is not None:
            yield GaugeMetricFamily("authsvc_sweep_age_seconds", "Since the last sweep", value=since)

    def describe(self) -> list[Metric]:
        return []  # asking for names must not ask the database


def _backlog() -> Iterator[Metric]:
    found = backlog.due_now()
    yield GaugeMetricFamily(
        "authsvc_due_deliveries", "Deliveries past the time to look at them", value=found.count
    )
    yield GaugeMetricFamily(
        "authsvc_due_age_seconds", "Age of the oldest of them", value=found.oldest_seconds
    )


def _senders() -> Iterator[Metric]:
    state = GaugeMetricFamily(
        "authsvc_sender_state", "1 for the state that a sender is in", labels=["sender", "channel", "state"]
    )
    for sender_id, channel, current in health.states():
        for item in State:
            state.add_metric([str(sender_id), channel, item.value], float(item is current))
    yield state
    alert = GaugeMetricFamily(
        "authsvc_sender_alert", "1: an operator has to act", labels=["sender", "channel", "reason"]
    )
    for sender_id, channel, reason in health.alerts():
        alert.add_metric([str(sender_id), channel, reason], 1.0)
    yield alert


def _counted() -> CollectorRegistry:
    if not os.environ.get(DIRECTORY):
        return REGISTRY
    registry = CollectorRegistry()
    MultiProcessCollector(registry)  # type: ignore[no-untyped-call] # not annotated
    return registry


def text() -> bytes:
    now = CollectorRegistry()
    now.register(Now())
    return generate_latest(_counted()) + generate_latest(now)


def _may_read(request: HttpRequest) -> bool:
    token = settings.AUTHSVC_METRICS_TOKEN
    scheme, _, given = request.headers.get("Authorization", "").partition(" ")
    if token and scheme == "Bearer" and hmac.compare_digest(given.strip().encode(), token.encode()):
        return True
    # A proxy that is not listed as trusted makes the whole world look like its own address.
    if "X-Forwarded-For" in request.headers or "Forwarded" in request.headers:
        return False
    try:
        address = ipaddress.ip_address(request.META.get("REMOTE_ADDR", ""))
    except ValueError:
        return False
    return any(address in network for network in settings.AUTHSVC_METRICS_NETWORKS)


def metrics(request: HttpRequest) -> HttpResponse:
    """404 for everybody else, however they ask: it does not even exist."""
    if not _may_read(request):
        raise Http404
    return _shown(request)


@require_safe
def _shown(_request: HttpRequest) -> HttpResponse:
    return HttpResponse(text(), content_type=CONTENT_TYPE_LATEST)


def serve_counts(*, address: str, port: int) -> tuple[WSGIServer, threading.Thread]:
    """What this process (and those that share its directory) counted, on a port of its own: for workers."""
    server, thread = start_http_server(port, addr=address, registry=_counted())
    log.info("metrics.served", port=port)
    return server, thread
