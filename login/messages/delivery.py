"""The state of a delivery in words, for the code page. Pure: a ChallengeView and a time in, texts out.

The page, its JSON and the page without scripts all show `live`. `{time}` in a text stands for a countdown.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from django.utils.translation import get_language_bidi, pgettext
from django.utils.translation import gettext as _

from channels.types import Channel, FailureReason
from login.messages import delivery_texts
from login.messages.delivery_texts import Stage, Tone
from otp.types import Cause, ChallengeView, DeliveryView, State


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
        """The button's label now."""
        return with_time(self.waiting, self.seconds) if self.seconds else self.label


@dataclass(frozen=True, kw_only=True)
class Live:
    headline: str
    detail: str
    tone: Tone
    channel: Channel | None
    rows: tuple[Row, ...]
    sends: tuple[Send, ...]
    countdown: str  # until the fallback SMS; "" when there will be none
    countdown_seconds: int

    @property
    def countdown_text(self) -> str:
        return with_time(self.countdown, self.countdown_seconds)


def with_time(text: str, seconds: int) -> str:
    return text.replace("{time}", f"{seconds // 60}:{seconds % 60:02}")


def stage_of(delivery: DeliveryView) -> Stage:
    stage = delivery_texts.STAGES[delivery.status]
    # Many networks never report an SMS, so silence is normal there.
    return Stage.SENT if stage is Stage.SILENT and delivery.channel is Channel.SMS else stage


def live(view: ChallengeView, *, now: datetime) -> Live:
    """The state of a pending challenge, and what the person can do about it."""
    newest = view.deliveries[-1] if view.deliveries else None
    countdown, seconds = _countdown(view, now)
    return Live(
        headline=_headline(view),
        detail=_detail(view, newest),
        tone=Tone.WORKING if view.next_channel else _tone(view.deliveries),
        channel=newest.channel if newest else None,
        rows=_rows(view.deliveries),
        sends=_sends(view, now),
        countdown=countdown,
        countdown_seconds=seconds,
    )


def _replaced_by_fallback(deliveries: Sequence[DeliveryView]) -> DeliveryView | None:
    """The delivery that the newest one replaced, when that is a fallback."""
    if not deliveries or deliveries[-1].cause is not Cause.FALLBACK:
        return None
    return next((d for d in reversed(deliveries[:-1]) if d.channel is not deliveries[-1].channel), None)


def _headline(view: ChallengeView) -> str:
    if not view.deliveries:
        return _("Your code is on its way")
    newest, replaced = view.deliveries[-1], _replaced_by_fallback(view.deliveries)
    stage = stage_of(newest)
    if view.next_channel:  # the fallback is about to start: do not report the failure by itself
        return _taken_over(newest, view.next_channel, Stage.SENDING)
    if replaced and stage_of(replaced) is Stage.DELIVERED:
        return str(delivery_texts.HEADLINES[replaced.channel, Stage.DELIVERED])
    if (
        stage is Stage.FAILED
        and newest.channel is Channel.SMS
        and newest.reason is FailureReason.BLOCKED_BY_USER
    ):
        return _blocked_sms(newest.from_number)
    if replaced:
        shown = Stage.SENT if stage in (Stage.DELIVERED, Stage.SILENT) else stage
        return _taken_over(replaced, newest.channel, shown)
    if stage is Stage.FAILED:
        return _failed(newest)
    return str(delivery_texts.HEADLINES[newest.channel, stage])


def _taken_over(replaced: DeliveryView, channel: Channel, stage: Stage) -> str:
    """`channel` took over from `replaced` and has reached `stage`."""
    reason = replaced.reason if channel is Channel.SMS else None
    why = delivery_texts.WHY_SMS.get((reason, stage)) if reason else None
    return str(why or delivery_texts.TAKEN_OVER[channel, stage_of(replaced) is Stage.FAILED, stage])


def _blocked_sms(from_number: str) -> str:
    """The provider sends nothing more to this phone until its owner replies START."""
    if not from_number:
        return _("This number has blocked our SMS: reply START to the last one")
    # In right-to-left text the plus would move behind the digits.
    number = f"\u200e{from_number}" if get_language_bidi() else from_number
    return _("This number has blocked our SMS: reply START to %(number)s") % {"number": number}


def _failed(newest: DeliveryView) -> str:
    if newest.reason is FailureReason.LIMIT:
        return _("No more codes can be sent to this number for now")
    why = delivery_texts.WHY_FAILED.get((newest.channel, newest.reason)) if newest.reason else None
    if why is None and newest.cause is Cause.SWITCH:
        why = delivery_texts.CHOSEN_FAILED[newest.channel]
    return str(why or delivery_texts.HEADLINES[newest.channel, Stage.FAILED])


def _tone(deliveries: Sequence[DeliveryView]) -> Tone:
    if not deliveries:
        return Tone.WORKING
    tone = delivery_texts.TONES[stage_of(deliveries[-1])]
    if tone is Tone.BAD and any(
        stage_of(d) in (Stage.DELIVERED, Stage.SENT, Stage.SILENT) for d in deliveries
    ):
        return Tone.WARN
    return tone


def _detail(view: ChallengeView, newest: DeliveryView | None) -> str:
    if newest is None or view.next_channel:
        return ""
    others = [d for d in view.deliveries if d is not newest and d.channel is not newest.channel]
    stage = stage_of(newest)
    arrived = any(stage_of(d) is Stage.DELIVERED for d in others)
    if arrived and newest.cause is Cause.FALLBACK and stage is not Stage.FAILED:
        return _("We also sent it another way: either message works.")
    if arrived and stage is Stage.FAILED:
        return _("The earlier message was delivered, and its code still works.")
    if stage is Stage.FAILED:
        return _after_failure(view, newest)
    if stage is Stage.SENDING:
        return ""
    earlier = others[-1] if others else None
    if newest.channel is Channel.SMS:
        return _sms_detail(stage, earlier=earlier)
    return _whatsapp_detail(newest, earlier=earlier)


def _whatsapp_detail(newest: DeliveryView, *, earlier: DeliveryView | None) -> str:
    if stage_of(newest) is Stage.SILENT:
        return _("Check that your phone is online: the message may still arrive.")
    if earlier and newest.cause is Cause.FALLBACK and stage_of(earlier) is not Stage.FAILED:
        return _("Either code works.")
    return _("Open WhatsApp on your phone to see the code.")


def _sms_detail(stage: Stage, *, earlier: DeliveryView | None) -> str:
    if stage is Stage.DELIVERED:
        return _("The SMS was delivered.") if earlier else ""  # the headline already says so
    if earlier and stage_of(earlier) is Stage.SILENT:
        return _("An SMS can take a minute. Either message works.")
    return _("An SMS can take a minute.")


def _after_failure(view: ChallengeView, failed: DeliveryView) -> str:
    other = next((c for c in view.channels if c is not failed.channel), None)
    if failed.reason is FailureReason.LIMIT:
        return _("You've requested too many codes. Try again later, or use another number.")
    if other is Channel.SMS and all(d.channel is not other for d in view.deliveries):
        return _("You can get the code by SMS instead.")
    if other is Channel.WHATSAPP and all(d.channel is not other for d in view.deliveries):
        return _("You can get the code on WhatsApp instead.")
    if failed.reason is FailureReason.BLOCKED_BY_USER and failed.channel is Channel.SMS:
        return _("Then send it again, or use another number.")
    if failed.reason in delivery_texts.OUR_FAULT:
        return _("We can't send the code right now. Your phone is fine; please try again shortly.")
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
            label=str(delivery_texts.LABELS[stage_of(d)]),
        )
        for channel, d in newest.items()
    )


def channel_name(channel: Channel) -> str:
    return "WhatsApp" if channel is Channel.WHATSAPP else pgettext("channel", "SMS")


def seconds_until(moment: datetime, now: datetime) -> int:
    return max(0, -int(-(moment - now).total_seconds() // 1))


def _sends(view: ChallengeView, now: datetime) -> tuple[Send, ...]:
    """The channel in use first. A channel without a time has used up its messages."""
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
    """Only WhatsApp falls back to SMS when it stays silent."""
    if view.state is not State.PENDING or view.fallback_at is None:
        return "", 0
    return _("If it does not arrive, we send an SMS in {time}."), seconds_until(view.fallback_at, now)
