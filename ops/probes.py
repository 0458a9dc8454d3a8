"""Liveness and readiness probes: `/healthz` and `/readyz`."""

import redis
from celery import current_app as app
from django.conf import settings
from django.db import DatabaseError, connection
from django.http import HttpRequest, JsonResponse
from django.views.decorators.http import require_safe
from kombu.exceptions import OperationalError

from core.redis import redis_client


@require_safe
def healthz(_request: HttpRequest) -> JsonResponse:
    return JsonResponse({"status": "ok"})


def _database() -> bool:
    try:
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1")
    except DatabaseError:
        return False
    return True


def _redis() -> bool:
    client = redis_client()
    try:
        return client is None or bool(client.ping())
    except redis.RedisError:
        return False


def _broker() -> bool:
    """Only a separate broker: Redis has a check of its own, and an in-memory broker is this process."""
    if settings.CELERY_BROKER_URL == settings.REDIS_URL or settings.CELERY_BROKER_URL.startswith("memory:"):
        return True
    try:
        with app.connection_for_write(connect_timeout=2) as connection:
            connection.ensure_connection(max_retries=1, timeout=2)
    except (OperationalError, OSError):
        return False
    return True


_CHECKS = (("database", _database), ("redis", _redis), ("broker", _broker))


@require_safe
def readyz(_request: HttpRequest) -> JsonResponse:
    """200 when database, Redis and broker answer, else 503 with the names of those that do not answer."""
    failing = [name for name, check in _CHECKS if not check()]
    return JsonResponse(
        {"status": "failing" if failing else "ok", "failing": failing}, status=503 if failing else 200
    )
