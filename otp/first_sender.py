"""Which channel and sender a login begins with."""

import uuid
from datetime import datetime

import structlog

from abuse.errors import Unavailable
from channels.senders import Senders
from channels.types import Channel
from otp import policy
from otp.routes import channels_of
from projects.config import ProjectConfig
from projects.routing import Route

log = structlog.get_logger(__name__)


def choose(
    project: ProjectConfig, route: Route, configured: Senders, *, chosen: Channel | None, now: datetime
) -> tuple[Channel, uuid.UUID]:
    """The route's first channel that works, or the chosen one. Raises Unavailable when it has no sender."""
    promised = channels_of(route)
    available = {
        channel: sender
        for channel in promised
        if (sender := configured.choose(project.id, channel, now=now, first=route.sender)) is not None
    }
    failing = [item for item, sender in available.items() if configured.is_open(sender, now=now)]
    first = chosen or policy.first_channel(
        promised=promised, available=available, failing=failing if route.falls_back else ()
    )
    if first is None or first not in available:
        log.error("challenge.no_sender", project=project.slug)
        raise Unavailable("no sender for the channels that the project promises")
    return first, available[first].id


def pinned(sender_id: uuid.UUID, configured: Senders) -> tuple[Channel, uuid.UUID]:
    """A sender that is tried, in whatever health. Raises Unavailable when it is switched off."""
    sender = configured.by_id.get(sender_id)
    if sender is None:
        raise Unavailable("the sender is not active")
    return sender.channel, sender.id
