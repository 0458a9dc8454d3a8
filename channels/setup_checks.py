"""Checks of a sender's set-up: each step asked by itself, and what it found kept, so that the page asks nobody."""

import uuid
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime

from django.utils import timezone

from channels.base import SenderConfig
from channels.diagnostics import guarded
from channels.findings import Finding, Level
from channels.models import SenderCheck
from channels.providers import PROVIDERS
from channels.setup import StepName, Surroundings
from core import http

_LONGEST_TEXT = 600
_MOST_FINDINGS = 200


@dataclass(frozen=True, kw_only=True)
class Checked:
    """What was found, and when. `languages` has Meta's word of a template by language, "" when it can be sent."""

    findings: tuple[Finding, ...]
    languages: Mapping[str, str]
    at: datetime

    @property
    def level(self) -> Level:
        """The worst of all."""
        levels = {finding.level for finding in self.findings}
        return next((level for level in (Level.FAIL, Level.WARN) if level in levels), Level.OK)


def check(
    sender: SenderConfig, around: Surroundings, names: Iterable[str], *, client: http.HttpClient | None = None
) -> dict[StepName, list[Finding]]:
    """Ask the provider about these steps, one after the other, and keep what it says. Never raises for the network."""
    setup, findings = PROVIDERS[sender.provider].setup, dict[StepName, list[Finding]]()
    for name in names:
        step = setup.step(name) if setup else None
        if step and step.check:
            findings[step.name] = list(guarded(step.check(sender, around, client or http.shared())))
            keep(sender.id, step.name, findings[step.name])
    return findings


def keep(sender_id: uuid.UUID, name: StepName, findings: Iterable[Finding]) -> None:
    rows = [
        {
            "level": finding.level.value,
            "text": finding.text[:_LONGEST_TEXT],
            "remedy": finding.remedy[:_LONGEST_TEXT],
            **(
                {"language": finding.template.language, "word": finding.template.word}
                if finding.template
                else {}
            ),
        }
        for finding in list(findings)[:_MOST_FINDINGS]
    ]
    SenderCheck.objects.update_or_create(
        sender_id=sender_id, step=name.value, defaults={"findings": rows, "checked_at": timezone.now()}
    )


def kept(sender_id: uuid.UUID) -> dict[str, Checked]:
    """What the last check of each step found."""
    return {row.step: _checked(row) for row in SenderCheck.objects.filter(sender_id=sender_id)}


def _checked(row: SenderCheck) -> Checked:
    return Checked(
        findings=tuple(
            Finding(level=Level(item["level"]), text=item["text"], remedy=item["remedy"])
            for item in row.findings
        ),
        languages={item["language"]: item["word"] for item in row.findings if "language" in item},
        at=row.checked_at,
    )
