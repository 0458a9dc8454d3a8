"""The sweep over everything that is due. Several may run side by side; beat rings one every second."""

from datetime import timedelta

from django.utils import timezone

from otp import bell
from otp.store import sweep
from projects import config

BATCH = 500
# One sweep works at most this long; the next one is a second away.
LONGEST = timedelta(seconds=5)


def watch_deliveries() -> int:
    """Look at every delivery that is due and ring for what must be done; how many there were."""
    config.reconcile()
    seen = 0
    started = timezone.now()
    while timezone.now() - started < LONGEST:
        due = sweep.take_due(now=timezone.now(), batch=BATCH)
        for delivery_id in due.send:
            bell.ring_send(delivery_id)
        for delivery_id in due.fall_back:
            bell.ring_fall_back(delivery_id)
        seen += due.taken
        if due.taken < BATCH:
            break
    return seen
