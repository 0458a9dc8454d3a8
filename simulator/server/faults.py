"""What is wrong with the providers: outages of a whole provider, faults of the reports, and changes to both."""

from dataclasses import dataclass, field, fields, replace
from enum import StrEnum
from typing import Any

from simulator.handsets.handset import Channel
from simulator.server.inputs import Reader, read_changes, read_flag, read_milliseconds, read_seconds, word_of
from simulator.server.routing import BadRequest


class Outage(StrEnum):
    """What a whole provider does to every send while the fault is set."""

    REFUSE = "refuse"
    HANG = "hang"
    ERROR_500 = "error_500"
    ERROR_503_HTML = "error_503_html"
    RATE_LIMITED = "rate_limited"
    NOT_JSON = "not_json"
    HALF_JSON = "half_json"
    NO_ID = "no_id"
    ACCEPT_THEN_CLOSE = "accept_then_close"
    TOKEN_EXPIRED = "token_expired"  # noqa: S105 - the name of a fault
    TEMPLATE_PAUSED = "template_paused"
    PAYMENT = "payment"
    HELD = "held"
    PAUSED = "paused"


WHATSAPP_ONLY_OUTAGES = frozenset({Outage.TEMPLATE_PAUSED, Outage.PAYMENT, Outage.HELD, Outage.PAUSED})
# The provider answers with a success, and the message goes nowhere.
DROPPING_OUTAGES = frozenset({Outage.HALF_JSON, Outage.NO_ID, Outage.HELD, Outage.PAUSED})
# What the record of a send says of one that the provider's own checks let through.
_OUTCOMES = {
    Outage.REFUSE: "unanswered",
    Outage.HANG: "unanswered",
    Outage.ERROR_503_HTML: "refused",
    Outage.NOT_JSON: "garbled",
    Outage.HALF_JSON: "garbled",
    Outage.NO_ID: "garbled",
    Outage.HELD: "held",
    Outage.PAUSED: "paused",
}


def outcome_of(outage: Outage | None) -> str:
    return "accepted" if outage is None else _OUTCOMES.get(outage, "accepted")


@dataclass(frozen=True, slots=True, kw_only=True)
class ReportFaults:
    """What goes wrong on the way of the delivery reports."""

    shuffle: bool = False
    double: bool = False
    delay_ms: int = 0
    forge: bool = False
    lose: bool = False
    before_answer: bool = False
    batch: bool = False
    unknown_fields: bool = False
    foreign_entries: bool = False  # each body also speaks of another account of the same app
    unsubscribed: bool = False  # no app is subscribed to any account: Meta posts nothing


@dataclass(frozen=True, slots=True, kw_only=True)
class Faults:
    """Everything that is wrong with the providers at the moment."""

    whatsapp_outage: Outage | None = None
    sms_outage: Outage | None = None
    hang_seconds: float = 30.0
    answer_seconds: float = 0.0  # accepted messages are answered this late
    reports: ReportFaults = field(default_factory=ReportFaults)

    def outage(self, channel: Channel) -> Outage | None:
        return self.whatsapp_outage if channel is Channel.WHATSAPP else self.sms_outage


def changed_faults(faults: Faults, changes: dict[str, object]) -> Faults:
    """The faults with the changes applied; `reports` is merged key by key. Raises BadRequest."""
    values = read_changes(changes, _READERS)
    if "reports" in values:
        values["reports"] = replace(faults.reports, **values["reports"])
    return replace(faults, **values)


def _read_outage(value: object, path: str) -> Outage | None:
    return None if value is None else word_of(Outage)(value, path)


def _read_sms_outage(value: object, path: str) -> Outage | None:
    outage = _read_outage(value, path)
    if outage in WHATSAPP_ONLY_OUTAGES:
        raise BadRequest(f"{path}: {outage} happens on WhatsApp only")
    return outage


def _read_reports(value: object, path: str) -> dict[str, Any]:
    return read_changes(value, _REPORT_READERS, path=f"{path}.")


_REPORT_READERS: dict[str, Reader] = {item.name: read_flag for item in fields(ReportFaults)}
_REPORT_READERS["delay_ms"] = read_milliseconds
_READERS: dict[str, Reader] = {
    "whatsapp_outage": _read_outage,
    "sms_outage": _read_sms_outage,
    "hang_seconds": read_seconds,
    "answer_seconds": read_seconds,
    "reports": _read_reports,
}
