"""A sender whose provider reports, logins over it, and a minute without a report."""

import uuid
from collections.abc import Callable, Iterator

import pytest

from channels.models import Sender
from tests.clock import later
from tests.otp.conftest import Providers, QueuedTasks, Start
from tests.otp.missing_reports.support import Logins, is_missing, sweep
from tests.webhooks.whatsapp import make_sender as make_whatsapp


@pytest.fixture
def sender(db: None) -> Sender:
    """The shared WhatsApp sender; what stands for Meta reports nothing by itself."""
    return make_whatsapp()


@pytest.fixture
def logins(
    sender: Sender, start: Start, queued: QueuedTasks, providers: Providers
) -> Callable[[int], list[uuid.UUID]]:
    """So many more people: their messages are accepted at this moment."""
    count = iter(range(1000))

    def log_in(people: int) -> list[uuid.UUID]:
        begun = []
        for nth in [next(count) for _ in range(people)]:
            begun.append(start(f"+8525123{nth:04}", address=f"198.51.{nth}.1"))
            queued.run()
        return begun

    return log_in


@pytest.fixture
def missing(logins: Logins, queued: QueuedTasks) -> Iterator[None]:
    """Three logins went by, a minute has passed; inside, it is that moment."""
    logins(3)
    with later(61):
        sweep(queued)
        assert is_missing()
        yield
