"""docs/sms-gateway.md: its programs work against our side, and its tables are those of the code."""

import json
import re
import time
import uuid
from typing import Any
from urllib.error import HTTPError

import pytest
import respx
from pytest_django.live_server_helper import LiveServer

from channels.models import Sender, SenderReports
from channels.providers.gateway import CALLBACK_PATH, GATEWAY, REASONS, SIGNATURE_HEADER, GatewayBackend
from channels.types import Channel, FailureReason, Status
from core import http
from otp.models import Delivery
from tests import factories
from tests.channels import support
from tests.otp.conftest import Providers, QueuedTasks, Start, project, providers, queued, start
from tests.processes import ROOT
from webhooks.http import STATUSES, TOLERANCE, WEBHOOK

__all__ = ["project", "providers", "queued", "start"]  # fixtures
TEXT = (ROOT / "docs" / "sms-gateway.md").read_text()
SECRET = "signing-secret-of-acme"


def programs() -> dict[str, Any]:
    """What the document's programs define, as if somebody had copied all of them into a file."""
    blocks = re.findall(r"^```python\n(.*?)^```", TEXT, re.MULTILINE | re.DOTALL)
    assert len(blocks) == 2
    defined: dict[str, Any] = {}
    for block in blocks:
        exec(compile(block, "sms-gateway.md", "exec"), defined)
    return defined


def test_a_message_of_ours_is_genuine_by_the_documents_program() -> None:
    with respx.mock:
        route = respx.post("https://gateway.example/send").respond(202)
        sender: Any = support.gateway_sender(url="https://gateway.example/send")
        GatewayBackend(http.HttpClient()).send(support.message(), sender)
        request = route.calls.last.request
    header, is_genuine = request.headers[SIGNATURE_HEADER], programs()["is_genuine"]

    assert is_genuine(header, request.content, SECRET)
    assert not is_genuine(header, request.content, "another")
    assert not is_genuine(header, request.content + b" ", SECRET)
    assert not is_genuine(header.replace("t=1", "t=2"), request.content, SECRET)
    assert not is_genuine("", request.content, SECRET)


@pytest.fixture
def sender(transactional_db: None) -> Sender:
    return factories.make_sender(
        "sms", provider="http", url="https://gateway.example/send", signing_secret=SECRET
    )


@pytest.fixture
def delivery(sender: Sender, start: Start, queued: QueuedTasks, providers: Providers) -> Delivery:
    challenge_id = start(channel=Channel.SMS)
    queued.run()
    return Delivery.objects.get(challenge_id=challenge_id)


@pytest.mark.django_db(transaction=True)
def test_the_documents_program_reports_over_http(
    sender: Sender, delivery: Delivery, live_server: LiveServer
) -> None:
    report, url = programs()["report"], f"{live_server.url}{CALLBACK_PATH}"
    assert delivery.sender_id == sender.pk

    report(url, SECRET, str(delivery.pk), "sent")
    report(url, SECRET, str(delivery.pk), "failed", "unreachable")

    delivery.refresh_from_db()
    assert (delivery.status, delivery.reason) == (Status.FAILED, FailureReason.UNREACHABLE)
    assert abs(delivery.status_at.timestamp() - time.time()) < 60
    report(url, SECRET, str(delivery.pk), "delivered")
    delivery.refresh_from_db()
    assert delivery.status == Status.DELIVERED
    assert SenderReports.objects.get(sender=sender).reported_at

    with pytest.raises(HTTPError) as caught:
        report(url, "another", str(delivery.pk), "delivered")
    assert caught.value.code == 401
    caught.value.close()
    report(url, SECRET, str(uuid.uuid4()), "delivered")  # nobody's


def test_the_tables_are_those_of_the_code() -> None:
    answers = TEXT.partition("## The answer")[2].partition("\n## ")[0]
    words = [cell for row in re.findall(r"^\| (`.+?) \|", answers, re.MULTILINE) for cell in row.split(", ")]
    (statuses,) = re.findall(r"^\| `status` \| (.+) \|$", TEXT, re.MULTILINE)

    assert sorted(word.strip("`") for word in words) == sorted(REASONS)
    assert re.findall(r"`([a-z]+)`:", statuses) == list(STATUSES)
    assert f"POST {CALLBACK_PATH} HTTP/1.1" in TEXT
    assert f"{SIGNATURE_HEADER}: t=" in TEXT
    assert f"more than {WEBHOOK.limit // 1024} KiB" in TEXT
    assert TOLERANCE.total_seconds() == 5 * 60
    assert "more than five minutes away" in TEXT


def test_the_documents_report_is_one() -> None:
    example = json.loads(re.findall(r'^\{"id".*"status".*\}$', TEXT, re.MULTILINE)[0])

    assert set(example) == {"id", "status", "error", "at"}
    assert example["status"] in STATUSES
    assert example["error"] in REASONS
    assert f"*{GATEWAY.inputs['signing_secret_previous'].label}*" in TEXT
