"""Is the process up, and is what it needs there?"""

import redis
from django.db import DatabaseError, connection
from django.http import HttpRequest, JsonResponse
from django.views.decorators.http import require_safe

from projects.kv import redis_client


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


@require_safe
def readyz(_request: HttpRequest) -> JsonResponse:
    """200 when database and Redis answer, else 503 with the names of those that do not."""
    failing = [name for name, answers in (("database", _database), ("redis", _redis)) if not answers()]
    return JsonResponse(
        {"status": "failing" if failing else "ok", "failing": failing}, status=503 if failing else 200
    )
