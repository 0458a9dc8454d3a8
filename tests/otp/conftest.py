"""A project, tasks that are listed instead of enqueued, and providers that keep what they are given."""

import uuid
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

import pytest
from django.test import TestCase

from channels import providers as registry
from channels.base import SenderConfig
from channels.errors import SendError
from channels.types import Channel, Message, Receipt
from otp import fallback, queue, send, services, status_updates
from otp.types import Proven, Refused, Verified
from projects.config import ProjectConfig
from tests import factories


@dataclass
class QueuedTasks:
    """The tasks that were enqueued. `run()` does what a worker would."""

    send: list[uuid.UUID] = field(default_factory=list)
    fall_back: list[uuid.UUID] = field(default_factory=list)

    def run(self) -> None:
        while self.send or self.fall_back:
            while self.fall_back:
                added = fallback.fall_back(delivery_id=self.fall_back.pop(0))
                if added:
                    self.send.append(added)
            while self.send:
                send.send_delivery(delivery_id=self.send.pop(0))


@dataclass
class Providers:
    """Both providers. `sent` is what they took; `script[channel]` is called with each message before it is taken."""

    sent: list[tuple[Channel, Message]] = field(default_factory=list)
    script: dict[Channel, Callable[[Message], Receipt | None]] = field(default_factory=dict)

    def send(self, *, message: Message, sender: SenderConfig) -> Receipt:
        act = self.script.get(sender.channel)
        receipt = act(message) if act else None
        self.sent.append((sender.channel, message))
        return receipt or Receipt(provider_message_id=f"id-{message.delivery_id.hex}-{len(self.sent)}")

    def fail(self, channel: Channel, error: SendError) -> None:
        def act(_message: Message) -> Receipt:
            raise error

        self.script[channel] = act

    @property
    def channels(self) -> list[Channel]:
        return [channel for channel, _ in self.sent]

    @property
    def codes(self) -> set[str]:
        return {message.code for _, message in self.sent}


@pytest.fixture
def as_several_processes(monkeypatch: pytest.MonkeyPatch) -> None:
    """Posts of reports meet in the database: in one process, those of one moment would be stored together."""
    monkeypatch.setattr(status_updates, "_record_together", status_updates._record)


@pytest.fixture
def queued(monkeypatch: pytest.MonkeyPatch) -> QueuedTasks:
    tasks = QueuedTasks()
    monkeypatch.setattr(queue, "enqueue_send", tasks.send.append)
    monkeypatch.setattr(queue, "enqueue_fallback", tasks.fall_back.append)
    return tasks


@pytest.fixture
def providers(monkeypatch: pytest.MonkeyPatch) -> Providers:
    both = Providers()
    monkeypatch.setattr(registry, "send", both.send)
    return both


@pytest.fixture
def project(db: None) -> ProjectConfig:
    return factories.make_project()


@pytest.fixture
def commits() -> Iterator[None]:
    """Run on-commit work although the test's own transaction never commits."""
    with TestCase.captureOnCommitCallbacks(execute=True):
        yield


def verify(
    challenge_id: uuid.UUID, code: str | None = None, *, opens: services.Opens | None = None
) -> Verified:
    """The login that a code opens, the right one unless another is given. Raises what refuses it."""
    code = factories.code_of(challenge_id) if code is None else code
    outcome = services.verify_challenge(
        challenge_id=challenge_id, code=code, address=factories.ADDRESS, opens=opens
    )
    if isinstance(outcome, Refused):
        raise outcome.error
    return outcome


def prove(challenge_id: uuid.UUID, code: str | None = None) -> Proven:
    """The same of a number that is proven without a login."""
    code = factories.code_of(challenge_id) if code is None else code
    outcome = services.prove_number(challenge_id=challenge_id, code=code, address=factories.ADDRESS)
    if isinstance(outcome, Refused):
        raise outcome.error
    return outcome


type Start = Callable[..., uuid.UUID]


@pytest.fixture
def start(project: ProjectConfig, queued: QueuedTasks) -> Start:
    """Start a challenge; its tasks are enqueued at once, as after a commit."""

    def begin(number: str = factories.PHONE, **fields: object) -> uuid.UUID:
        values: dict[str, object] = {
            "project": project,
            "phone": factories.phone(number),
            "language": "en",
            "origin": factories.ORIGIN,
            "address": factories.ADDRESS,
        }
        with TestCase.captureOnCommitCallbacks(execute=True):
            return services.start_challenge(**(values | fields)).challenge_id  # type: ignore[arg-type] # as given

    return begin
