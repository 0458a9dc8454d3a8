"""Asking again, and the provider's answers."""

from channels.types import Channel, Status
from otp import services
from otp.models import Delivery
from tests import factories
from tests.otp.conftest import QueuedTasks


def resend(challenge_id: object, channel: Channel | None = None) -> None:
    services.resend(challenge_id=challenge_id, address=factories.ADDRESS, channel=channel)  # type: ignore[arg-type] # an id


def answer_all(queued: QueuedTasks) -> None:
    """Tasks are enqueued after the commit, which a test's transaction never reaches."""
    waiting = Delivery.objects.filter(status=Status.QUEUED).order_by("id").values_list("id", flat=True)
    queued.send = list(waiting)
    queued.run()
