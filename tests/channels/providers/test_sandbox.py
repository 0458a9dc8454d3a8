"""The sandbox plays each outcome and keeps nothing."""

import uuid

import pytest

from channels import providers
from channels.base import SenderConfig
from channels.errors import MEANINGS, SendError
from channels.findings import Level
from channels.providers.sandbox import DELIVERED, FAILED, SANDBOX, SILENT, SandboxSettings
from channels.types import Channel, FailureReason, Message
from core.http import HttpClient

MESSAGE = Message(
    delivery_id=uuid.uuid4(),
    phone="+12025550100",
    code="123456",
    language="en",
    text="",
    valid_seconds=600,
    callback_origin="https://login.acme.example",
)


def sender(outcome: str, channel: Channel = Channel.WHATSAPP) -> SenderConfig[SandboxSettings]:
    return SenderConfig(
        id=uuid.uuid4(),
        project_id=uuid.uuid4(),
        channel=channel,
        provider=SANDBOX.name,
        settings=SandboxSettings(outcome=outcome),
    )


@pytest.mark.parametrize("channel", list(Channel))
def test_a_message_arrives_at_once(channel: Channel) -> None:
    receipt = providers.send(message=MESSAGE, sender=sender(DELIVERED, channel))

    assert receipt.is_delivered
    assert receipt.certain
    assert receipt.provider_message_id == f"sandbox-{MESSAGE.delivery_id}"


def test_a_silent_one_is_taken_and_does_not_arrive() -> None:
    receipt = providers.send(message=MESSAGE, sender=sender(SILENT))

    assert (receipt.is_delivered, receipt.certain) == (False, True)


def test_a_failure_lets_the_next_channel_take_over_and_blames_nobody() -> None:
    with pytest.raises(SendError) as raised:
        providers.send(message=MESSAGE, sender=sender(FAILED))

    assert raised.value.reason is FailureReason.UNREACHABLE
    meaning = MEANINGS[raised.value.reason]
    assert (meaning.retry, meaning.alert, meaning.sender, meaning.revoke) == (False,) * 4


def test_it_keeps_no_code() -> None:
    backend = providers.backend(SANDBOX.name)
    backend.send(MESSAGE, sender(DELIVERED))

    assert vars(backend) == {}
    assert MESSAGE.code not in repr(sender(DELIVERED))


def test_there_is_nothing_to_check() -> None:
    findings = list(SANDBOX.check(sender(DELIVERED), "https://x.example", HttpClient()))

    assert [finding.level for finding in findings] == [Level.OK]


def test_no_real_provider_delivers_in_its_receipt() -> None:
    """The field is the sandbox's alone: of others a report tells."""
    from pathlib import Path

    users = [
        path.name
        for path in Path(providers.__file__).parent.rglob("*.py")
        if "is_delivered" in path.read_text(encoding="utf-8")
    ]
    assert users == ["sandbox.py"]
