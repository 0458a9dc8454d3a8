"""Adding a sender begins with its provider: the form has that one's fields only, and nothing else to choose wrongly."""

from dataclasses import dataclass

from django.http import HttpRequest

from channels.models import ChannelChoice
from channels.provider import Provider
from channels.types import Channel
from console.sender_forms import FORM_PROVIDERS


@dataclass(frozen=True, kw_only=True)
class Choice:
    """What is chosen by one click. `query` is the rest of the form's address."""

    channel: Channel
    provider: Provider
    query: str = ""

    @property
    def channel_label(self) -> str:
        return str(ChannelChoice(self.channel.value).label)


def choices(request: HttpRequest) -> list[Choice]:
    """Each provider of the channel that the address names, else of every channel; what else it says is kept."""
    named = request.GET.get("channel", "")
    channels = [channel for channel in Channel if named in ("", channel.value)]
    return [
        Choice(channel=channel, provider=provider, query=_query(request, channel, provider))
        for channel in channels or Channel
        for provider in FORM_PROVIDERS
        if channel in provider.channels
    ]


def _query(request: HttpRequest, channel: Channel, provider: Provider) -> str:
    query = request.GET.copy()
    query["channel"], query["provider"] = channel.value, provider.name
    return query.urlencode()


def chosen(request: HttpRequest) -> Choice | None:
    """What the address of the form names, if it is one of the choices."""
    names = (request.GET.get("channel"), request.GET.get("provider"))
    return next((one for one in choices(request) if (one.channel.value, one.provider.name) == names), None)
