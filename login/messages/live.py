"""The live state as JSON, for this browser's own page."""

import hashlib
import json
from datetime import datetime

from django.utils.translation import get_language

from login.messages import delivery as delivery_messages
from login.messages import errors as error_messages
from otp import services
from otp.types import ChallengeView, State


def payload(view: ChallengeView, *, is_latest: bool, now: datetime) -> dict[str, object]:
    """Everything that the page shows, in the reader's language; never a code or a full number."""
    live = delivery_messages.live(view, now=now)
    end = error_messages.ended(view)
    return {
        **services.public_fields(view, time=datetime.isoformat),
        "resend_at": {channel.value: at.isoformat() for channel, at in view.resend_at.items()},
        "send": {send.channel.value: send.seconds for send in live.sends},
        "sends": [
            {"choice": send.choice, "label": send.label, "waiting": send.waiting, "seconds": send.seconds}
            for send in live.sends
        ],
        "headline": end.title if end else live.headline,
        "detail": end.text if end else live.detail,
        "tone": "bad" if end else live.tone.value,
        "icon": live.channel.value if live.channel else "",
        "rows": [
            {"channel": row.channel, "name": row.name, "stage": row.stage, "label": row.label}
            for row in live.rows
        ],
        "countdown": live.countdown,
        "countdown_seconds": live.countdown_seconds,
        "over": view.state is not State.PENDING,
        "is_latest": is_latest,
        "now": now.isoformat(),
    }


def fingerprint(view: ChallengeView, *, is_latest: bool, now: datetime) -> str:
    """An ETag of everything but the clock: the page runs its own countdowns between two answers."""
    waits = [item for item in sorted(view.resend_at.items()) if item[1] > now]
    shown = [
        get_language(), view.id, view.state, view.end_reason, view.attempts_left, view.channels, view.fallback_at,
        view.next_channel, is_latest, waits, [(d.channel, d.status, d.reason, d.at) for d in view.deliveries],
    ]  # fmt: skip
    digest = hashlib.sha256(json.dumps(shown, default=str).encode()).hexdigest()[:20]
    return f'"{digest}"'
