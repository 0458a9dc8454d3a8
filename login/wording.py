"""What the code page says of a delivery. Pure: a ChallengeView and a time in, words out.

The page, its JSON and the page without scripts all say what `live` says. `{time}` in a text stands for a countdown.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from django.utils.translation import gettext as _
from django.utils.translation import pgettext

from channels.types import Channel, FailureReason
from login import texts
from login.texts import Stage, Tone
from otp.types import ChallengeView, DeliveryView, State


@dataclass(frozen=True, kw_only=True)
class Row:
    """One channel's line under the headline."""

    channel: Channel
    name: str
    stage: Stage
    label: str


@dataclass(frozen=True, kw_only=True)
class Send:
    """A button that sends. `choice` is empty for the channel in use, which may still fall back."""

    channel: Channel
    choice: str
    label: str
    waiting: str
    seconds: int

    @property
    def text(self) -> str:
        """What stands on the button now."""
        return with_time(self.waiting, self.seconds) if self.seconds else self.label


@dataclass(frozen=True, kw_only=True)
class Live:
    headline: str
    detail: str
    tone: Tone
    channel: Channel | None
    rows: tuple[Row, ...]
    sends: tuple[Send, ...]
    countdown: str  # when silence turns into an SMS; empty: it does not
    countdown_seconds: int

    @property
    def countdown_text(self) -> str:
        return with_time(self.countdown, self.countdown_seconds)


def with_time(text: str, seconds: int) -> str:
    return text.replace("{time}", f"{seconds // 60}:{seconds % 60:02}")


def stage_of(delivery: DeliveryView) -> Stage:
    stage = texts.STAGES[delivery.status]
    # Many networks never report an SMS: silence is no reason to worry anybody.
    return Stage.SENT if stage is Stage.SILENT and delivery.channel is Channel.SMS else stage


def live(view: ChallengeView, *, now: datetime) -> Live:
    """The live line of a pending challenge, with what the person can do about it."""
    newest = view.deliveries[-1] if view.deliveries else None
    countdown, seconds = _countdown(view, now)
    return Live(
        headline=_headline(view.deliveries),
        detail=_detail(view, newest, falling_back=bool(countdown)),
        tone=_tone(view.deliveries),
        channel=newest.channel if newest else None,
        rows=_rows(view.deliveries),
        sends=_sends(view, now),
        countdown=countdown,
        countdown_seconds=seconds,
    )


def _before(deliveries: Sequence[DeliveryView]) -> DeliveryView | None:
    """The message that the automatic fallback, when that is the newest one, took over from."""
    if not deliveries or deliveries[-1].cause != "fallback":
        return None
    return next((d for d in reversed(deliveries[:-1]) if d.channel is not deliveries[-1].channel), None)


def _headline(deliveries: Sequence[DeliveryView]) -> str:
    if not deliveries:
        return _("Your code is on its way")
    newest, before = deliveries[-1], _before(deliveries)
    stage = stage_of(newest)
    if before and stage_of(before) is Stage.DELIVERED:
        return str(texts.HEADLINES[before.channel, Stage.DELIVERED])
    if before:
        far = Stage.SENT if stage in (Stage.DELIVERED, Stage.SILENT) else stage
        return str(texts.TAKEN_OVER[newest.channel, stage_of(before) is Stage.FAILED, far])
    if stage is Stage.FAILED and newest.reason is FailureReason.LIMIT:
        return _("No more codes can be sent to this number for now")
    if stage is Stage.FAILED and newest.cause == "switch":
        return str(texts.CHOSEN_FAILED[newest.channel])
    return str(texts.HEADLINES[newest.channel, stage])


def _tone(deliveries: Sequence[DeliveryView]) -> Tone:
    if not deliveries:
        return Tone.WORKING
    tone = texts.TONES[stage_of(deliveries[-1])]
    if tone is Tone.BAD and any(
        stage_of(d) in (Stage.DELIVERED, Stage.SENT, Stage.SILENT) for d in deliveries
    ):
        return Tone.WARN
    return tone


def _detail(view: ChallengeView, newest: DeliveryView | None, *, falling_back: bool) -> str:
    if newest is None:
        return ""
    others = [d for d in view.deliveries if d is not newest and d.channel is not newest.channel]
    stage = stage_of(newest)
    arrived = any(stage_of(d) is Stage.DELIVERED for d in others)
    if arrived and newest.cause == "fallback" and stage is not Stage.FAILED:
        return _("We also sent it another way: either message works.")
    if arrived and stage is Stage.FAILED:
        return _("The earlier message was delivered, and its code still works.")
    if stage is Stage.FAILED:
        return _after_failure(view, newest, falling_back=falling_back)
    if stage is Stage.SENDING:
        return ""
    if newest.channel is Channel.SMS:
        return _of_sms(stage, is_first=not others)
    if stage is Stage.SILENT:
        return _("Check that your phone is online: the message may still arrive.")
    return _("Open WhatsApp on your phone to see the code.")


def _of_sms(stage: Stage, *, is_first: bool) -> str:
    if stage is not Stage.DELIVERED:
        return _("An SMS can take a minute.")
    return "" if is_first else _("The SMS was delivered.")  # the headline says so already


def _after_failure(view: ChallengeView, failed: DeliveryView, *, falling_back: bool) -> str:
    other = next((c for c in view.channels if c is not failed.channel), None)
    if falling_back:
        return _("We are trying the other way now.")
    if failed.reason is FailureReason.LIMIT:
        return _("Too many were asked for. Try again later, or use another number.")
    if other is Channel.SMS and all(d.channel is not other for d in view.deliveries):
        return _("You can get the code by SMS instead.")
    if other is Channel.WHATSAPP and all(d.channel is not other for d in view.deliveries):
        return _("You can get the code on WhatsApp instead.")
    if failed.reason in texts.NOT_YOURS:
        return _(
            "It cannot be sent at the moment, and your phone is not the cause. Send it again in a moment."
        )
    if failed.channel is Channel.WHATSAPP and other is None:
        return _(
            "Check that WhatsApp is installed for this number and that the phone is online. "
            "Then send it again, or use another number."
        )
    return _("Check the number. You can send the code again, or use another number.")


def _rows(deliveries: Sequence[DeliveryView]) -> tuple[Row, ...]:
    """The newest message of each channel, in the order in which the channels were first used."""
    newest = {d.channel: d for d in deliveries}
    return tuple(
        Row(
            channel=channel,
            name=channel_name(channel),
            stage=stage_of(d),
            label=str(texts.LABELS[stage_of(d)]),
        )
        for channel, d in newest.items()
    )


def channel_name(channel: Channel) -> str:
    return "WhatsApp" if channel is Channel.WHATSAPP else pgettext("channel", "SMS")


def seconds_until(moment: datetime, now: datetime) -> int:
    return max(0, -int(-(moment - now).total_seconds() // 1))


def _sends(view: ChallengeView, now: datetime) -> tuple[Send, ...]:
    """Sending again first, the other channel after it. A channel without a time has had all its messages."""
    order = sorted(view.channels, key=lambda channel: channel is not view.channel)
    return tuple(
        _send(channel, again=channel is view.channel, seconds=seconds_until(view.resend_at[channel], now))
        for channel in order
        if channel in view.resend_at
    )


def _send(channel: Channel, *, again: bool, seconds: int) -> Send:
    if channel is Channel.WHATSAPP and again:
        label, waiting = _("Send again on WhatsApp"), _("Send again on WhatsApp in {time}")
    elif channel is Channel.WHATSAPP:
        label, waiting = _("Send on WhatsApp instead"), _("Send on WhatsApp instead in {time}")
    elif again:
        label, waiting = _("Send the SMS again"), _("Send the SMS again in {time}")
    else:
        label, waiting = _("Send by SMS instead"), _("Send by SMS instead in {time}")
    choice = "" if again else channel.value
    return Send(channel=channel, choice=choice, label=label, waiting=waiting, seconds=seconds)


def _countdown(view: ChallengeView, now: datetime) -> tuple[str, int]:
    """Silence of WhatsApp turns into an SMS; silence of an SMS into nothing."""
    if view.state is not State.PENDING or view.fallback_at is None:
        return "", 0
    return _("If it does not arrive, we send an SMS in {time}."), seconds_until(view.fallback_at, now)
