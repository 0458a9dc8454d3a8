"""Celery: the broker from one URL (Redis, Redis through Sentinel, RabbitMQ or memory), queues, schedule, retention."""

from urllib.parse import urlsplit

from django.core.exceptions import ImproperlyConfigured

from authsvc.settings.env import EMBEDDED, REDIS_URL, TESTING
from core import env
from core.redis import SENTINEL, sentinel_timeouts, sentinel_url

_SERVERS = ("amqp", "amqps", "redis", "rediss", "redis+sentinel", "sentinel")


def choose_broker(url: str, *, redis_url: str) -> str:
    """The broker's URL: its own, else Redis, else memory. Raises ImproperlyConfigured for one that does not fit."""
    if not url:
        return redis_url or "memory://localhost/"
    if not redis_url:
        raise ImproperlyConfigured(
            "CELERY_BROKER_URL is set and REDIS_URL is empty: each process would keep limits of its own. "
            "Set REDIS_URL as well, or unset CELERY_BROKER_URL to run in one process"
        )
    try:
        scheme = urlsplit(url).scheme
    except ValueError:
        scheme = ""
    if scheme not in _SERVERS:  # a task in memory, for example, would reach no other process
        raise ImproperlyConfigured("CELERY_BROKER_URL must name a server: amqp:// or redis://")
    return url


def broker_options(url: str) -> tuple[str, dict[str, object]]:
    """The URL in kombu's spelling, and its transport options. Raises ImproperlyConfigured."""
    if url.startswith("memory"):
        return url, {"polling_interval": 0.02}
    if url.startswith("amqp"):
        return url, {
            # py-amqp: wait until the broker has taken the task, but not forever.
            "confirm_publish": True,
            "read_timeout": 3,
            "write_timeout": 3,
            # kombu: without these it keeps trying to connect, inside the request.
            "max_retries": 1,
            "interval_start": 0,
            "interval_step": 0.1,
        }
    options: dict[str, object] = {"socket_timeout": 3, "socket_connect_timeout": 1}
    if url.startswith(SENTINEL):
        sentinels = sentinel_url(url)
        return sentinels.for_celery, options | {
            "master_name": sentinels.service,
            "sentinel_kwargs": sentinel_timeouts(),
        }
    return url, options


CELERY_BROKER_URL, CELERY_BROKER_TRANSPORT_OPTIONS = broker_options(
    choose_broker(env.text("CELERY_BROKER_URL"), redis_url=REDIS_URL)
)
CELERY_BROKER_CONNECTION_RETRY_ON_STARTUP = True
# A task that is lost costs a second, because the sweep finds its delivery: publishing gives up quickly.
CELERY_TASK_PUBLISH_RETRY = False
CELERY_TASK_IGNORE_RESULT = True
CELERY_TASK_ACKS_LATE = False  # the database knows what is left to do, not the broker
CELERY_WORKER_HIJACK_ROOT_LOGGER = False
CELERY_WORKER_ENABLE_REMOTE_CONTROL = False
CELERY_TIMEZONE = "UTC"

# Messages that a worker sends at once, and overdue ones that the sweep sends at once: both mostly wait for providers.
WORKER_THREADS = env.integer("WORKER_THREADS", 8 if EMBEDDED else 32, minimum=1, maximum=1024)
SWEEP_THREADS = env.integer("SWEEP_THREADS", 1 if TESTING else 4 if EMBEDDED else 16, minimum=1, maximum=1024)

# Everything that deletes expired rows: for each app its function, the task that beat sends, and the seconds between.
# `manage.py purge` runs the same functions.
RETENTION = {
    "otp": ("otp.retention.purge", "otp.tasks.purge", 60.0),
    "login": ("login.retention.purge", "login.tasks.purge", 60.0),
    "oidc": ("oidc.retention.purge", "oidc.tasks.purge", 60.0),
    "events": ("events.services.purge", "events.tasks.purge", 600.0),
    "audit": ("audit.retention.purge", "audit.tasks.purge", 600.0),
}


def _every(seconds: float, task: str, *, expires: int) -> dict[str, object]:
    return {"task": task, "schedule": seconds, "options": {"expires": expires}}


CELERY_BEAT_MAX_LOOP_INTERVAL = 1
CELERY_BEAT_SCHEDULE = {
    "watch-deliveries": _every(1.0, "otp.tasks.watch_deliveries", expires=5),
    "post-events": _every(2.0, "events.tasks.post_due", expires=10),
    "post-logouts": _every(2.0, "oidc.tasks.post_logouts", expires=10),
    "keep-stats": _every(60.0, "stats.tasks.keep", expires=50),
    "read-prices": _every(60.0, "stats.tasks.read_prices", expires=50),
    "remove-projects": _every(60.0, "projects.tasks.remove_projects", expires=50),
    **{f"purge-{app}": _every(seconds, task, expires=50) for app, (_, task, seconds) in RETENTION.items()},
}
# Tasks of beat have a queue of their own, so that a long queue of new logins does not delay them, nor they it.
CELERY_TASK_ROUTES = {str(entry["task"]): {"queue": "sweep"} for entry in CELERY_BEAT_SCHEDULE.values()}
