"""A sender's health with a clock beside it."""

from datetime import UTC, datetime, timedelta

from channels import breaker
from channels.breaker import Health, Source, State
from channels.types import FailureReason

NOW = datetime(2026, 11, 26, 12, tzinfo=UTC)
F = FailureReason


class Life:
    """Each step changes the health at the time that it is then."""

    def __init__(self, health: Health | None = None) -> None:
        self.health = health or Health()
        self.now = NOW

    def wait(self, time: timedelta) -> "Life":
        self.now += time
        return self

    def fail(
        self, times: int = 1, *, source: Source = Source.CALL, reason: FailureReason = F.UNAVAILABLE
    ) -> "Life":
        for _ in range(times):
            self.health = breaker.failed(
                self.health, source=source, reason=reason, provider_code="7", now=self.now
            )
        return self

    def unexplained(self, times: int = 1, *, source: Source = Source.CALL) -> "Life":
        for _ in range(times):
            self.health = breaker.unexplained(
                self.health, source=source, reason=F.UNKNOWN, provider_code="8", now=self.now
            )
        return self

    def succeed(self, *, source: Source = Source.CALL, arrived: bool = True) -> "Life":
        self.health = breaker.succeeded(self.health, source=source, now=self.now, arrived=arrived)
        return self

    def slow(self) -> "Life":
        self.health = breaker.slowed(self.health, now=self.now)
        return self

    def gate(self) -> breaker.Gate:
        gate, self.health = breaker.gate(self.health, now=self.now)
        return gate

    @property
    def state(self) -> State:
        return breaker.state(self.health, now=self.now)
