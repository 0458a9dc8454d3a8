"""The route of a stored number: which channels it gets, in which order, and from which senders."""

from channels.types import Channel
from projects.config import ProjectConfig
from projects.routing import Route
from users.phones import country_of

_CHANNELS = {channel.value: channel for channel in Channel}


def route_of(project: ProjectConfig, phone: str) -> Route:
    """Of a number in E.164; it is parsed only where countries differ."""
    return project.route(country_of(phone)) if project.routes else project.usual_route


def channels_of(route: Route) -> tuple[Channel, ...]:
    """First choice first."""
    return tuple([_CHANNELS[name] for name in route.channels])
