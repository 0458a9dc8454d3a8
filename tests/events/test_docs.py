"""docs/events.md says what is: its Python reads a real event, its table has every type and every value."""

import json
import re
import time
import uuid
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from django.conf import LazySettings

from channels.breaker import Source
from channels.errors import SendError
from channels.models import Sender
from channels.types import Channel, FailureReason
from core.ids import new_id
from events import sender_events, signing
from events.models import EventType, new_secret
from tests import factories
from tests.otp.conftest import Providers, QueuedTasks, Start, project, providers, queued, start, verify

__all__ = ["project", "providers", "queued", "start"]  # the heart's fixtures
PAGE = (Path(__file__).resolve().parents[2] / "docs" / "events.md").read_text(encoding="utf-8")
BODY = json.dumps({"type": "login.succeeded", "data": {"phone_masked": "+852 •••• ••67"}}, ensure_ascii=False)


@pytest.fixture
def read_event() -> Callable[..., dict[str, Any]]:
    (snippet,) = re.findall(r"```python\n(.*?)```", PAGE, re.DOTALL)
    names: dict[str, Any] = {}
    exec(snippet, names)
    found: Callable[..., dict[str, Any]] = names["read_event"]
    return found


def headers(secret: str, *, age: int = 0, event_id: uuid.UUID | None = None) -> dict[str, str]:
    stamp = int(time.time()) - age
    return signing.headers(secret=secret, event_id=event_id or new_id(), timestamp=stamp, body=BODY)


def test_the_python_of_the_page_reads_an_event(read_event: Callable[..., dict[str, Any]]) -> None:
    secret = new_secret()

    assert read_event(secret, headers(secret), BODY.encode()) == json.loads(BODY)


def test_during_a_rotation_one_right_signature_is_enough(read_event: Callable[..., dict[str, Any]]) -> None:
    secret = new_secret()
    signed = headers(secret)
    signed["webhook-signature"] = "v1,bm90IG91cnM= v1a,é " + signed["webhook-signature"]

    assert read_event(secret, signed, BODY.encode())


@pytest.mark.parametrize(
    "change",
    [
        {"secret": new_secret},
        {"body": lambda: BODY.replace("67", "68").encode()},
        {"age": lambda: 400},
        {"age": lambda: -400},
        {"webhook-id": lambda: str(new_id())},
        {"webhook-timestamp": lambda: str(int(time.time()) + 1)},
        {"webhook-signature": lambda: ""},
    ],
    ids=lambda change: next(iter(change)),
)
def test_and_refuses_every_other(
    change: dict[str, Callable[[], Any]], read_event: Callable[..., dict[str, Any]]
) -> None:
    secret = new_secret()
    made = {name: make() for name, make in change.items()}
    signed = headers(secret, age=made.pop("age", 0))
    body, checked_with = made.pop("body", BODY.encode()), made.pop("secret", secret)

    with pytest.raises(ValueError, match=r"."):
        read_event(checked_with, signed | made, body)


def documented() -> dict[str, set[str]]:
    rows = re.findall(r"^\| `([a-z._]+)` \|.*\| (.*) \|$", PAGE, re.MULTILINE)
    return {kind: set(re.findall(r"`(\w+)`", values)) for kind, values in rows}


def test_the_table_has_every_type_and_every_value(
    start: Start, queued: QueuedTasks, providers: Providers, settings: LazySettings
) -> None:
    owner = factories.make_project(slug="owner", is_default=False)
    factories.make_endpoint(owner)
    providers.fail(Channel.WHATSAPP, SendError(FailureReason.NOT_ON_CHANNEL))
    challenge_id = start(project=owner)
    queued.run()
    verify(challenge_id)
    sms = Sender.objects.get(channel="sms")
    sender_events.failed(sms.id, source=Source.CALL, reason=FailureReason.MISCONFIGURED)
    sms.save()
    sender_events.succeeded(sms.id, source=Source.CALL)
    settings.AUTHSVC_LIMITS = {"send.country": "1/1d"}
    start(factories.OTHER_PHONE, project=owner)

    told = {kind: set(data) for kind, data in factories.told("owner")}
    assert set(told) == {item.value for item in EventType}
    assert told == documented()
