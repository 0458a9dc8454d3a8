"""Logins over WhatsApp, and posts of Meta about them."""

import json
import uuid
from collections.abc import Callable
from io import StringIO
from typing import Any

from django.core.management import call_command
from django.test import Client

from channels import report_counts
from channels.types import Channel
from otp import sweep as watch
from otp.models import Delivery
from tests.fixtures.load import compact
from tests.otp.conftest import QueuedTasks
from tests.webhooks import support
from tests.webhooks.support import signed

WHATSAPP, SMS = Channel.WHATSAPP, Channel.SMS
WRONG = "of another app"
type Logins = Callable[[int], list[uuid.UUID]]


def sweep(queued: QueuedTasks) -> None:
    watch.watch_deliveries()
    queued.run()


def post(*entries: Any, secret: str = support.SECRET) -> int:
    body = compact({"object": "whatsapp_business_account", "entry": list(entries)})
    headers = {"X-Hub-Signature-256": signed(body, secret)}
    return Client().post("/whatsapp/webhook", body, "application/json", headers=headers).status_code


def entry(*, number: str | None = support.NUMBER, field: str = "messages", **value: Any) -> dict[str, Any]:
    made: dict[str, Any] = support.payload(support.change(number, field=field, **value))["entry"][0]
    return made


def about(delivery: Delivery, word: str = "delivered") -> dict[str, Any]:
    reference = str(delivery.id)
    return entry(statuses=[support.status(word, id=f"wamid.{reference}", biz_opaque_callback_data=reference)])


def is_missing() -> bool:
    return bool(report_counts.missing())


def doctor() -> tuple[list[dict[str, str]], int]:
    out, code = StringIO(), 0
    skipped = [
        "settings",
        "database",
        "migrations",
        "redis",
        "broker",
        "workers",
        "clock",
        "keys",
        "projects",
        "set-up",
    ]
    skipped += ["clients", "senders", "public-url"]
    try:
        call_command("doctor", "--json", *[f"--skip={name}" for name in skipped], stdout=out)
    except SystemExit as ended:
        code = int(str(ended.code))
    return json.loads(out.getvalue()), code
