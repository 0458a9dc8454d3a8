"""`python -m authsvc.worker`: a worker process, with the options that this service needs.

Celery's command line does the same and imports 200 modules more for it: its shell, its other commands.
"""

import os
import sys

from django.conf import settings

from authsvc.celery import app
from core import env
from ops.processes import keep_what_is_loaded


def main() -> None:
    """Run until SIGTERM; what is in flight is finished first."""
    # `manage.py serve` has made ours. Django's own would import every page.
    os.environ["CELERY_SKIP_CHECKS"] = "1"
    # One more than send at a time: the task that hands messages out stays while there are any.
    worker = app.Worker(
        pool_cls="threads", concurrency=settings.WORKER_THREADS + 1,
        queues=env.words("WORKER_QUEUES", ("celery", "sweep")), loglevel="INFO", quiet=True,
        without_heartbeat=True, without_gossip=True, without_mingle=True,
    )  # fmt: skip
    keep_what_is_loaded()
    worker.start()
    sys.exit(worker.exitcode)


if __name__ == "__main__":
    main()
