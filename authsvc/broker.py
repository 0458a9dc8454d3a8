"""Celery's broker from one URL: Redis, Redis through Sentinel, RabbitMQ, or memory."""

from projects.kv import SENTINEL, impatient, sentinel_url


def read(url: str) -> tuple[str, dict[str, object]]:
    """The URL as kombu wants it, and its transport options. Raises ImproperlyConfigured."""
    if url.startswith("memory"):
        return url, {"polling_interval": 0.02}
    if url.startswith("amqp"):
        return url, {
            # py-amqp's: a ring that the broker has taken is there, and one that hangs ends.
            "confirm_publish": True,
            "read_timeout": 3,
            "write_timeout": 3,
            # kombu's: otherwise it tries to connect for as long as it takes, inside the request.
            "max_retries": 1,
            "interval_start": 0,
            "interval_step": 0.1,
        }
    options: dict[str, object] = {"socket_timeout": 3, "socket_connect_timeout": 1}
    if url.startswith(SENTINEL):
        found = sentinel_url(url)
        return found.for_celery, options | {"master_name": found.service, "sentinel_kwargs": impatient()}
    return url, options
