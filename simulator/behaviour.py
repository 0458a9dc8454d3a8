"""How handsets and providers are told to behave: the closed lists, their defaults, and reading changes to them."""

from dataclasses import dataclass, field, fields, replace
from enum import StrEnum

from simulator.web import BadRequest


class Channel(StrEnum):
    WHATSAPP = "whatsapp"
    SMS = "sms"


class WhatsAppMode(StrEnum):
    DELIVERED = "delivered"
    READ = "read"
    UNDELIVERED = "undelivered"
    SILENT = "silent"
    LATE = "late"
    NOT_ON_WHATSAPP = "not_on_whatsapp"
    NOT_ON_WHATSAPP_SYNC = "not_on_whatsapp_sync"
    ERROR_500 = "error_500"
    RATE_LIMITED = "rate_limited"
    TIMEOUT = "timeout"


class SmsMode(StrEnum):
    DELIVERED = "delivered"
    UNDELIVERED = "undelivered"
    SILENT = "silent"
    LATE = "late"
    ERROR_21610 = "error_21610"
    ERROR_500 = "error_500"
    RATE_LIMITED = "rate_limited"
    TIMEOUT = "timeout"


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


@dataclass(frozen=True, slots=True, kw_only=True)
class Handset:
    """One phone and how it takes messages."""

    phone: str
    whatsapp: WhatsAppMode = WhatsAppMode.DELIVERED
    sms: SmsMode = SmsMode.DELIVERED
    delay_ms: int = 0
    late_seconds: float = 40.0


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


def changed_handset(handset: Handset, changes: dict[str, object]) -> Handset:
    """The handset with the changes applied. Raises BadRequest, naming the key, before anything is changed."""
    _check_keys(changes, {"whatsapp", "sms", "delay_ms", "late_seconds"}, path="")
    if "whatsapp" in changes:
        handset = replace(handset, whatsapp=_word(WhatsAppMode, changes["whatsapp"], path="whatsapp"))
    if "sms" in changes:
        handset = replace(handset, sms=_word(SmsMode, changes["sms"], path="sms"))
    if "delay_ms" in changes:
        handset = replace(handset, delay_ms=_milliseconds(changes["delay_ms"], path="delay_ms"))
    if "late_seconds" in changes:
        handset = replace(handset, late_seconds=_seconds(changes["late_seconds"], path="late_seconds"))
    return handset


def changed_faults(faults: Faults, changes: dict[str, object]) -> Faults:
    """The faults with the changes applied; `reports` is merged key by key."""
    _check_keys(
        changes, {"whatsapp_outage", "sms_outage", "hang_seconds", "answer_seconds", "reports"}, path=""
    )
    if "whatsapp_outage" in changes:
        outage = _outage(changes["whatsapp_outage"], path="whatsapp_outage")
        faults = replace(faults, whatsapp_outage=outage)
    if "sms_outage" in changes:
        outage = _outage(changes["sms_outage"], path="sms_outage")
        if outage in WHATSAPP_ONLY_OUTAGES:
            raise BadRequest(f"sms_outage: {outage} happens on WhatsApp only")
        faults = replace(faults, sms_outage=outage)
    if "hang_seconds" in changes:
        faults = replace(faults, hang_seconds=_seconds(changes["hang_seconds"], path="hang_seconds"))
    if "answer_seconds" in changes:
        faults = replace(faults, answer_seconds=_seconds(changes["answer_seconds"], path="answer_seconds"))
    if "reports" in changes:
        faults = replace(faults, reports=_changed_reports(faults.reports, changes["reports"]))
    return faults


def _changed_reports(reports: ReportFaults, changes: object) -> ReportFaults:
    if not isinstance(changes, dict):
        raise BadRequest("reports: must be an object")
    _check_keys(changes, {item.name for item in fields(ReportFaults)}, path="reports.")
    for name, value in changes.items():
        if name == "delay_ms":
            reports = replace(reports, delay_ms=_milliseconds(value, path="reports.delay_ms"))
        elif isinstance(value, bool):
            reports = replace(reports, **{name: value})
        else:
            raise BadRequest(f"reports.{name}: must be true or false")
    return reports


def _check_keys(changes: dict[str, object], known: set[str], *, path: str) -> None:
    for key in changes:
        if key not in known:
            raise BadRequest(f"{path}{key}: unknown; one of {', '.join(sorted(known))}")


def _word[Word: StrEnum](words: type[Word], value: object, *, path: str) -> Word:
    try:
        return words(str(value))
    except ValueError as error:
        raise BadRequest(f"{path}: must be one of {', '.join(words)}") from error


def _outage(value: object, *, path: str) -> Outage | None:
    return None if value is None else _word(Outage, value, path=path)


def _milliseconds(value: object, *, path: str) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or not 0 <= value <= 3_600_000:
        raise BadRequest(f"{path}: must be a whole number from 0 to 3600000")
    return value


def _seconds(value: object, *, path: str) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value <= 3600:
        raise BadRequest(f"{path}: must be a number from 0 to 3600")
    return float(value)
