"""The statements that count an hour: one INSERT … SELECT for each rollup, the same text on both databases but for the
seconds between two times. Their sources are read by key, which is the time: no index is needed for them."""

import re
import uuid
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

from django.db import connection, models

from channels.types import FREE, Channel, Status
from core import sql
from core.ids import oldest_id_at
from otp.models import Purpose
from otp.types import Cause
from stats import histogram
from stats.models import DeliveryRollup, LoginRollup, TimingRollup

HOUR = timedelta(hours=1)

_HERE = Path(__file__).parent


def _load(name: str) -> str:
    return sql.load(_HERE / name, **{status.name.lower(): status for status in Status})


_MESSAGES = _load("messages.sql")
# Each rollup and the statement that fills it.
_COUNTS: tuple[tuple[type[models.Model], str], ...] = (
    (LoginRollup, _load("logins.sql")),
    (DeliveryRollup, _MESSAGES + _load("deliveries.sql")),
    (TimingRollup, _MESSAGES + _load("timings.sql")),
)
_WORDS = {
    "fallback": Cause.FALLBACK.value,
    "test_message": Purpose.TEST_MESSAGE.value,
    "whatsapp": Channel.WHATSAPP.value,
    "sms": Channel.SMS.value,
    "free": FREE,
    "delivered": TimingRollup.Measure.DELIVERED.value,
    "verified": TimingRollup.Measure.VERIFIED.value,
}
_ELAPSED = re.compile(r"\{seconds from (\S+) to (.+?)\}", re.DOTALL)


@dataclass(frozen=True, kw_only=True)
class _Dialect:
    elapsed: str
    key: type[uuid.UUID] | None  # None: as 32 hexadecimal digits

    def write(self, statement: str) -> str:
        text = statement.replace("{bucket}", histogram.case_of("seconds"))
        return _ELAPSED.sub(lambda part: self.elapsed.format(since=part[1], at=part[2]), text)

    def parameter(self, key: uuid.UUID) -> uuid.UUID | str:
        return key if self.key else key.hex


_DIALECTS = {
    "postgresql": _Dialect(elapsed="extract(epoch FROM ({at}) - {since})", key=uuid.UUID),
    "sqlite": _Dialect(elapsed="(julianday({at}) - julianday({since})) * 86400", key=None),
}


def count(hour: datetime) -> None:
    """Replace the rollups of an hour by what its challenges say now. Call it within a transaction."""
    dialect = _DIALECTS[connection.vendor]
    parameters = _WORDS | {
        "hour": connection.ops.adapt_datetimefield_value(hour),
        "first": dialect.parameter(oldest_id_at(hour)),
        "last": dialect.parameter(oldest_id_at(hour + HOUR)),
    }
    for rollup, statement in _COUNTS:
        rollup._default_manager.filter(hour=hour).delete()
        sql.run(dialect.write(statement), parameters)
