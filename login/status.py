"""The live state as JSON, for this browser's own page."""

import hashlib
import json
from datetime import datetime

from django.utils.translation import get_language

from login import refusals, wording
from otp.types import ChallengeView, State


def payload(view: ChallengeView, *, now: datetime) -> dict[str, object]:
    """Everything that the page shows, in the reader's language; never a code or a whole number."""
    live = wording.live(view, now=now)
    over = refusals.ended(view)
    return {
        "state": view.state.value,
        "channel": view.channel.value,
        "channels": [channel.value for channel in view.channels],
        "phone_masked": view.phone_masked,
        "deliveries": [
            {
                "channel": delivery.channel.value,
                "status": delivery.status.word,
                **({"error": delivery.reason.value} if delivery.reason else {}),
                "at": delivery.at.isoformat(),
            }
            for delivery in view.deliveries
        ],
        "resend_at": {channel.value: at.isoformat() for channel, at in view.resend_at.items()},
        "send": {send.channel.value: send.seconds for send in live.sends},
        "sends": [
            {"choice": send.choice, "label": send.label, "waiting": send.waiting, "seconds": send.seconds}
            for send in live.sends
        ],
        "attempts_left": view.attempts_left,
        "expires_at": view.expires_at.isoformat(),
        "headline": over.title if over else live.headline,
        "detail": over.text if over else live.detail,
        "tone": "bad" if over else live.tone.value,
        "icon": live.channel.value if live.channel else "",
        "rows": [
            {"channel": row.channel.value, "name": row.name, "stage": row.stage.value, "label": row.label}
            for row in live.rows
        ],
        "countdown": live.countdown,
        "countdown_seconds": live.countdown_seconds,
        "over": view.state is not State.PENDING,
        "now": now.isoformat(),
    }


def fingerprint(view: ChallengeView, *, now: datetime) -> str:
    """An ETag of what can change but the clock: the page keeps its own countdowns between two answers."""
    waits = [item for item in sorted(view.resend_at.items()) if item[1] > now]
    shown = [
        get_language(), view.id, view.state, view.end_reason, view.attempts_left, view.channels, view.fallback_at,
        waits, [(d.channel, d.status, d.reason, d.at) for d in view.deliveries],
    ]  # fmt: skip
    digest = hashlib.sha256(json.dumps(shown, default=str).encode()).hexdigest()[:20]
    return f'"{digest}"'
