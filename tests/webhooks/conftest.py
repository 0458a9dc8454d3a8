"""Receivers under test: senders in the database, and what is handed over kept instead of stored."""

from collections.abc import Sequence
from dataclasses import dataclass, field

import pytest

from channels.types import Disavowal, StatusUpdate
from otp import services


@dataclass
class HandedOver:
    """What the views gave to `otp.services`, call by call."""

    updates: list[list[StatusUpdate]] = field(default_factory=list)
    disavowals: list[list[Disavowal]] = field(default_factory=list)
    trouble: Exception | None = None

    @property
    def nothing(self) -> bool:
        return not self.updates and not self.disavowals

    def record_status_updates(self, updates: Sequence[StatusUpdate]) -> None:
        if self.trouble:
            raise self.trouble
        self.updates.append(list(updates))

    def revoke_disavowed(self, disavowals: Sequence[Disavowal]) -> None:
        if self.trouble:
            raise self.trouble
        self.disavowals.append(list(disavowals))


@pytest.fixture
def handed_over(monkeypatch: pytest.MonkeyPatch) -> HandedOver:
    kept = HandedOver()
    monkeypatch.setattr(services, "record_status_updates", kept.record_status_updates)
    monkeypatch.setattr(services, "revoke_disavowed", kept.revoke_disavowed)
    return kept
