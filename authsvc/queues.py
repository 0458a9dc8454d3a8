"""What Celery is told beside its broker: settings that never differ. Read by authsvc.settings."""

CELERY_TASK_PUBLISH_RETRY = False
CELERY_BROKER_CONNECTION_RETRY_ON_STARTUP = True
CELERY_TASK_IGNORE_RESULT = True
CELERY_TASK_STORE_ERRORS_EVEN_IF_IGNORED = False
CELERY_TASK_ACKS_LATE = False  # the database says what is left to do, not the broker
CELERY_WORKER_PREFETCH_MULTIPLIER = 4
CELERY_WORKER_HIJACK_ROOT_LOGGER = False
CELERY_WORKER_ENABLE_REMOTE_CONTROL = False
CELERY_WORKER_SEND_TASK_EVENTS = False
# What beat rings has a queue of its own, so that a long queue of fresh logins does not keep it, nor it them.
CELERY_TASK_ROUTES = {
    name: {"queue": "sweep"}
    for name in (
        "otp.tasks.watch_deliveries",
        "otp.tasks.purge",
        "login.tasks.purge",
        "events.tasks.post_due",
        "events.tasks.purge",
        "oidc.tasks.post_logouts",
        "oidc.tasks.purge",
    )
}
CELERY_TASK_SERIALIZER = "json"
CELERY_ACCEPT_CONTENT = ["json"]
CELERY_TIMEZONE = "UTC"
CELERY_BEAT_SCHEDULE = {
    "watch-deliveries": {"task": "otp.tasks.watch_deliveries", "schedule": 1.0, "options": {"expires": 5}},
    "post-events": {"task": "events.tasks.post_due", "schedule": 2.0, "options": {"expires": 10}},
    "purge-events": {"task": "events.tasks.purge", "schedule": 600.0, "options": {"expires": 60}},
    "purge": {"task": "otp.tasks.purge", "schedule": 60.0, "options": {"expires": 50}},
    "post-logouts": {"task": "oidc.tasks.post_logouts", "schedule": 2.0, "options": {"expires": 10}},
    "purge-tokens": {"task": "oidc.tasks.purge", "schedule": 60.0, "options": {"expires": 50}},
    "purge-sessions": {"task": "login.tasks.purge", "schedule": 60.0, "options": {"expires": 50}},
}
CELERY_BEAT_MAX_LOOP_INTERVAL = 1
