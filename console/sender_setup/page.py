"""What the set-up page shows, all from our own database: nobody is asked while it is drawn."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING

from django.utils import timezone
from django.utils.dateparse import parse_datetime
from django.utils.translation import gettext as _

from channels import alerts, notices, report_counts, samples, setup_checks
from channels.findings import Finding, Level
from channels.models import Sender, SenderNotice, SenderReports
from channels.notices import Topic
from channels.provider import Provider
from channels.providers import PROVIDERS
from channels.senders import senders
from channels.setup import Setup, Step, StepName
from channels.setup_checks import Checked
from channels.types import Channel, Status
from console import timeline
from otp.models import Challenge
from projects.config import ProjectConfig, projects

if TYPE_CHECKING:
    from django_stubs_ext import StrOrPromise


@dataclass(frozen=True, kw_only=True)
class Line:
    """A finding as the page shows it. `level` is empty where nothing is right or wrong."""

    level: str
    text: "StrOrPromise"
    remedy: "StrOrPromise" = ""


@dataclass(frozen=True, kw_only=True)
class Language:
    """A template in one language. `word` is the provider's; empty: nobody has asked yet. `is_made`: it exists there."""

    code: str
    word: str
    level: str
    is_made: bool


@dataclass(frozen=True, kw_only=True)
class Card:
    """A step. `level` is empty while nothing is known. `is_old`: the sender was saved after its check."""

    step: Step
    number: int
    level: str
    lines: Sequence[Line]
    checked_at: datetime | None
    is_old: bool
    arrivals: Line | None = None  # of reports; it changes by itself

    @property
    def label(self) -> str:
        return _("Not tried") if self.step.name is StepName.TRY and not self.level else _LABELS[self.level]()

    @property
    def can_check(self) -> bool:
        """Templates would call `step.check`."""
        return self.step.check is not None


@dataclass(frozen=True, kw_only=True)
class TryStep:
    """A line of a live timeline."""

    at: datetime
    what: str
    detail: str = ""
    tone: str = "plain"


@dataclass(frozen=True, kw_only=True)
class Page:
    """Everything that changes by itself; `pending`: a template is in review."""

    cards: Sequence[Card]
    languages: Sequence[Language] = ()
    sample: Sequence[TryStep] = ()
    sample_phone: str = ""
    code: Sequence[TryStep] = ()
    shown: Mapping[str, object] = field(default_factory=dict)

    @property
    def arrivals(self) -> Line | None:
        return next((card.arrivals for card in self.cards if card.arrivals), None)

    @property
    def pending(self) -> bool:
        return any(language.word in ("PENDING", "IN_APPEAL") for language in self.languages)


_LABELS = {
    "": lambda: _("Not checked"),
    Level.OK.value: lambda: _("Works"),
    Level.WARN.value: lambda: _("Look at it"),
    Level.FAIL.value: lambda: _("To be fixed"),
}
_ORDER = [Level.FAIL.value, Level.WARN.value, Level.OK.value]


def setup_of(sender: Sender) -> Setup | None:
    provider = PROVIDERS.get(sender.provider)
    return provider.setup if provider else None


def build(sender: Sender, setup: Setup, *, challenge: Challenge | None, now: datetime | None = None) -> Page:
    """`challenge` is the test code that the timeline follows."""
    now = now or timezone.now()
    kept = setup_checks.kept(sender.pk)
    sample = samples.last(sender.pk) if setup.greet else None
    hello = [_sample_step(step) for step in sample.steps] if sample else []
    code = [_code_step(step) for step in timeline.steps(challenge)] if challenge else []
    return Page(
        cards=[
            _card(sender, step, number, kept.get(step.name), [*hello, *code], now)
            for number, step in enumerate(setup.steps, 1)
        ],
        languages=_languages(sender, kept.get(StepName.TEMPLATES), setup),
        sample=hello,
        sample_phone=sample.phone_masked if sample else "",
        code=code,
    )


def _card(
    sender: Sender,
    step: Step,
    number: int,
    checked: Checked | None,
    tries: Sequence[TryStep],
    now: datetime,
) -> Card:
    lines = [_line(finding) for finding in checked.findings] if checked else []
    if step.name is StepName.CONNECT and not sender.is_active:
        text, remedy = (
            _("this sender is switched off: no message is sent by it"),
            _("Switch it on in its form."),
        )
        lines = [Line(level=Level.WARN.value, text=text, remedy=remedy), *lines]
    arrivals = _arrivals(sender, now) if step.name is StepName.REPORTS else None
    levels = [line.level for line in (*lines, arrivals) if line and line.level]
    level = min(levels, key=_ORDER.index, default="")
    return Card(
        step=step,
        number=number,
        level=_tried(tries) if step.name is StepName.TRY else level,
        lines=lines,
        checked_at=checked.at if checked else None,
        is_old=bool(checked and checked.at < sender.updated_at),
        arrivals=arrivals,
    )


def _tried(tries: Sequence[TryStep]) -> str:
    """What the tries that are shown came to: one that arrived counts most."""
    tones = {step.tone for step in tries}
    return Level.OK.value if "good" in tones else Level.FAIL.value if "bad" in tones else ""


def _line(finding: Finding) -> Line:
    return Line(level=finding.level.value, text=finding.text, remedy=finding.remedy)


def _arrivals(sender: Sender, now: datetime) -> Line:
    """Whether signed reports arrive: what the webhook saw, and not what is set."""
    row: SenderReports | None = getattr(sender, "reports", None)
    if row and (report_counts.is_refused(row) or row.missing_since):
        problem, remedy = alerts.report_words(provider=sender.provider, refused=report_counts.is_refused(row))
        return Line(level=Level.FAIL.value, text=problem, remedy=remedy)
    if row is None or row.reported_at is None:
        if sender.provider in report_counts.OPTIONAL:
            remedy = _("This provider need not report. Where it does, send a test code to see its first one.")
            return Line(level="", text=_("no signed event has arrived yet"), remedy=remedy)
        remedy = _("Send a test code: its reports have to arrive within seconds.")
        return Line(level=Level.WARN.value, text=_("no signed event has arrived yet"), remedy=remedy)
    text = _("last signed event %(ago)s ago") % {"ago": _ago(now, row.reported_at)}
    return Line(level=Level.OK.value, text=text)


def _ago(now: datetime, then: datetime) -> str:
    seconds = max(int((now - then).total_seconds()), 0)
    for size, unit in ((86_400, _("days")), (3600, _("h")), (60, _("min"))):
        if seconds >= 2 * size:
            return f"{seconds // size} {unit}"
    return f"{seconds} s"


# Templates --------------------------------------------------------------------------------------------


def _languages(sender: Sender, checked: Checked | None, setup: Setup) -> list[Language]:
    """What the check said, and what the webhook has told since."""
    if setup.create_templates is None:
        return []
    settings = sender.typed_without_secrets()
    changes = _changes(sender, getattr(settings, "template_name", ""), checked)
    words = dict(checked.languages) if checked else {}
    return [
        _language(code, words.get(code), changes.get(code))
        for code in getattr(settings, "template_languages", ())
    ]


def _changes(sender: Sender, template: str, checked: Checked | None) -> dict[str, SenderNotice]:
    """Notices about the template that came after the check, by language."""
    since = checked.at if checked else None
    rows = SenderNotice.objects.filter(sender=sender, topic=Topic.TEMPLATE.value, template=template)
    return {
        notices.normal_language(row.language): row
        for row in rows
        if (at := max(filter(None, (row.bad_at, row.good_at)), default=None))
        and (since is None or at > since)
    }


def _language(code: str, word: str | None, changes: SenderNotice | None) -> Language:
    if changes is not None:
        word = (changes.provider_code or changes.reason) if changes.reason else ""
        if not changes.reason and not changes.good_at:
            word = None
    is_made = word is not None and word != "MISSING"
    if word is None:
        return Language(code=code, word="", level="", is_made=False)
    if word in ("PENDING", "IN_APPEAL"):
        return Language(code=code, word=word, level=Level.WARN.value, is_made=True)
    level = Level.FAIL.value if word else Level.OK.value
    return Language(code=code, word=word or "APPROVED", level=level, is_made=is_made)


# Tries ------------------------------------------------------------------------------------------------


def served(sender: Sender) -> list[ProjectConfig]:
    """The projects whose messages may go by this sender, first or after others, the default one first."""
    configured, active = projects.get(), senders.get()
    channel = Channel(sender.channel)

    def serves(project: ProjectConfig) -> bool:
        names = {project.usual_route.sender, *(route.sender for route in project.routes.values())}
        several = (active.serving(project.id, channel, first=name) for name in names)
        return any(item.id == sender.pk for usual in several for item in usual)

    rows = [
        project for project in configured.by_id.values() if channel in project.channels and serves(project)
    ]
    default = configured.default.id if configured.default else None
    return sorted(rows, key=lambda project: (project.id != default, project.name))


def countries(rows: Iterable[ProjectConfig]) -> tuple[str, ...]:
    """Those that the projects name; none where one allows all."""
    named: set[str] = set()
    for project in rows:
        if project.countries_allowed is None:
            return ()
        named |= project.countries_allowed
    return tuple(sorted(named))


def callback_url(provider: Provider, public_url: str) -> str:
    """Where people have to enter it at the provider; empty where each message names it, or nothing is reported."""
    reports = provider.reports
    return f"{public_url}{reports.path}" if reports and reports.callback_label else ""


def _sample_step(step: Mapping[str, str]) -> TryStep:
    status = Status(int(step["status"]))
    code = f" ({step['code']})" if step["code"] else ""
    return TryStep(
        at=parse_datetime(step["at"]) or timezone.now(),
        what=status.word,
        detail=f"{step['reason']}{code}" if step["reason"] or code else "",
        tone="good" if status >= Status.DELIVERED else "bad" if status is Status.FAILED else "plain",
    )


def _code_step(step: timeline.Step) -> TryStep:
    return TryStep(at=step.at, what=step.what, detail=step.detail, tone=step.tone)
