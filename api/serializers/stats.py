"""The answer of GET /api/v1/stats for OpenAPI. `stats.report` makes it; a test holds the two together.

Amounts are decimal numbers in texts, so that no program rounds them. Shares are parts of one; null: of nothing.
"""

from typing import Any

from rest_framework import serializers

from channels.types import Channel
from stats.models import TimingRollup

_CHANNELS = [channel.value for channel in Channel]


def _count(help_text: str = "") -> serializers.IntegerField:
    return serializers.IntegerField(min_value=0, help_text=help_text)


def _share() -> serializers.FloatField:
    return serializers.FloatField(allow_null=True, min_value=0)


def _amount(help_text: str = "") -> serializers.CharField:
    return serializers.CharField(allow_null=True, help_text=help_text)


def _country() -> serializers.CharField:
    return serializers.CharField(
        help_text="ISO 3166, or the calling code of a network without a country. Empty: unknown."
    )


def _channel() -> serializers.ChoiceField:
    return serializers.ChoiceField(_CHANNELS)


class LoginsOfDay(serializers.Serializer[Any]):
    day = serializers.DateField()
    started = _count()
    verified = _count()
    conversion = _share()
    fell_back = _count("Logins in which the next channel took over by itself.")


class MessageCounts(serializers.Serializer[Any]):
    country = _country()
    channel = _channel()
    provider = serializers.CharField()
    messages = _count()
    accepted = _count("The provider took them.")
    delivered = _count()
    delivered_share = _share()
    failed = _count()
    verified = _count("The last messages of logins that succeeded.")


class Times(serializers.Serializer[Any]):
    measure = serializers.ChoiceField(TimingRollup.Measure.values)
    channel = _channel()
    provider = serializers.CharField()
    count = _count()
    p50_seconds = serializers.FloatField(allow_null=True)
    p95_seconds = serializers.FloatField(allow_null=True)


class Fallbacks(serializers.Serializer[Any]):
    channel = _channel()
    reason = serializers.CharField(help_text="Empty: the message arrived after all.")
    count = _count()
    share = _share()


class Failures(serializers.Serializer[Any]):
    channel = _channel()
    reason = serializers.CharField()
    count = _count()


class SenderCounts(serializers.Serializer[Any]):
    sender = serializers.UUIDField(allow_null=True)
    channel = _channel()
    messages = _count()
    delivered = _count()
    delivered_share = _share()
    failed = _count()


class Cost(serializers.Serializer[Any]):
    country = _country()
    channel = _channel()
    provider = serializers.CharField()
    category = serializers.CharField(help_text="What the provider bills it as. Empty: it did not say.")
    international = serializers.BooleanField(help_text="Billed as authentication-international.")
    messages = _count("Those that cost money.")
    reported = _count("Of these, the provider told the amount.")
    unknown = _count("Of these, no price is known.")
    amount = _amount()
    currency = serializers.CharField()


class Total(serializers.Serializer[Any]):
    currency = serializers.CharField()
    amount = _amount()
    verified = _count("Logins that succeeded.")
    per_login = _amount("The amount divided by the logins.")
    saved = _amount("What SMS would have cost instead of WhatsApp, less what WhatsApp cost.")


class Stats(serializers.Serializer[Any]):
    """All figures of some days. Counted up to a minute ago; days are those on which logins began, in UTC."""

    to = serializers.DateField()
    project = serializers.UUIDField(allow_null=True, help_text="null: all projects.")
    logins = LoginsOfDay(many=True)
    messages = MessageCounts(many=True)
    times = Times(many=True)
    fallbacks = Fallbacks(many=True)
    failures = Failures(many=True)
    senders = SenderCounts(many=True)
    costs = Cost(many=True)
    totals = Total(many=True, help_text="One for each currency.")

    def get_fields(self) -> dict[str, Any]:
        """With `from`, which cannot be the name of an attribute."""
        return {"from": serializers.DateField(), **super().get_fields()}
