"""The web application, killed after a start is committed and before its send is queued. Only tests run it."""

import os
import signal
import uuid

from authsvc.wsgi import application
from otp import queue


def _kill_this_process(delivery_id: uuid.UUID) -> None:
    os.kill(os.getpid(), signal.SIGKILL)


queue.enqueue_send = _kill_this_process

__all__ = ["application"]
