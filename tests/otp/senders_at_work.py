"""Logins over one sender, and what became of it."""

from channels import health
from channels.breaker import State
from channels.models import Sender
from channels.types import Channel
from projects.models import LoginMethods
from tests import factories
from tests.otp.conftest import QueuedTasks, Start

WHATSAPP, SMS = Channel.WHATSAPP, Channel.SMS


def log_in(start: Start, queued: QueuedTasks, nth: int) -> list[Channel]:
    """One more person: the channels that their challenge used."""
    challenge_id = start(f"+85251{nth:02}4100", address=f"198.51.100.{nth}")  # no range of numbers fills up
    queued.run()
    return factories.channels_of(challenge_id)


def sender(channel: Channel) -> Sender:
    return Sender.objects.get(channel=channel)


def state() -> State:
    return {channel: state for _, channel, state in health.states()}[WHATSAPP]


def sms_only(start: Start) -> dict[str, object]:
    from projects.config import projects

    row = LoginMethods.objects.get()
    row.verify_phone_by = "sms_only"
    row.save()
    return {"project": projects.get().by_id[row.project_id]}
